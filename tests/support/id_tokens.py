"""ID tokens as a provider makes them, and what their validation says."""

from typing import Any

import pytest

from doorkey.errors import VerificationError
from doorkey.jose.claims import JWTClaims
from doorkey.oidc.core import CodeIDToken

NOW = 1_700_000_000
ISSUER = "https://as.example"
CLIENT = "a-client"
LOGIN = {"issuer": ISSUER, "client_id": CLIENT, "nonce": "n-0S6_WzA2Mj"}
"""What every login compares with."""


def claims(**more: Any) -> dict[str, Any]:
    """Return the claims of a good ID token of that login, changed by `more`; None takes a claim away."""
    good = {"iss": ISSUER, "sub": "248289761001", "aud": CLIENT, "exp": NOW + 60, "iat": NOW, "nonce": LOGIN["nonce"]}
    return {name: value for name, value in {**good, **more}.items() if value is not None}


def id_token(
    members: dict[str, Any],
    params: dict[str, Any] | None = None,
    kind: type[JWTClaims] = CodeIDToken,
    header: dict[str, Any] | None = None,
    options: Any = None,
) -> JWTClaims:
    return kind(members, {"alg": "RS256", **(header or {})}, options, LOGIN if params is None else params)


def accept(members: dict[str, Any], params: dict[str, Any] | None = None, leeway: float = 0, **how: Any) -> None:
    id_token(members, params, **how).validate(NOW, leeway)


def refused(
    members: dict[str, Any], params: dict[str, Any] | None = None, leeway: float = 0, **how: Any
) -> VerificationError:
    token = id_token(members, params, **how)
    with pytest.raises(VerificationError) as caught:
        token.validate(NOW, leeway)
    return caught.value
