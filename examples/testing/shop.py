"""The application under test: a page for users, and an API."""

from flask import Flask

from doorkey import Issuer
from doorkey.login import Login
from doorkey.resource import AccessTokenVerifier, FlaskGuard


def create_app(issuer: str | Issuer) -> Flask:
    """Return the shop, whose users and tokens come from this issuer."""
    app = Flask(__name__)
    login = Login(issuer=issuer, client_id="shop", client_secret="its-secret", sessions="memory:")
    login.init_app(app)
    guard = FlaskGuard(AccessTokenVerifier(issuer, audience="shop-api", profile="keycloak"))

    @app.get("/")
    @login.required
    def home() -> str:
        return f"Hello {login.user.name}"

    @app.get("/api/orders")
    @guard.require("orders:read")
    def orders() -> dict[str, str | None]:
        return {"orders_of": guard.access_token.sub}

    return app
