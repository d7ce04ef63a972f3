"""Programs with a `Login` under real web servers, with four workers and a shared store, in Chromium."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from doorkey.stores import SQLStore
from doorkey.testing import Provider, client
from tests.servers.handle import RealServer
from tests.servers.process import port_of_ones_own
from tests.support.real_providers import Registered, at_provider, log_out, register
from tests.support.web_workers import GUNICORN, PATIENCE, ROOT, UVICORN, running

if TYPE_CHECKING:
    from playwright.sync_api import Page

PROGRAMS: Final = {
    "flask": """
import os
from flask import Flask
from doorkey.login import Login

app, login = Flask(__name__), Login.from_env()
login.init_app(app)

@app.get("/")
@login.required
def home():
    return {"sub": login.user.sub, "csrf": login.user.csrf_token}

@app.get("/api")
@login.required
def api():
    return login.user.client.get(os.environ["API"]).json()

@app.get("/refresh")
@login.required
def refresh():
    client = login.user.client
    client.get(os.environ["API"])
    before = client.token["access_token"]
    return {"is_new": client.refresh_token()["access_token"] != before}
""",
    "fastapi": """
import os
from fastapi import FastAPI
from doorkey.login import Login

app, login = FastAPI(), Login.from_env()
login.mount(app)

@app.get("/")
def home(user: login.User):
    return {"sub": user.sub, "csrf": user.csrf_token}

@app.get("/api")
async def api(user: login.User):
    return (await user.client.get(os.environ["API"])).json()

@app.get("/refresh")
async def refresh(user: login.User):
    await user.client.get(os.environ["API"])
    before = user.client.token["access_token"]
    return {"is_new": (await user.client.refresh_token())["access_token"] != before}
""",
    "django": """
import os
import django
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import include, path

contrib = "django.contrib"
settings.configure(
    SECRET_KEY=os.environ["DOORKEY_SECRET"] * 2,
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "program.db", "OPTIONS": {"timeout": 60}}},
    INSTALLED_APPS=[f"{contrib}.auth", f"{contrib}.contenttypes", f"{contrib}.sessions", "doorkey.login.django"],
    MIDDLEWARE=[
        f"{contrib}.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        f"{contrib}.auth.middleware.AuthenticationMiddleware",
        "doorkey.login.django.LoginMiddleware",
    ],
    AUTHENTICATION_BACKENDS=["doorkey.login.django.LoginBackend"],
    LOGIN_URL="doorkey_login:login",
    LOGIN_REDIRECT_URL="/",
    LOGOUT_REDIRECT_URL="/",
    SESSION_COOKIE_NAME="doorkey",
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

@login_required
def home(request):
    return JsonResponse({"sub": request.user.claims.sub})

@login_required
def api(request):
    return JsonResponse(request.user.client.get(os.environ["API"]).json())

@login_required
def refresh(request):
    client = request.user.client
    client.get(os.environ["API"])
    before = client.token["access_token"]
    return JsonResponse({"is_new": client.refresh_token()["access_token"] != before})

urlpatterns = [
    path("", home), path("api", api), path("refresh", refresh), path("auth/", include("doorkey.login.django.urls")),
]
if __name__ == "__main__":
    call_command("migrate", verbosity=0)
app = get_wsgi_application()
""",
}
SERVERS: Final = {"flask": GUNICORN, "fastapi": UVICORN, "django": GUNICORN}
STORES: Final = {"flask": "redis_server", "fastapi": "postgres"}
"""The fixture of the store of sessions; Django has its own database."""
APIS: Final = {"keycloak": "/realms/master/protocol/openid-connect/userinfo", "oidc_provider": "/me"}
EMBEDDED: Final = "embedded"


@contextmanager
def registered(provider: str, origin: str, request: pytest.FixtureRequest) -> Generator[tuple[Registered, str]]:
    """Register the program at a provider; yield the client and the URL of an API."""
    if provider != EMBEDDED:
        server: RealServer = request.getfixturevalue(provider)
        yield register(server, origin), server.origin + APIS[provider]
        return
    secret = secrets.token_urlsafe()
    program = client(
        "program",
        secret,
        require_consent=True,
        redirect_uris=[f"{origin}/auth/callback"],
        post_logout_redirect_uris=[f"{origin}/"],
        backchannel_logout_uri=f"{origin}/auth/backchannel-logout",
    )
    with Provider(clients=[program]) as embedded:
        yield Registered(embedded.issuer, "program", secret), embedded.userinfo_endpoint


@pytest.fixture(scope="module")
def django_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The database of the program for Django, with its tables and no user."""
    folder = tmp_path_factory.mktemp("django")
    (folder / "program.py").write_text(PROGRAMS["django"], encoding="utf-8")
    environment = {**os.environ, "DOORKEY_SECRET": "0" * 32, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"}
    subprocess.run([sys.executable, "program.py"], cwd=folder, env=environment, check=True)
    return folder / "program.db"


def sessions_of(framework: str, folder: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    """Make the tables that the sessions need, and return what the environment says about the store."""
    if framework == "django":
        shutil.copy2(request.getfixturevalue("django_database"), folder)
        return {}
    store: RealServer = request.getfixturevalue(STORES[framework])
    if framework == "fastapi":
        sql = SQLStore(store.origin)
        sql.create_table()
        sql.close()
    return {"DOORKEY_SESSIONS": store.origin}


def shown(page: Page, url: str) -> Any:
    """Open a page of the program, and return the JSON on it."""
    page.goto(url)
    return json.loads(page.inner_text("body"))


def session_of(page: Page) -> Any:
    """Return the cookie of the session, as `add_cookies` takes it."""
    kept: Any = page.context.cookies()
    (cookie,) = [one for one in kept if one["name"].endswith("doorkey")]
    return cookie


@pytest.mark.parametrize("provider", [*APIS, EMBEDDED])
@pytest.mark.parametrize("framework", PROGRAMS)
def test_login_consent_api_refresh_and_logout_with_four_workers(
    framework: str, provider: str, tmp_path: Path, chromium: Page, request: pytest.FixtureRequest
) -> None:
    chromium.set_default_timeout(PATIENCE * 1000)
    port = port_of_ones_own()
    origin = f"http://127.0.0.1:{port}"
    (tmp_path / "program.py").write_text(PROGRAMS[framework], encoding="utf-8")
    with registered(provider, origin, request) as (own, api):
        environment = {
            "DOORKEY_ISSUER": own.issuer,
            "DOORKEY_CLIENT_ID": own.client_id,
            "DOORKEY_CLIENT_SECRET": own.client_secret,
            "DOORKEY_BASE_URL": origin,
            "DOORKEY_SECRET": secrets.token_urlsafe(32),
            "API": api,
            **sessions_of(framework, tmp_path, request),
        }
        with running(SERVERS[framework], "program:app", environment, port=port, folder=tmp_path):
            chromium.goto(origin)
            assert at_provider(chromium, origin) == ["login", "consent"]
            sub = shown(chromium, origin)["sub"]
            for _ in range(6):  # more requests than workers
                assert shown(chromium, f"{origin}/api")["sub"] == sub
            assert shown(chromium, f"{origin}/refresh") == {"is_new": True}
            assert shown(chromium, f"{origin}/api")["sub"] == sub

            first = session_of(chromium)
            chromium.context.clear_cookies(name=first["name"])
            chromium.goto(origin)  # the provider's session logs the user in again, with the same sid
            chromium.wait_for_url(f"{origin}/")
            assert session_of(chromium)["value"] != first["value"]
            log_out(chromium, origin)
            chromium.context.add_cookies([first])
            chromium.goto(origin)
            chromium.locator("input[type=password]").wait_for()  # no session is left, here or at the provider
