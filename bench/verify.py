"""The verification of a signed token, compared with the raw check of `cryptography` and other libraries.

`./dev bench --verify` runs it.
"""

from __future__ import annotations

import base64
import json
import logging
import platform
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, Final

import httpx2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from joserfc import jwt as joserfc_jwt
from rich.console import Console

from bench.names import AUTHLIB, OURS
from bench.row import Row, exit_status, microseconds
from bench.table import show_rows, table_of
from bench.timing import Calls, Comparison, blocking, compare, fewest_rounds
from doorkey import Issuer, KeySource, VerificationError
from doorkey.jose.generation import generate_key
from doorkey.jose.keys import Key, import_key
from doorkey.jose.signing import sign
from doorkey.jose.verification import verify
from doorkey.resource import AccessTokenVerifier

# Both are untyped.
with warnings.catch_warnings(action="ignore"):  # it advises programs to use joserfc
    authlib_jose: Any = import_module("authlib.jose")
pyjwt: Any = import_module("jwt")

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "bench-verify.md"
PYJWT, JOSERFC, RAW = "PyJWT", "joserfc", "raw check and parsing"
VERIFIER: Final = "AccessTokenVerifier"
CACHED: Final = "AccessTokenVerifier, cached"
LIMIT: Final = 1.15
"""The target as a multiple of the raw check of `cryptography` and the parsing of the same token."""
CACHED_LIMIT: Final = 5e-6
"""The target in seconds for a token that was verified before."""
UNKNOWN: Final = 10_000
"""The number of tokens with an unknown kid."""
SECONDS: Final = 8.0
LOOPS: Final = 10
"""The number of tokens that one timed call verifies."""

ISSUER, API = "https://as.example", "https://api.example"

METHOD: Final = f"""\
Each library verifies the same token with a key that was read before. The raw check is the signature check of
`cryptography`, plus splitting the token, decoding its segments and parsing its JSON. The other libraries and
doorkey's `verify` check the signature and read the claims. `AccessTokenVerifier` also checks the claims. The
contenders take turns in changing order, {LOOPS} tokens at a time. A round's figure is the median of its calls. Ratios
are computed within each round, and the table has their median with its 95 % interval. Times are the CPU time of the
thread. A line without a target is only a comparison. For the last line, {UNKNOWN} tokens with an unknown `kid` arrive
within a second.
"""


def claims() -> dict[str, Any]:
    """Return the claims of a typical access token (RFC 9068 §2.2)."""
    now = int(time.time())
    who = {"sub": "5ba552d67", "client_id": "s6BhdRkqt3", "name": "Jane Doe", "email": "janedoe@example.com"}
    times = {"exp": now + 86_400, "iat": now, "auth_time": now}
    return {"iss": ISSUER, "aud": API, "jti": "dbe39bf3a3ba4238", "scope": "orders:read orders:write", **who, **times}


def main(effort: float, console: Console, *, page: bool) -> int:
    """Measure and print, and write the page if `page` is True. Return 1 if a target is not met."""
    logging.getLogger("doorkey").setLevel(logging.ERROR)
    rows = [*measure("RS256", effort), *measure("ES256", effort), unknown_kids()]
    show_rows(rows, console)
    console.print(circumstances())
    if page:
        head = ["# Verifying tokens, measured", "", "`./dev bench --verify --write` wrote this page.", circumstances()]
        PAGE.write_text("\n".join([*head, "", METHOD, *table_of(rows), ""]), encoding="utf-8")
    return exit_status(rows)


def circumstances() -> str:
    """Return the versions of Python and the packages."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("cryptography", "PyJWT", "joserfc", "authlib"))
    return f"Python {platform.python_version()}; {packages}."


def measure(alg: str, effort: float) -> list[Row]:
    """Compare all libraries with a token of `alg`."""
    key = generate_key(alg)
    token = sign(claims(), key, alg=alg, header={"typ": "at+jwt"})
    found = compare(
        {name: _repeated(call) for name, call in contenders(alg, key, token).items()},
        limit=SECONDS * effort,
        fewest=fewest_rounds(effort),
    )
    own = _seconds(found, OURS)
    rows = [_row(f"{alg}, cold: signature and claims", found, RAW, LIMIT)]
    rows += [_row(f"{alg}, cold: signature and claims", found, peer) for peer in (PYJWT, JOSERFC, AUTHLIB)]
    raw, full, cached = (_seconds(found, name) for name in (RAW, VERIFIER, CACHED))
    rows.append(
        Row(f"{alg}, cold: access token", microseconds(full), f"{RAW} {microseconds(raw)}", f"{full / raw:.2f}")
    )
    target, met = f"≤ {microseconds(CACHED_LIMIT)}", cached <= CACHED_LIMIT
    peer = f"{OURS}, not cached {microseconds(own)}"
    rows.append(Row(f"{alg}, cached: access token", microseconds(cached), peer, f"{cached / own:.3f}", target, met))
    return rows


def contenders(alg: str, key: Key, token: str) -> dict[str, Callable[[], object]]:
    """Return the call of each library that verifies `token`, with the key in the library's own type."""
    jwk, public = key.public_jwk(), import_key(key.public_jwk())
    keys, algorithms = (public,), (alg,)
    for_pyjwt, for_authlib = pyjwt.PyJWK(jwk), authlib_jose.JsonWebKey.import_key(jwk)
    with_authlib = authlib_jose.JsonWebToken([alg])
    unchecked = {"verify_exp": False, "verify_iat": False, "verify_nbf": False, "verify_aud": False}
    issuer = Issuer(ISSUER, metadata={"issuer": ISSUER}, keys={"keys": [jwk]})
    cold = AccessTokenVerifier(issuer, audience=API, cache_for=0)
    warm = AccessTokenVerifier(issuer, audience=API)
    return {
        OURS: lambda: verify(token, keys, algorithms=algorithms, typ="at+jwt"),
        RAW: raw_check(alg, public.jose.raw_value, token),
        PYJWT: lambda: pyjwt.decode(token, for_pyjwt, algorithms=[alg], options=unchecked),
        JOSERFC: lambda: joserfc_jwt.decode(token, public.jose, algorithms=[alg]),
        AUTHLIB: lambda: with_authlib.decode(token, for_authlib),
        VERIFIER: lambda: cold.verify(token),
        CACHED: lambda: warm.verify(token),
    }


def raw_check(alg: str, public: Any, token: str) -> Callable[[], object]:
    """Return a function that parses `token` and checks its signature directly with `cryptography`."""
    scheme, digest = padding.PKCS1v15(), hashes.SHA256()
    curve = ec.ECDSA(digest)

    def decoded(segment: str) -> bytes:
        return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))

    def check() -> object:
        head, payload, signature = token.split(".")
        parsed, raw, signed = json.loads(decoded(head)), decoded(signature), f"{head}.{payload}".encode()
        if alg == "RS256":
            public.verify(raw, signed, scheme, digest)
        else:
            halves = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
            public.verify(encode_dss_signature(*halves), signed, curve)
        return parsed, json.loads(decoded(payload))

    return check


def unknown_kids() -> Row:
    """Count the requests for the key set that tokens with an unknown kid cause."""
    known, unknown = generate_key("ES256"), generate_key("ES256")
    token = sign(claims(), unknown, alg="ES256")
    jwks = {"keys": [known.public_jwk()]}
    fetched: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        fetched.append(request)
        return httpx2.Response(200, json=jwks)

    now = time.time()
    with httpx2.Client(transport=httpx2.MockTransport(answer)) as http:
        keys = KeySource(jwks_uri=f"{ISSUER}/jwks", http_client=http, clock=lambda: now)
        for _ in range(UNKNOWN):
            try:
                keys.verify(token)
            except VerificationError:
                continue
    theirs = Counting(jwks)
    for _ in range(UNKNOWN):
        try:
            theirs.get_signing_key_from_jwt(token)
        except pyjwt.PyJWKClientError:
            continue
    name = f"requests for keys, {UNKNOWN} tokens with an unknown kid"
    return Row(name, str(len(fetched)), f"{PYJWT} {theirs.fetches}", "", "1", len(fetched) == 1)


class Counting(pyjwt.PyJWKClient):  # type: ignore[misc]
    """PyJWT's client for key sets, whose requests are counted but not sent."""

    def __init__(self, jwks: dict[str, Any]) -> None:
        super().__init__(f"{ISSUER}/jwks")  # pyright: ignore[reportUnknownMemberType]  # PyJWT types only some arguments
        self.jwks, self.fetches = jwks, 0

    def fetch_data(self) -> Any:
        self.fetches += 1
        if self.jwk_set_cache is not None:
            self.jwk_set_cache.put(self.jwks)
        return self.jwks


def _repeated(call: Callable[[], object]) -> Calls:
    """Time `LOOPS` calls as one, because a single call is too short."""

    def several() -> None:
        for _ in range(LOOPS):
            call()

    return blocking(several)


def _seconds(found: Comparison, name: str) -> float:
    return median(found.cpu[name]) / LOOPS


def _row(what: str, found: Comparison, peer: str, limit: float | None = None) -> Row:
    ratio = found.cpu_ratio(OURS, peer)
    return Row(
        what,
        microseconds(_seconds(found, OURS)),
        f"{peer} {microseconds(_seconds(found, peer))}",
        f"{ratio.value:.3f} ± {ratio.error:.3f}",
        f"≤ {limit:.2f}" if limit else "",
        ratio.value <= limit if limit else None,
    )
