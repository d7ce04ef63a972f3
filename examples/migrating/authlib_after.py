"""Call an API as a user, and renew the expired token: doorkey."""

import os

from doorkey.integrations.requests_client import OAuth2Session

ISSUER, API = os.environ["ISSUER"], os.environ["API"]
TOKEN_ENDPOINT = f"{ISSUER}/protocol/openid-connect/token"
saved = []


def save(token, refresh_token=None, access_token=None):
    """Keep each new token."""
    saved.append(dict(token))


with OAuth2Session("client-1", "my-secret", token_endpoint=TOKEN_ENDPOINT, update_token=save) as session:
    token = session.fetch_token(TOKEN_ENDPOINT, username="alice", password="wonderland")
    session.token = {**token, "expires_at": 1}
    print("call:", session.get(API).status_code)
    print("renewed:", saved[-1]["access_token"] != token["access_token"])
