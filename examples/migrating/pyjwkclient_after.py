"""Verify the access token of a request: doorkey."""

import os

from doorkey.resource import AccessTokenVerifier, RequestRejected

verifier = AccessTokenVerifier(os.environ["ISSUER"], audience="orders-api", profile="keycloak")


def user_of(token):
    """Return the subject of a valid token, or None."""
    try:
        return verifier.verify(token).sub
    except RequestRejected:
        return None


print("valid:", user_of(os.environ["TOKEN"]) is not None)
print("for another API:", user_of(os.environ["OTHER_TOKEN"]) is not None)
verifier.close()
