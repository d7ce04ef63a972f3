"""Arguments of every kind for the login shortcut: they raise an `OAuthError` or nothing."""

from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Any

import flask
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from doorkey.errors import OAuthError, UsageError
from doorkey.login import Login, LoginProvider
from tests.support.wrong_values import failures, parameters_of, refused

GOOD: dict[str, Any] = {"issuer": "https://op.example", "client_id": "app", "client_secret": "s", "sessions": "memory:"}
PROVIDER: dict[str, Any] = {"name": "login", "client_id": "app", "issuer": "https://op.example"}


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the file of the sessions is made."""
    tmp_path.chmod(0o700)
    monkeypatch.chdir(tmp_path)


def _used(**given: Any) -> object:
    login = Login(**given)
    try:
        return repr(login), login.blocking
    finally:
        login.close()


def test_the_construction_and_first_use_of_a_login() -> None:
    names = [name for name in parameters_of(Login) if name != "options"]
    refused(failures(_used, GOOD, [*names, "issuer", "client_id", "client_secret", "scope", "no_such"]))
    wrong: list[Any] = [None, 5, "google", [], object()]
    for provider in wrong:
        with pytest.raises(UsageError):
            Login(provider)


def test_a_provider() -> None:
    def used(**given: Any) -> object:
        return Login(LoginProvider(**given), sessions="memory:").blocking

    refused(failures(used, PROVIDER, ["name", "client_id", "client_secret", "preset", "label", "issuer", "scope"]))


def test_the_environment() -> None:
    refused(failures(Login.from_env, {}, ["environment"]), failures(Login.dev, {}, ["environment"]))
    named = {"DOORKEY_ISSUER": "https://op.example", "DOORKEY_CLIENT_ID": "app", "DOORKEY_SESSIONS": "memory:"}

    def used(name: str, value: str) -> object:
        return Login.from_env({**named, f"DOORKEY_{name}": value}).blocking

    names = ["ISSUER", "PRESET", "CLIENT_ID", "SCOPE", "BASE_URL", "SECRET", "SESSIONS", "PROVIDERS"]
    for name, value in product(names, ("\ud800", "a\x00b", "//", "a b", "x" * 5000)):
        with suppress(OAuthError):
            used(name, value)


def test_the_applications() -> None:
    login = Login(**GOOD)
    refused(failures(login.mount, {}, ["app"]), failures(login.init_app, {}, ["app"]))


def test_a_login_is_added_once_and_in_time() -> None:
    app, late = flask.Flask(__name__), Starlette()
    Login(**GOOD).init_app(app)
    with pytest.raises(UsageError, match="add the login once"):
        Login(**GOOD).init_app(app)
    with TestClient(late) as client:
        client.get("/")
    with pytest.raises(UsageError, match="before the application has started"):
        Login(**GOOD).mount(late)
