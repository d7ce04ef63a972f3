"""An API that accepts the access tokens of one issuer, in Flask."""

import os

from flask import Flask

from doorkey.resource import AccessTokenVerifier, FlaskGuard

ISSUER = os.environ.get("ISSUER", "http://127.0.0.1:8080/realms/master")
guard = FlaskGuard(AccessTokenVerifier(ISSUER, audience="orders-api", profile="keycloak"))
app = Flask(__name__)


@app.get("/orders")
@guard.require("orders:read")
def orders() -> dict[str, str | None]:
    """Return the orders of the caller."""
    return {"caller": guard.access_token.client_id, "orders": "none yet"}
