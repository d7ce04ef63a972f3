"""The arguments of a verification: registered algorithms, and keys in each accepted form.

Theory of operation. The algorithm never comes from the token (RFC 8725 §3.1). Where none is registered, it follows from
the keys: a key verifies what its type, curve, `use` and `alg` allow. A bare text says nothing about itself (it may as
well be an error page that was fetched in place of keys), so it is a shared secret only where an HMAC is registered.
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

EXPECTED: Final = "algorithms is a list of those that are registered, for instance ['RS256']"


def registered(algorithms: object) -> tuple[str, ...]:
    """Return the signature algorithms that a program registers. Raises `UsageError` for none and for an unknown one."""
    names = (algorithms,) if isinstance(algorithms, str) else members(algorithms, EXPECTED)
    if not names:
        raise UsageError(EXPECTED)
    return tuple(algorithm_named(name).name for name in names)


def allowed_by(keys: tuple[Key, ...]) -> tuple[str, ...]:
    """Return the algorithms that at least one key verifies: its own, or all of its type and curve."""
    allowed = tuple(alg for alg in ALGORITHMS if any(key.misfit(alg) is None for key in keys))
    if allowed:
        return allowed
    for key in keys:
        if key.kty == "oct":
            key.check("HS256", "verify")  # says what is wrong with it
    raise VerificationError("alg", "has no key that fits it: no key here is for signatures")


def verifying_keys(given: object, algorithms: tuple[str, ...] | None) -> tuple[Key, ...]:
    """Return the keys that `given` holds, to verify with `algorithms`; None if the program has registered none.

    Raises `UsageError` for what is no key, and for bytes that are a secret only where an HMAC is registered.
    """
    keys = import_keys(given)
    if algorithms is None and _has_bare_bytes(given, keys):
        raise UsageError(
            "bytes that are neither PEM nor a JWK Set are a shared secret only where an HMAC is registered, "
            'JsonWebToken(["HS256"]), or where they are marked as one, Secret(text)'
        )
    return keys


def chosen_keys(choose: Callable[[Header], object], header: Header) -> object:
    """Return the keys that a function of the program chooses by the header. Raises `UsageError` if it takes more."""
    try:
        inspect.signature(choose).bind(header)
    except ValueError:  # a function that does not tell
        pass
    except TypeError:
        raise UsageError(
            "a function that chooses keys is called with the token's header alone, as its claims are not verified by "
            "then; doorkey.jose.verification.unsafe_claims reads them nevertheless"
        ) from None
    return choose(header)


def signing_algorithm(header: Header, algorithms: tuple[str, ...] | None) -> str:
    """Return the `alg` of a header to sign with. Raises `UsageError` for none, and for one that is not registered."""
    alg: object = header.get("alg")
    if not isinstance(alg, str):
        raise UsageError('the header names the algorithm: {"alg": "RS256"}')
    if algorithms is not None and alg not in algorithms:
        raise UsageError(f"the header's algorithm is none of the registered ones: {', '.join(algorithms)}")
    return alg


@hides_locals
def signing_key(given: object, alg: str, header: Header) -> object:
    """Return the key to sign with. Of several keys, the one that the header's `kid` names, else the first that fits.

    given: a key as `import_key` reads it, a sequence of keys, or a JWK Set as a mapping.

    Raises `UsageError` if none of several keys signs with `alg`.
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
    raise UsageError(
        f"none of the keys signs with {printable(alg, 40)}" + (" and has the header's `kid`" if kid else "")
    )


def checked_with(keys: object, check: Callable[[object], T]) -> T:
    """Return `check(keys)`, with the keys that a `KeySource` fetches. Raises `UsageError` for an `AsyncKeySource`."""
    if isinstance(keys, KeysOfIssuer):
        return keys.checked(check)
    if isinstance(keys, AsyncKeysOfIssuer):
        raise UsageError("an AsyncKeySource is for `await jwt.adecode(token, keys)`; decode takes a KeySource")
    return check(keys)


def token_text(token: object) -> str:
    """Return the text of a token that may be bytes or a `Secret`. Raises `UsageError` for anything else."""
    if isinstance(token, Secret):
        token = token.reveal()
    if isinstance(token, bytes):
        return token.decode("latin-1")  # what is not ASCII is refused by its form
    if isinstance(token, str):
        return token
    raise UsageError(f"a token is text, not {type(token).__name__}")


def _has_bare_bytes(given: object, keys: tuple[Key, ...]) -> bool:
    parts = cast("Iterable[object]", given) if isinstance(given, list | tuple) else (given,)
    return any(key.kty == "oct" for key in keys) and any(isinstance(part, bytes) for part in parts)
