"""The signature algorithms, and the conditions for their keys (RFC 7518 §3, RFC 8037, RFC 9864)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from joserfc.jwa import JWSAlgModel
from joserfc.jws import JWSRegistry

from doorkey.errors import UsageError, printable

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 8192
"""A longer modulus makes one verification expensive, and no server uses one."""
MAX_EXPONENT_BITS = 32


@dataclass(frozen=True, slots=True)
class Algorithm:
    """The requirements of an algorithm on its key: the type, the curves, and for HMAC the minimum number of bytes."""

    name: str
    kty: str
    curves: tuple[str, ...] = ()
    min_bytes: int = 0


ALGORITHMS = {
    algorithm.name: algorithm
    for algorithm in (
        Algorithm("HS256", "oct", min_bytes=32),
        Algorithm("HS384", "oct", min_bytes=48),
        Algorithm("HS512", "oct", min_bytes=64),
        *(Algorithm(f"{family}{bits}", "RSA") for family in ("RS", "PS") for bits in (256, 384, 512)),
        Algorithm("ES256", "EC", ("P-256",)),
        Algorithm("ES384", "EC", ("P-384",)),
        Algorithm("ES512", "EC", ("P-521",)),
        Algorithm("EdDSA", "OKP", ("Ed25519", "Ed448")),
        Algorithm("Ed25519", "OKP", ("Ed25519",)),
        Algorithm("Ed448", "OKP", ("Ed448",)),
    )
}
"""The supported signature algorithms. `none` is not supported."""

ASYMMETRIC = tuple(name for name, algorithm in ALGORITHMS.items() if algorithm.kty != "oct")
"""The algorithms with a public key, which may be published."""


def algorithm_named(name: str) -> Algorithm:
    """Return the algorithm called `name`. Raises `UsageError` for an unsupported name, `none` included."""
    try:
        return ALGORITHMS[name]
    except (KeyError, TypeError):
        raise UsageError(f"the algorithm {printable(str(name), 40)!r} is none of {', '.join(ALGORITHMS)}") from None


class ExactRegistry(JWSRegistry):
    """A joserfc registry that allows exactly the given algorithms, and checks no header.

    joserfc's own registry warns at each use of EdDSA, and replaces an empty list by its recommended algorithms. It also
    rejects unknown header members, which RFC 7515 §4 requires a reader to ignore. The members that matter are checked
    before joserfc gets the header.
    """

    max_header_length = max_payload_length = 65536
    max_signature_length = 4096

    def __init__(self, algorithms: Iterable[str]) -> None:
        super().__init__(algorithms=tuple(algorithms))
        self._exactly = frozenset(algorithm_named(name).name for name in self.allowed or ())

    def check_header(self, header: dict[str, Any]) -> None:
        """Accept the header, which `signing` or `verification` has already checked."""

    def get_alg(self, name: str) -> JWSAlgModel:
        """Return joserfc's algorithm for an allowed `name`. Raises `UsageError` for any other name."""
        if name not in self._exactly:
            raise UsageError(f"the algorithm {printable(str(name), 40)!r} is not allowed here")
        return self.algorithms[name]
