"""The signature algorithms that a client accepts: those it registered, else those of both sides (RFC 8725 §3.1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, cast

from doorkey.arguments import texts
from doorkey.errors import UsageError, VerificationError
from doorkey.jose.algorithms import ALGORITHMS, ASYMMETRIC, algorithm_named

NONE: Final = "none"


def registered_algorithms(given: str | Iterable[str], what: str) -> tuple[str, ...]:
    """Return the algorithms that a client registered as its metadata `what`. Raises `UsageError` for an unknown name.

    `none` is accepted, because a client may register it for ID tokens of the code flow (OpenID Connect Core §2).
    """
    names = texts(given, what)
    if not names:
        raise UsageError(f"{what} must name an algorithm, for instance 'RS256'")
    return tuple(name if name == NONE else algorithm_named(name).name for name in names)


def accepted_algorithms(registered: tuple[str, ...], metadata: Mapping[str, Any], member: str) -> tuple[str, ...]:
    """Return the `registered` algorithms, else the asymmetric ones that the server's `metadata` lists in `member`.

    If the metadata has no such list, the result is all asymmetric algorithms. Metadata never adds an algorithm with a
    shared secret or without a key. Raises `VerificationError` if the list has no supported asymmetric algorithm.
    """
    if registered:
        return registered
    advertised: object = metadata.get(member)
    if not isinstance(advertised, list):
        return ASYMMETRIC
    listed = cast("list[object]", advertised)
    both = tuple(name for name in ASYMMETRIC if name in listed)
    if not both:
        raise VerificationError(
            member,
            "has no supported asymmetric algorithm: register one at the server, and name it as an option",
            expected=" or ".join(ASYMMETRIC),
        )
    return both


def is_symmetric(alg: str) -> bool:
    """Return whether the key of `alg` is a shared secret, the client's."""
    return alg in ALGORITHMS and ALGORITHMS[alg].kty == "oct"
