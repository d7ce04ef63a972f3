"""Programs of the registries under real web servers, with four workers, at real providers, in Chromium."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tests.servers.handle import RealServer
from tests.servers.process import port_of_ones_own
from tests.support.login_programs.served import PROGRAM, REDIS
from tests.support.real_providers import Routes, at_provider, register
from tests.support.web_workers import GUNICORN, PATIENCE, UVICORN, running

if TYPE_CHECKING:
    from playwright.sync_api import Page

PACKAGE = os.environ.get("ATTACKED", "doorkey")
SERVERS = {"flask": GUNICORN, "django": GUNICORN, "starlette": UVICORN}
APIS = {"keycloak": "/realms/master/protocol/openid-connect/userinfo", "oidc_provider": "/me"}
ROUTES = Routes("/callback", "/logged-out", None)


@pytest.mark.parametrize(
    ("framework", "fixture"), [("flask", "oidc_provider"), ("django", "keycloak"), ("starlette", "oidc_provider")]
)
def test_a_user_logs_in_calls_an_api_and_logs_out(
    framework: str, fixture: str, redis_server: RealServer, chromium: Page, request: pytest.FixtureRequest
) -> None:
    """No two requests need the same worker: the session is in a cookie, tokens and pending logins are in Redis."""
    chromium.set_default_timeout(PATIENCE * 1000)
    server: RealServer = request.getfixturevalue(fixture)
    port = port_of_ones_own()
    origin = f"http://127.0.0.1:{port}"
    client = register(server, origin, ROUTES)
    program = {
        "package": PACKAGE,
        "origin": origin,
        "api": server.origin + APIS[fixture],
        "options": {
            "client_id": client.client_id,
            "client_secret": client.client_secret,
            "server_metadata_url": server.discovery,
            "client_kwargs": {"scope": "openid profile", "code_challenge_method": "S256"},
        },
    }
    environment = {PROGRAM: json.dumps(program), REDIS: redis_server.origin}
    application = f"tests.support.login_programs.served:{framework}"
    with running(SERVERS[framework], application, environment, port=port):
        chromium.goto(f"{origin}/login")
        assert at_provider(chromium, origin) == ["login", "consent"]
        user = json.loads(chromium.inner_text("body"))
        assert user["sub"]
        for _ in range(8):  # more requests than workers
            chromium.goto(f"{origin}/api")
            answer = json.loads(chromium.inner_text("body"))
            assert (answer["status"], answer["body"]["sub"]) == (200, user["sub"])
        chromium.goto(f"{origin}/logout")
        at_provider(chromium, origin)
        assert chromium.url.startswith(f"{origin}/logged-out?state=")
        assert "crash" not in chromium.inner_text("body")
        chromium.goto(f"{origin}/login")
        assert "login" in at_provider(chromium, origin)  # the provider asks for the password again
