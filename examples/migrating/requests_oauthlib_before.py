"""Log a user in, and read the user's claims: requests-oauthlib."""

import os

from requests_oauthlib import OAuth2Session

ISSUER = os.environ["ISSUER"]
ENDPOINTS = f"{ISSUER}/protocol/openid-connect"
saved = []

session = OAuth2Session(
    "web-app",
    redirect_uri="http://127.0.0.1:9499/cb",
    scope=["openid", "profile", "email"],
    pkce="S256",
    auto_refresh_url=f"{ENDPOINTS}/token",
    auto_refresh_kwargs={"client_id": "web-app", "client_secret": "its-secret"},
    token_updater=saved.append,
)
url, state = session.authorization_url(f"{ENDPOINTS}/auth")
print(url)
session.fetch_token(
    f"{ENDPOINTS}/token", client_secret="its-secret", include_client_id=True, authorization_response=input()
)
print("user:", session.get(f"{ENDPOINTS}/userinfo").json()["email"])
session.token = {**session.token, "expires_at": 1}
print("user:", session.get(f"{ENDPOINTS}/userinfo").json()["email"])
print("saved:", len(saved))
