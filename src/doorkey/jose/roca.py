"""Detects RSA keys that a broken chip made: their private half follows from the public one (CVE-2017-15361).

Such a modulus is a power of 65537 modulo each of many small primes. A sound one looks so for all of these 17
once in 2^27.
"""

from __future__ import annotations

from functools import cache

_PRIMES = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)
_GENERATOR = 65537


def is_roca(modulus: int) -> bool:
    """Say whether an RSA modulus has the structure of ROCA, and so is as good as factored."""
    return all(modulus % prime in _powers(prime) for prime in _PRIMES)


@cache
def _powers(prime: int) -> frozenset[int]:
    return frozenset(pow(_GENERATOR, exponent, prime) for exponent in range(prime - 1))
