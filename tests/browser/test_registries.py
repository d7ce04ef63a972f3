"""Programs of the registries under real web servers, with several workers, at each provider, in Chromium."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from doorkey.testing import Provider, client
from tests.servers.handle import RealServer
from tests.servers.process import port_of_ones_own
from tests.support.login_programs.served import PROGRAM, REDIS
from tests.support.real_providers import Registered, Routes, at_provider, register
from tests.support.web_workers import GUNICORN, PATIENCE, UVICORN, running

if TYPE_CHECKING:
    from playwright.sync_api import Page

PACKAGE = os.environ.get("ATTACKED", "doorkey")
SERVERS = {"flask": GUNICORN, "django": GUNICORN, "starlette": UVICORN}
APIS = {"keycloak": "/realms/master/protocol/openid-connect/userinfo", "oidc_provider": "/me"}
ROUTES = Routes("/callback", "/logged-out", None)
EMBEDDED = "embedded"
WORKERS = 2


@contextmanager
def registered(fixture: str, origin: str, request: pytest.FixtureRequest) -> Generator[tuple[Registered, str]]:
    """Register the program at a provider; yield the client and the URL of an API."""
    if fixture != EMBEDDED:
        server: RealServer = request.getfixturevalue(fixture)
        yield register(server, origin, ROUTES), server.origin + APIS[fixture]
        return
    secret = secrets.token_urlsafe()
    program = client(
        "program",
        secret,
        require_consent=True,
        redirect_uris=[origin + ROUTES.callback],
        post_logout_redirect_uris=[origin + ROUTES.logged_out],
    )
    with Provider(clients=[program]) as provider:
        yield Registered(provider.issuer, "program", secret), provider.userinfo_endpoint


@pytest.mark.parametrize("fixture", [*APIS, EMBEDDED])
@pytest.mark.parametrize("framework", SERVERS)
def test_a_user_logs_in_calls_an_api_and_logs_out(
    framework: str, fixture: str, redis_server: RealServer, chromium: Page, request: pytest.FixtureRequest
) -> None:
    """No two requests need the same worker: the session is in a cookie, tokens and pending logins are in Redis."""
    chromium.set_default_timeout(PATIENCE * 1000)
    port = port_of_ones_own()
    origin = f"http://127.0.0.1:{port}"
    with registered(fixture, origin, request) as (own, api):
        options = {
            "client_id": own.client_id,
            "client_secret": own.client_secret,
            "server_metadata_url": f"{own.issuer}/.well-known/openid-configuration",
            "client_kwargs": {"scope": "openid profile", "code_challenge_method": "S256"},
        }
        program = {"package": PACKAGE, "origin": origin, "api": api, "options": options}
        environment = {PROGRAM: json.dumps(program), REDIS: redis_server.origin}
        drive(chromium, framework, origin, environment)


def drive(chromium: Page, framework: str, origin: str, environment: dict[str, str]) -> None:
    """Log in, call the API, log out, and log in again."""
    application, port = f"tests.support.login_programs.served:{framework}", int(origin.rpartition(":")[2])
    with running(SERVERS[framework], application, environment, port=port, workers=WORKERS):
        chromium.goto(f"{origin}/login")
        assert at_provider(chromium, origin) == ["login", "consent"]
        user = json.loads(chromium.inner_text("body"))
        assert user["sub"]
        for _ in range(2 * WORKERS):  # more requests than workers
            chromium.goto(f"{origin}/api")
            answer = json.loads(chromium.inner_text("body"))
            assert (answer["status"], answer["body"]["sub"]) == (200, user["sub"])
        chromium.goto(f"{origin}/logout")
        at_provider(chromium, origin)
        assert chromium.url.startswith(f"{origin}/logged-out?state=")
        assert "crash" not in chromium.inner_text("body")
        chromium.goto(f"{origin}/login")
        assert "login" in at_provider(chromium, origin)  # the provider asks for the password again
