"""The five lines of docs/logins/django.md make a login of the project that `startproject` makes, as they stand."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from doorkey.dev.headless import HeadlessBrowser
from doorkey.testing import Provider, client
from doorkey.wire.messages import Request, Response

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "logins" / "django.md").read_text("utf-8")
SETTINGS, URLS, VIEWS = re.findall(r"^```py\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[:3]


def manage(project: Path, *arguments: str, **variables: str) -> None:
    """Run a command of the project."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=project,
        env={**environment(), **variables},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("DOORKEY_", "DJANGO_"))}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of `startproject` with the lines of the page."""
    folder = tmp_path_factory.mktemp("project")
    subprocess.run([sys.executable, "-m", "django", "startproject", "shop", "."], cwd=folder, check=True, timeout=300)
    settings, urls = folder / "shop" / "settings.py", folder / "shop" / "urls.py"
    settings.write_text(settings.read_text("utf-8") + SETTINGS, "utf-8")
    more = "\n".join(("from django.urls import include", VIEWS, URLS, 'urlpatterns += [path("", home)]'))
    urls.write_text(urls.read_text("utf-8") + more, "utf-8")
    manage(folder, "check", "--fail-level", "WARNING")
    manage(folder, "migrate", "--verbosity", "0")
    return folder


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def running(project: Path, port: int, **variables: str) -> Generator[str]:
    """The project, served by `runserver`."""
    command = [sys.executable, "-W", "error", "manage.py", "runserver", "--noreload", f"127.0.0.1:{port}"]
    with subprocess.Popen(
        command,
        cwd=project,
        env={**environment(), "PYTHONUNBUFFERED": "1", **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as server:
        try:
            assert server.stdout is not None
            for line in server.stdout:
                if "Quit the server" in line:
                    break
            else:
                raise AssertionError("the server does not start")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.communicate(timeout=60)


def send(request: Request) -> Response:
    """Send a request of the browser to the provider."""
    answer = requests.request(
        request.method,
        request.url,
        headers=dict(request.headers),
        data=request.content,
        allow_redirects=False,
        timeout=60,
    )
    return Response(answer.status_code, tuple(answer.headers.items()), answer.content)


def check_a_login(site: str) -> None:
    """Log in at the page that needs a user, and log out."""
    with requests.Session() as browser:
        asked = browser.get(f"{site}/?a=1", timeout=60, allow_redirects=False)
        begun = browser.get(f"{site}{asked.headers['Location']}", timeout=60, allow_redirects=False)
        provider = HeadlessBrowser(send, lambda url: not url.startswith(site))
        callback = provider.log_in(begun.headers["Location"], "alice", "wonderland")
        page = browser.get(callback, timeout=60)
        assert page.url == f"{site}/?a=1"
        assert page.text == "Hello Alice Example"
        form = {"csrf_token": browser.get(f"{site}/auth/me", timeout=60).json()["csrf_token"]}
        left = browser.post(f"{site}/auth/logout", form, timeout=60, allow_redirects=False)
        assert left.status_code in (200, 303), left.text
        assert browser.get(site, timeout=60, allow_redirects=False).status_code == 302


def test_the_five_lines_make_a_login_that_needs_no_account_anywhere(project: Path) -> None:
    lines = [line for line in (SETTINGS + URLS).splitlines() if line.strip()]
    assert len(lines) == 5
    with running(project, free_port()) as site:
        check_a_login(site)


def test_the_environment_alone_switches_the_project_to_another_provider(project: Path) -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    shop = client("shop", "its-secret", redirect_uris=[f"{base}/auth/callback"], post_logout_redirect_uris=[f"{base}/"])
    with Provider(clients=[shop]) as provider:
        variables = {"ISSUER": provider.issuer, "CLIENT_ID": "shop", "CLIENT_SECRET": "its-secret", "BASE_URL": base}
        with running(project, port, **{f"DOORKEY_{name}": value for name, value in variables.items()}) as site:
            check_a_login(site)
        assert any(one.grant_type == "authorization_code" for one in provider.requests)
