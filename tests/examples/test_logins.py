"""The applications of the tutorials on logins: alice logs in, and logs out."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
import requests
from fastapi.testclient import TestClient
from flask import Flask

from doorkey.login import Login
from doorkey.testing import Provider, client
from tests.servers.browser import Browser
from tests.servers.process import port_of_ones_own

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
PAGE = {"Accept": "text/html"}


@pytest.fixture
def alice() -> Iterator[Browser]:
    with Browser("the embedded provider", "alice", "wonderland") as browser:
        yield browser


def test_a_user_logs_in_to_the_flask_application_and_out(alice: Browser) -> None:
    names = runpy.run_path(str(EXAMPLES / "log_in_flask.py"))
    app: Flask = names["app"]
    login: Login = names["login"]
    site = app.test_client()
    assert site.get("/public").text == "Hello guest"
    begun = site.get(site.get("/", headers=PAGE).location)
    callback = alice.authorize(begun.location, "http://localhost/auth/callback")
    assert site.get(callback).location == "/"
    page = site.get("/").text
    assert "Hello Alice Example, your address is alice@example.org." in page
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    assert site.post("/auth/logout", data={"csrf_token": found[1]}, headers=PAGE).status_code == 303
    assert site.get("/public").text == "Hello guest"
    login.close()


def test_a_user_logs_in_to_the_fastapi_application(alice: Browser) -> None:
    names = runpy.run_path(str(EXAMPLES / "log_in_fastapi.py"))
    with TestClient(names["app"], base_url="http://localhost:8000", follow_redirects=False) as site:
        assert site.get("/public").json() == "Hello guest"
        begun = site.get(site.get("/", headers=PAGE).headers["Location"])
        callback = alice.authorize(begun.headers["Location"], "http://localhost:8000/auth/callback")
        assert site.get(callback).headers["Location"] == "/"
        assert site.get("/").json() == {"name": "Alice Example", "email": "alice@example.org"}
        assert site.get("/public").json() == "Hello Alice Example"


def test_a_user_logs_in_to_the_django_project_and_out(alice: Browser, tmp_path: Path) -> None:
    origin = f"http://localhost:{(port := port_of_ones_own())}"
    project = [sys.executable, str(EXAMPLES / "log_in_django.py")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DOORKEY_")}
    with Provider(clients=[client("shop", "its-secret", redirect_uris=[f"{origin}/auth/callback"])]) as provider:
        environment |= {
            "DOORKEY_ISSUER": provider.issuer,
            "DOORKEY_CLIENT_ID": "shop",
            "DOORKEY_CLIENT_SECRET": "its-secret",
            "DOORKEY_BASE_URL": origin,
        }
        subprocess.run([*project, "migrate"], cwd=tmp_path, env=environment, check=True, capture_output=True)
        server = subprocess.Popen(
            [*project, "runserver", "--noreload", f"localhost:{port}"],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert server.stdout
            for line in server.stdout:
                if "Quit the server" in line:
                    break
            with requests.Session() as site:
                site.trust_env = False  # the address that runserver prints without an argument
                assert site.get(f"http://127.0.0.1:{port}/", allow_redirects=False).status_code == 302
            _logs_in_and_out(alice, origin)
        finally:
            server.terminate()
            server.communicate()


def _logs_in_and_out(alice: Browser, origin: str) -> None:
    with requests.Session() as site:
        site.trust_env, site.headers["Accept"] = False, PAGE["Accept"]
        login = site.get(f"{origin}/", allow_redirects=False).headers["Location"]
        begun = site.get(urljoin(origin, login), allow_redirects=False)
        callback = alice.authorize(begun.headers["Location"], f"{origin}/auth/callback")
        page = site.get(callback)
        assert page.url == f"{origin}/"
        assert "Hello Alice Example, your address is" in page.text
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert found
        form = {"csrfmiddlewaretoken": found[1]}
        assert site.post(f"{origin}/auth/logout", form, allow_redirects=False).status_code in {302, 303}
        assert "/auth/login" in site.get(f"{origin}/", allow_redirects=False).headers["Location"]
