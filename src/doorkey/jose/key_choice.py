"""The arguments of a verification: registered algorithms, and keys in each accepted form.

Theory of operation. The token never chooses the algorithm (RFC 8725 §3.1). If none is registered, the keys determine
it: a key verifies the algorithms that its type, curve, `use` and `alg` allow. Plain bytes may be anything, for instance
an error page that was fetched in place of keys. So they are a shared secret only if an HMAC algorithm is registered.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any, Final, TypeVar, cast

from doorkey.arguments import members
from doorkey.errors import UsageError, VerificationError, printable
from doorkey.jose.algorithms import ALGORITHMS, algorithm_named
from doorkey.jose.key_sources import AsyncKeysOfIssuer, KeysOfIssuer
from doorkey.jose.keys import Key, import_keys, import_own_keys
from doorkey.values import Secret, hides_locals

T = TypeVar("T")
Header = Mapping[str, Any]

EXPECTED: Final = "algorithms must be a list of algorithm names, for instance ['RS256']"


class NoKeyError(VerificationError):
    """No known key fits the `kid` and the `alg` of a token. A newer key set may have one."""


def registered(algorithms: object) -> tuple[str, ...]:
    """Return the registered signature algorithms. Raises `UsageError` for an empty list and an unsupported name."""
    names = (algorithms,) if isinstance(algorithms, str) else members(algorithms, EXPECTED)
    if not names:
        raise UsageError(EXPECTED)
    return tuple(algorithm_named(name).name for name in names)


def allowed_by(keys: tuple[Key, ...]) -> tuple[str, ...]:
    """Return the algorithms that at least one key verifies. Raises `NoKeyError` if no key verifies any."""
    allowed = tuple(alg for alg in ALGORITHMS if any(key.misfit(alg) is None for key in keys))
    if allowed:
        return allowed
    for key in keys:
        if key.kty == "oct":
            key.check("HS256", "verify")  # its error names the cause
    raise NoKeyError("alg", "has no key that fits it: none of the keys is for signatures")


def verifying_keys(given: object, algorithms: tuple[str, ...] | None) -> tuple[Key, ...]:
    """Return the keys in `given`, to verify with the registered `algorithms`; None: no algorithm is registered.

    Raises `UsageError` for a value that is not a key, and for a bytes secret if no algorithm is registered.
    """
    keys = import_keys(given)
    if algorithms is None and _has_bare_bytes(given, keys):
        raise UsageError(
            "bytes that are neither PEM nor a JWK Set are a shared secret only if an HMAC algorithm is registered, "
            'JsonWebToken(["HS256"]), or if they are marked as a secret, Secret(text)'
        )
    return keys


def chosen_keys(choose: Callable[[Header], object], header: Header) -> object:
    """Return the keys that `choose` returns for the header. Raises `UsageError` if it does not take one argument."""
    try:
        inspect.signature(choose).bind(header)
    except ValueError:  # a function without an introspectable signature
        pass
    except TypeError:
        raise UsageError(
            "a function that chooses keys must accept one argument, the token's header: the claims are not verified "
            "yet. doorkey.jose.verification.unsafe_claims(token) reads unverified claims"
        ) from None
    return choose(header)


def signing_algorithm(header: Header, algorithms: tuple[str, ...] | None) -> str:
    """Return the `alg` of a header to sign with. Raises `UsageError` if it is missing or not registered."""
    alg: object = header.get("alg")
    if not isinstance(alg, str):
        raise UsageError('the header must name the algorithm, for instance {"alg": "RS256"}')
    if algorithms is not None and alg not in algorithms:
        raise UsageError(f"the header's algorithm is not registered: registered are {', '.join(algorithms)}")
    return alg


@hides_locals
def signing_key(given: object, alg: str, header: Header) -> object:
    """Return the key to sign with: of several keys, the first that fits `alg` and the header's `kid`, if it has one.

    given: a key as `import_key` reads it, a sequence of keys, or a JWK Set as a mapping.

    Raises `UsageError` if no key of several fits.
    """
    several: Any = given
    if not (isinstance(given, list | tuple) or (isinstance(given, Mapping) and "keys" in given)):
        return several
    kid = header.get("kid")
    for key in import_own_keys(several):
        if kid is None or key.kid == kid:
            with suppress(UsageError):
                key.check(alg, "sign")
                return key
    raise UsageError(f"no key signs with {printable(alg, 40)}" + (" and has the header's `kid`" if kid else ""))


def checked_with(keys: object, check: Callable[[object], T]) -> T:
    """Return `check(keys)`; a `KeySource` fetches its keys first. Raises `UsageError` for an `AsyncKeySource`."""
    if isinstance(keys, KeysOfIssuer):
        return keys.checked(check)
    if isinstance(keys, AsyncKeysOfIssuer):
        raise UsageError("decode needs a KeySource: an AsyncKeySource works with `await jwt.adecode(token, keys)`")
    return check(keys)


def token_text(token: object) -> str:
    """Return the text of a token that may be bytes or a `Secret`. Raises `UsageError` for anything else."""
    if isinstance(token, Secret):
        token = token.reveal()
    if isinstance(token, bytes):
        return token.decode("latin-1")  # the check of the form rejects non-ASCII text
    if isinstance(token, str):
        return token
    raise UsageError(f"a token must be text, not {type(token).__name__}")


def _has_bare_bytes(given: object, keys: tuple[Key, ...]) -> bool:
    parts = cast("Iterable[object]", given) if isinstance(given, list | tuple) else (given,)
    return any(key.kty == "oct" for key in keys) and any(isinstance(part, bytes) for part in parts)
