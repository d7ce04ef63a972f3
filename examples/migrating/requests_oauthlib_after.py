"""Log a user in, and read the user's claims: doorkey."""

import os

from doorkey.integrations.requests_client import OAuth2Session

saved = []


def save(token, refresh_token=None, access_token=None):
    """Keep each new token."""
    saved.append(dict(token))


session = OAuth2Session(
    "web-app",
    "its-secret",
    issuer=os.environ["ISSUER"],
    redirect_uri="http://127.0.0.1:9499/cb",
    scope="openid email",
)
url, state = session.create_authorization_url()
print(url)
session.fetch_token(authorization_response=input())
print("user:", session.userinfo()["email"])
session.update_token = save
session.token = {**session.token, "expires_at": 1}
print("user:", session.userinfo()["email"])
print("saved:", len(saved))
session.close()
