"""Presets in a registry of Authlib's form: `oauth.register(name, …, **preset(name).register_options())`."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from doorkey.integrations.starlette_client import OAuth
from doorkey.login.presets import PRESETS, preset
from tests.login.presets.providers import CALLBACK, CLIENT, NOW, PROVIDERS, SECRET, Server
from tests.login.presets.test_table import PARAMETERS

OF_QUERY = [name for name in PRESETS if name != "apple"]  # Apple posts: test_registries.py


@pytest.mark.parametrize("name", OF_QUERY)
def test_a_registry_logs_in_with_each_preset(name: str) -> None:
    found = preset(name, **PARAMETERS[name])
    server = Server(name, found.issuer)
    options = found.register_options()
    options["client_kwargs"] |= {"transport": server.transport, "clock": lambda: float(NOW)}
    oauth = OAuth()
    client: Any = oauth.register(name, client_id=CLIENT, client_secret=SECRET, **options)

    async def login(request: Request) -> Response:
        answer: Response = await client.authorize_redirect(request, CALLBACK)
        return answer

    async def callback(request: Request) -> JSONResponse:
        token = await client.authorize_access_token(request)
        assert ("userinfo" in token) == found.is_openid, "an ID token that is not verified makes no claims"
        return JSONResponse(dict(token.get("userinfo") or await client.userinfo(token=token)))

    routes = [Route("/login", login), Route("/auth/callback", callback)]
    app = Starlette(routes=routes, middleware=[Middleware(SessionMiddleware, secret_key="a secret of a test")])
    with TestClient(app, base_url="https://app.example", follow_redirects=False) as browser:
        back = server.authorize(browser.get("/login").headers["Location"])
        claims = browser.get(f"/auth/callback?{urlencode(back)}").json()
    expected = PROVIDERS[name].expected
    assert {claim: claims.get(claim) for claim in expected} == expected
