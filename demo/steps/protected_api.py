"""An API that verifies access tokens is called without a token, without the required scope, and with it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import requests
from flask import Flask

from demo.fleet import Fleet
from demo.outcome import Fact, Step
from demo.place import CLIENT, SECRET, Place
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.resource import AccessTokenVerifier, FlaskGuard


def protect(app: Flask, verifier: AccessTokenVerifier) -> None:
    """Add a view that needs a scope."""
    guard = FlaskGuard(verifier)

    @app.get("/orders")
    @guard.require("scope-1")
    def orders() -> list[str]:
        return ["a door", "a key"]


def shows(place: Place, _: Fleet) -> list[Fact]:
    """Check that only the token with the scope is accepted, and that the other responses state the reason."""
    app = Flask("orders")
    with AccessTokenVerifier(place.issuer, audience="account", profile="keycloak", clock=place.clock) as verifier:
        protect(app, verifier)
        with served(app) as url, requests.Session() as plain:
            bare = plain.get(f"{url}/orders")
            weak, good = (called(place, f"{url}/orders", scope) for scope in ("openid", "openid scope-1"))
    reasons = [response.headers["WWW-Authenticate"] for response in (bare, weak)]
    return [
        Fact("without a token", f"{bare.status_code}  {reasons[0]}", bare.status_code == 401),
        Fact("without the scope", f"{weak.status_code}  insufficient_scope", "insufficient_scope" in reasons[1]),
        Fact("with the scope", f"{good.status_code}  {good.text.strip()}", good.json() == ["a door", "a key"]),
    ]


def called(place: Place, url: str, scope: str) -> requests.Response:
    """Call the API as alice, with a token of this scope."""
    with OAuth2Session(CLIENT, SECRET, issuer=place.issuer, clock=place.clock) as session:
        session.fetch_token(username="alice", password="wonderland", scope=scope)
        return session.get(url)


@contextmanager
def served(app: Callable[..., Any]) -> Generator[str, None, None]:
    """Serve a WSGI application on a free port of this machine; yields its origin."""
    with make_server("127.0.0.1", 0, app, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), name="demo-api", daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name http.server gives
        """Log nothing."""


STEP = Step("An API, protected and called", protect, shows)
