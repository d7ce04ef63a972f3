"""Detects weak RSA keys that faulty chips generated: the public key reveals the private one (ROCA, CVE-2017-15361).

The modulus of such a key is a power of 65537 modulo each of many small primes. For these 17 primes, that is true of one
other modulus in 2^27.
"""

from __future__ import annotations

from functools import cache

_PRIMES = (11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157)
_GENERATOR = 65537


def is_roca(modulus: int) -> bool:
    """Return whether an RSA modulus has the structure of ROCA, and so can be factored."""
    return all(modulus % prime in _powers(prime) for prime in _PRIMES)


@cache
def _powers(prime: int) -> frozenset[int]:
    return frozenset(pow(_GENERATOR, exponent, prime) for exponent in range(prime - 1))
