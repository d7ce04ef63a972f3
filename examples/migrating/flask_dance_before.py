"""A Flask application whose users log in: Flask-Dance."""

import os

from flask import Flask, redirect, url_for
from flask_dance.consumer import OAuth2ConsumerBlueprint

ENDPOINTS = f"{os.environ['ISSUER']}/protocol/openid-connect"

app = Flask(__name__)
app.secret_key = "a text of 32 or more random characters"
keycloak = OAuth2ConsumerBlueprint(
    "keycloak",
    __name__,
    client_id="web-app",
    client_secret="its-secret",
    base_url=ENDPOINTS,
    authorization_url=f"{ENDPOINTS}/auth",
    token_url=f"{ENDPOINTS}/token",
    auto_refresh_url=f"{ENDPOINTS}/token",
    scope=["openid", "profile", "email"],
    use_pkce=True,
    redirect_to="home",
)
app.register_blueprint(keycloak, url_prefix="/auth")


@app.get("/")
def home():
    """Greet the user."""
    if not keycloak.session.authorized:
        return redirect(url_for("keycloak.login"))
    user = keycloak.session.get(f"{ENDPOINTS}/userinfo").json()
    return f"Hello {user['name']}"
