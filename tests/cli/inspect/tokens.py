"""Tokens for the tests of `doorkey inspect`, signed with one key for all of them."""

from functools import cache
from typing import Any

from doorkey.jose.generation import generate_key
from doorkey.jose.keys import Key
from doorkey.jose.signing import sign

NOW = 1_795_918_204.0
ISSUER = "https://as.example"
GOOD: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "248289761001",
    "aud": "app",
    "exp": int(NOW) + 300,
    "iat": int(NOW) - 60,
}


@cache
def own_key() -> Key:
    return generate_key("ES256")


def signed(header: dict[str, Any] | None = None, /, **changed: Any) -> str:
    """Return a token with the claims `GOOD`, changed by `changed`; None removes one."""
    claims = {name: value for name, value in {**GOOD, **changed}.items() if value is not None}
    return sign(claims, own_key(), alg="ES256", header=header or {})
