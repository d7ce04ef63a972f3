"""A single-page app in Chromium: its site keeps the tokens, and its script sees none of them (docs/logins)."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from doorkey.testing import Provider, client
from tests.servers.process import port_of_ones_own
from tests.support.json_web_tokens import jwts_in
from tests.support.real_providers import at_provider
from tests.support.web_workers import UVICORN, running

if TYPE_CHECKING:
    from playwright.sync_api import Page, Response

PROGRAM: Final = """
import os
from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from doorkey.login import ApiProxy, Login

app = FastAPI()
login = Login.from_env()
login.mount(app)
ApiProxy(login, "/api", os.environ["API"]).mount(app)

PAGE = '''<!DOCTYPE html><html lang="en"><title>app</title><h1>App</h1><script>
async function call(path, options) {
  const response = await fetch(path, options);
  const text = await response.text();
  document.body.append(text);
  return [response.status, text && JSON.parse(text)];
}
</script>'''

@app.get("/", response_class=HTMLResponse)
def page():
    return HTMLResponse(PAGE, headers={"Cache-Control": "no-store"})
"""
CSRF: Final = {"headers": {"X-CSRF": "1"}}


@pytest.fixture
def provider() -> Iterator[tuple[Provider, int, str]]:
    """A provider with the app as its client, the app's port, and the client's secret."""
    port, secret = port_of_ones_own(), secrets.token_urlsafe()
    origin = f"http://127.0.0.1:{port}"
    app = client("app", secret, redirect_uris=[f"{origin}/auth/callback"], post_logout_redirect_uris=[f"{origin}/"])
    with Provider(clients=[app]) as running_one:
        yield running_one, port, secret


@pytest.fixture
def origin(provider: tuple[Provider, int, str], tmp_path: Path) -> Iterator[str]:
    """The running app."""
    server, port, secret = provider
    (tmp_path / "program.py").write_text(PROGRAM, "utf-8")
    environment = {
        "DOORKEY_ISSUER": server.issuer,
        "DOORKEY_CLIENT_ID": "app",
        "DOORKEY_CLIENT_SECRET": secret,
        "DOORKEY_BASE_URL": f"http://127.0.0.1:{port}",
        "DOORKEY_SECRET": secrets.token_urlsafe(32),
        "API": server.origin,
    }
    with running(UVICORN, "program:app", environment, port=port, workers=1, folder=tmp_path) as running_one:
        yield running_one


def call(page: Page, path: str, **options: Any) -> tuple[int, Any]:
    """Call a path from the script of the page; return the status and the JSON."""
    status, answer = page.evaluate("([path, options]) => call(path, options)", [path, options])
    return status, answer


def test_the_script_logs_in_calls_the_api_and_logs_out_and_sees_no_token(
    chromium: Page, provider: tuple[Provider, int, str], origin: str
) -> None:
    server = provider[0]
    received: list[Response] = []

    def receive(response: Response) -> None:
        received.append(response)

    chromium.on("response", receive)
    chromium.goto(origin)
    status, refusal = call(chromium, "/api/echo", **CSRF)
    assert (status, refusal["login_url"]) == (401, "/auth/login")
    chromium.goto(f"{origin}{refusal['login_url']}?next=/")
    assert at_provider(chromium, origin) == ["login"]

    status, me = call(chromium, "/auth/me")
    assert (status, me["sub"]) == (200, server.users["alice"].sub)
    status, refusal = call(chromium, "/api/realms/master/protocol/openid-connect/userinfo")
    assert (status, refusal["error"]) == (403, "csrf_header_missing")
    status, claims = call(chromium, "/api/realms/master/protocol/openid-connect/userinfo", **CSRF)
    assert (status, claims["preferred_username"]) == (200, "alice")
    no_token_reached_the_browser(chromium, origin, received)

    status, refusal = call(chromium, "/auth/logout", method="POST")
    assert status == 403
    headers = {"X-CSRF-Token": me["csrf_token"]}
    status, ended = call(chromium, "/auth/logout", method="POST", headers=headers)
    assert status == 200
    chromium.goto(ended["logout_url"])
    at_provider(chromium, origin)
    assert call(chromium, "/auth/me")[0] == 401
    assert call(chromium, "/api/echo", **CSRF)[0] == 401


def no_token_reached_the_browser(page: Page, origin: str, received: list[Response]) -> None:
    """Look into the storage, the cookies, the page, and what the site has sent."""
    storage: Any = page.evaluate("[Object.entries(localStorage), Object.entries(sessionStorage), document.cookie]")
    assert storage == [[], [], ""]
    sent = [one for one in received if one.url.startswith(origin)]
    fetched = [one for one in sent if one.request.resource_type == "fetch"]
    bodies = [one.text() for one in fetched[-3:]]  # those since the page was loaded
    cookies = json.dumps([dict(one) for one in page.context.cookies(origin)])
    everything = [*bodies, *(json.dumps(one.headers) for one in sent), page.content(), cookies]
    assert len(everything) > 8
    for text in everything:
        assert jwts_in(text) == []
        assert "access_token" not in text
