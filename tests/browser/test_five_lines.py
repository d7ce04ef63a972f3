"""The programs of docs/logins.md in Chromium: as they stand, and at the provider that the environment names."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.servers.handle import RealServer
from tests.servers.process import port_of_ones_own
from tests.support.real_providers import at_provider, log_out, register
from tests.support.web_workers import GUNICORN, UVICORN, running

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.support.browser_fixtures import NewWindow, Shots

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
SERVERS: Final = {"fastapi": (UVICORN, "program:app"), "flask": (GUNICORN, "program:app")}
SERVERS["django"] = (GUNICORN, "project.wsgi:application")
each_program = pytest.mark.parametrize("framework", SERVERS)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The folder of each program, before its first start: that of Django has a new database."""
    folders = {framework: tmp_path_factory.mktemp(framework) for framework in SERVERS}
    for framework, folder in folders.items():
        if framework == "django":
            django_project(folder)
        else:
            (folder / "program.py").write_text(program(framework), "utf-8")
    return folders


@contextmanager
def started(
    framework: str, original: Path, folder: Path, workers: int = 1, server: RealServer | None = None
) -> Generator[str]:
    """Start a copy of a program, and yield its origin; `server` is the provider, named by the environment."""
    shutil.copytree(original, folder, dirs_exist_ok=True)
    port = port_of_ones_own()
    environment = {"DOORKEY_SECRET": "a-secret-of-this-test-" + "0" * 32}
    if server is not None:
        client = register(server, f"http://127.0.0.1:{port}")
        environment |= {
            "DOORKEY_ISSUER": client.issuer,
            "DOORKEY_CLIENT_ID": client.client_id,
            "DOORKEY_CLIENT_SECRET": client.client_secret,
            "DOORKEY_BASE_URL": f"http://127.0.0.1:{port}",
        }
    kind, application = SERVERS[framework]
    with running(kind, application, environment, port=port, workers=workers, folder=folder) as origin:
        yield origin


def blocks(page: str) -> list[str]:
    """Return the blocks of Python of a page of docs/."""
    return re.findall(r"```py(?:thon)?\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)


def program(framework: str) -> str:
    """Return the program for a framework in docs/logins.md."""
    (text,) = [block for block in blocks("logins.md") if f"from {framework} import" in block and "Login.dev()" in block]
    return text


def django_project(folder: Path) -> None:
    """Make a new project, as `django-admin` makes it, with the lines of docs/logins/django.md and its first view."""
    settings, urls, views, *_ = blocks("logins/django.md")
    run = [sys.executable, "-m", "django"]
    subprocess.run([*run, "startproject", "project", folder], check=True)
    (folder / "project/views.py").write_text(views, "utf-8")
    with (folder / "project/settings.py").open("a", encoding="utf-8") as file:
        file.write(settings)
    with (folder / "project/urls.py").open("a", encoding="utf-8") as file:
        own = 'urlpatterns += [path("", home)]'
        file.write(f"from django.urls import include\nfrom project.views import home\n{urls}\n{own}\n")
    path = {
        "PYTHONPATH": os.pathsep.join((str(folder), str(DOCS.parent / "src"))),
        "DJANGO_SETTINGS_MODULE": "project.settings",
    }
    subprocess.run([*run, "migrate", "--verbosity", "0"], check=True, cwd=folder, env={**os.environ, **path})


def shown(page: Page) -> str:
    """Return what the application shows the user."""
    return page.inner_text("body")


@each_program
def test_a_program_logs_in_and_out_as_it_stands(
    framework: str, programs: dict[str, Path], tmp_path: Path, new_window: NewWindow, shots: Shots
) -> None:
    with started(framework, programs[framework], tmp_path) as origin:
        page, other = new_window(), new_window()
        page.goto(origin)
        second = page.context.new_page()
        second.goto(origin)  # a second tab, before the login of the first one is finished
        assert at_provider(page, origin) == ["login"]
        assert "Alice Example" in shown(page)
        at_provider(second, origin)
        assert shown(second) == shown(page)
        other.goto(origin)
        at_provider(other, origin, ("bob", "builder"))
        assert "Bob Example" in shown(other)
        page.goto(origin)
        assert "Alice Example" in shown(page)
        page.goto(f"{origin}/auth/logout")
        shots(page, f"login-logout-{framework}")
        log_out(page, origin)
        other.goto(origin)
        assert "Bob Example" in shown(other)


@each_program
def test_the_back_button_and_a_stranger_get_a_page_that_explains(
    framework: str, programs: dict[str, Path], tmp_path: Path, new_window: NewWindow
) -> None:
    with started(framework, programs[framework], tmp_path) as origin:
        page, stranger = new_window(), new_window()
        visited: list[str] = []
        page.on("request", lambda request: visited.append(request.url))
        page.goto(origin)
        at_provider(page, origin)
        callback = next(url for url in visited if url.startswith(f"{origin}/auth/callback"))
        for browser in (page, stranger):
            browser.goto(callback)
            assert browser.get_by_role("alert").inner_text()
            assert browser.get_by_text("For the developer of this application").is_visible()
        page.goto(origin)
        assert "Alice Example" in shown(page)  # the failed callbacks have changed nothing
        page.goto(callback)
        page.get_by_role("link", name="Try again").click()
        at_provider(page, origin)
        assert "Alice Example" in shown(page)


@pytest.mark.parametrize("fixture", ["keycloak", "oidc_provider"])
@each_program
def test_the_environment_alone_switches_to_a_real_provider(
    framework: str,
    fixture: str,
    programs: dict[str, Path],
    tmp_path: Path,
    chromium: Page,
    request: pytest.FixtureRequest,
) -> None:
    server: RealServer = request.getfixturevalue(fixture)
    with started(framework, programs[framework], tmp_path, workers=2, server=server) as origin:
        chromium.goto(origin)
        assert at_provider(chromium, origin)[0] == "login"
        text = shown(chromium)
        for _ in range(4):
            chromium.goto(origin)
            assert shown(chromium) == text
        log_out(chromium, origin)
        assert at_provider(chromium, origin)[0] == "login"
        assert shown(chromium) == text
