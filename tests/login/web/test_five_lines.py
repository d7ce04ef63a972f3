"""The five-line programs of docs/logins.md, as they stand, with `Login.dev()` and at a provider of the environment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from doorkey.dev.headless import HeadlessBrowser
from doorkey.dev.local_http import sent
from doorkey.login import LoginError
from doorkey.testing import Provider
from tests.support.login_application import LOCAL
from tests.support.login_browser import Browser
from tests.support.login_sites import on_asgi
from tests.support.web_sites import OnWSGI

PAGE_OF_LOGINS = (Path(__file__).resolve().parents[3] / "docs" / "logins.md").read_text("utf-8")
FRAMEWORKS = ("FastAPI", "Flask")


def program(framework: str) -> str:
    """The first block below the heading of the framework."""
    found = re.search(rf"\n## {framework}\n.*?```python\n(.*?)```", PAGE_OF_LOGINS, re.DOTALL)
    assert found
    return found[1]


@pytest.fixture(params=FRAMEWORKS)
def framework(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def browser(framework: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Browser]:
    """A browser at the program, which runs in a directory of its own."""
    tmp_path.chmod(0o700)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "main"}
    exec(compile(program(framework), "docs/logins.md", "exec", dont_inherit=True), names)  # noqa: S102  # our own page
    with ExitStack() as stack:
        if framework == "Flask":
            yield Browser(OnWSGI(names["app"]))
            names["login"].close()
        else:
            site = stack.enter_context(on_asgi(names["app"]))
            yield Browser(site)
            site.run(names["login"].aclose)


def logged_in_at(url: str, username: str, password: str) -> str:
    """Log in at the provider of an authorization request's URL, and return the URL of the callback."""
    there = urlsplit(url)
    address = (there.hostname or "", there.port or 0)
    user_agent = HeadlessBrowser(
        lambda request: sent(request, address, None, 60.0), lambda one: urlsplit(one).netloc == there.netloc
    )
    return user_agent.log_in(url, username, password)


def test_a_login_takes_five_lines(framework: str) -> None:
    lines = [line for line in program(framework).splitlines() if line.strip() and " import " not in line]
    assert len([line for line in lines if not line.startswith("@")]) <= 5


def test_the_program_runs_without_an_account_anywhere(browser: Browser, tmp_path: Path) -> None:
    begun = browser.get(browser.get("/").location)
    assert browser.get(logged_in_at(begun.location, "bob", "builder")).location == "/"
    assert "Hello Bob Example" in browser.get("/").text
    page = browser.get("/auth/logout").text
    token = re.search(r'name="csrf_token" value="(\w+)"', page)
    assert token
    done = browser.post("/auth/logout", {"csrf_token": token[1]})
    there = urlsplit(done.location)
    leaving = HeadlessBrowser(lambda request: sent(request, (there.hostname or "", there.port or 0), None, 60.0), bool)
    assert (leaving.log_out(done.location).redirect or "").startswith(f"{LOCAL}/")
    assert browser.get("/").status == 303
    assert not [*tmp_path.iterdir()], "the sessions are in memory"


@pytest.fixture
def from_environment(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ISSUER": provider.issuer, "CLIENT_ID": "web-app", "CLIENT_SECRET": "its-secret"}.items():
        monkeypatch.setenv(f"DOORKEY_{name}", value)


@pytest.mark.usefixtures("from_environment")
class TestFromTheEnvironment:
    def test_the_environment_alone_switches_the_program_to_a_provider(
        self, browser: Browser, provider: Provider, tmp_path: Path
    ) -> None:
        begun = browser.get(browser.get("/").location)
        assert begun.location.startswith(provider.authorization_endpoint)
        assert browser.get(provider.log_in(begun.location, "alice")).location == "/"
        assert "Hello Alice Example" in browser.get("/").text
        (store,) = tmp_path.glob("*.sqlite3")
        assert store.name == "doorkey-sessions.sqlite3"
        assert store.stat().st_mode & 0o077 == 0


def test_the_page_names_every_code_of_an_error() -> None:
    for module in ("web", "django"):
        import_module(f"doorkey.login.{module}.errors")
    codes = {kind.code for kind in LoginError.__subclasses__() if kind.__module__.startswith("doorkey.login.")}
    assert len(codes) >= 13
    assert {code for code in codes if f"`{code}`" not in PAGE_OF_LOGINS} == set()
