"""An API that accepts the access tokens of one issuer, in FastAPI."""

import os
from typing import Annotated

from fastapi import FastAPI

from doorkey.resource import AccessToken, AccessTokenVerifier, FastAPIGuard

ISSUER = os.environ.get("ISSUER", "http://127.0.0.1:8080/realms/master")
guard = FastAPIGuard(AccessTokenVerifier(ISSUER, audience="orders-api", profile="keycloak"))
app = FastAPI()


@app.get("/orders")
def orders(token: Annotated[AccessToken, guard.require("orders:read")]) -> dict[str, str | None]:
    """Return the orders of the caller."""
    return {"caller": token.client_id, "orders": "none yet"}
