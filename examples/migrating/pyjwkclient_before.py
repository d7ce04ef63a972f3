"""Verify the access token of a request: PyJWT."""

import os

import jwt

ISSUER = os.environ["ISSUER"]
keys = jwt.PyJWKClient(f"{ISSUER}/protocol/openid-connect/certs")


def user_of(token):
    """Return the subject of a valid token, or None."""
    try:
        key = keys.get_signing_key_from_jwt(token)
        claims = jwt.decode(token, key, algorithms=["RS256"], audience="orders-api", issuer=ISSUER)
    except jwt.PyJWTError:
        return None
    return claims["sub"]


print("valid:", user_of(os.environ["TOKEN"]) is not None)
print("for another API:", user_of(os.environ["OTHER_TOKEN"]) is not None)
