"""The settings of a login: its arguments, the environment, and the store of the sessions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.login import Login, LoginProvider
from doorkey.login.web.cookies import CookieRules
from doorkey.login.web.keys import sealer_of, secrets_of
from doorkey.login.web.messages import WebRequest
from doorkey.login.web.session_stores import store_at
from doorkey.login.web.site import Site
from doorkey.stores import AsyncMemoryStore, AsyncSQLiteStore, MemoryStore, SQLiteStore
from doorkey.testing import Provider
from tests.support.login_application import SECRET, login_at

GIVEN: dict[str, Any] = {"issuer": "https://op.example", "client_id": "app"}
ENVIRONMENT = {"DOORKEY_ISSUER": "https://op.example", "DOORKEY_CLIENT_ID": "app", "DOORKEY_CLIENT_SECRET": "s"}


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"base_url": "app.example"}, "absolute http or https URL"),
        ({"base_url": "http://app.example"}, "must be https, .* reverse proxy terminates TLS"),
        ({"base_url": "https://app.example/?a=1"}, "must not have a query"),
        ({"prefix": "auth"}, "prefix"),
        ({"prefix": "/auth/"}, "without a slash at the end"),
        ({"prefix": "//evil"}, "prefix"),
        ({"after_login": "https://evil.example"}, "after_login"),
        ({"after_logout": "//evil.example"}, "after_logout"),
        ({"cookie": "a b"}, "cookie"),
        ({"lifetime": 0}, "lifetime"),
        ({"lifetime": float("inf")}, "lifetime"),
        ({"secret": "short"}, "secret"),
        ({"clock": 7}, "clock"),
        ({"preset": "gogle"}, "google"),
        ({"issuer": "http://op.example"}, "https"),
    ],
)
def test_a_wrong_argument_is_named(options: dict[str, Any], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        Login(**(GIVEN | options))


def test_providers_have_different_names() -> None:
    one = LoginProvider("one", "app", issuer="https://op.example")
    with pytest.raises(UsageError, match="same name"):
        Login(one, one)
    with pytest.raises(UsageError, match="made of letters"):
        LoginProvider("a/b", "app", issuer="https://op.example")
    with pytest.raises(UsageError, match="pass the options of each provider to its LoginProvider"):
        Login(one, client_id="app")
    with pytest.raises(UsageError, match="LoginProvider"):
        Login("google")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_login_without_a_provider_or_a_client_id_is_refused() -> None:
    with pytest.raises(UsageError, match="provider is missing"):
        Login()
    with pytest.raises(UsageError, match="client_id= is missing"):
        Login(issuer="https://op.example")


@pytest.mark.parametrize("scope", ["profile", ["profile", "email"]])
def test_a_scope_without_openid_is_refused_at_an_openid_provider(scope: Any) -> None:
    with pytest.raises(UsageError, match="scope needs openid"):
        Login(**GIVEN, scope=scope)
    Login(**GIVEN, scope=scope, userinfo_endpoint="https://op.example/me")
    with pytest.raises(UsageError, match="scope needs openid"):
        Login.from_env({**ENVIRONMENT, "DOORKEY_SCOPE": "profile"})


def test_a_provider_in_a_network_of_containers_is_named_in_the_environment() -> None:
    inside = {**ENVIRONMENT, "DOORKEY_ISSUER": "http://keycloak:8080/realms/one"}
    for hosts in ({}, {"DOORKEY_HTTP_HOSTS": "other"}):
        with pytest.raises(UsageError, match="name it in DOORKEY_HTTP_HOSTS"):
            Login.from_env({**inside, **hosts})
    Login.from_env({**inside, "DOORKEY_HTTP_HOSTS": "db keycloak"})


@pytest.mark.parametrize(
    ("variables", "match"),
    [
        ({"CLIENT_ID": "app", "CLIENT_SECRET": "s", "BASE_URL": "https://app.example"}, "set DOORKEY_ISSUER"),
        ({"SCOPE": "openid"}, "set DOORKEY_ISSUER"),
        ({"ISSUERS": "https://op.example"}, "did you mean DOORKEY_ISSUER[?]"),
        ({"PROVIDER": "google"}, "did you mean DOORKEY_PROVIDERS[?]"),
        ({"ISSUER": "https://op.example"}, "set DOORKEY_CLIENT_ID"),
        ({"ISSUER": "https://op.example", "PRESET": "google", "CLIENT_ID": "a"}, "DOORKEY_ISSUER and DOORKEY_PRESET"),
        ({"PROVIDERS": "google", "GOOGLE_CLIENT_ID": "g", "CLIENT_ID": "a"}, "DOORKEY_PROVIDERS and DOORKEY_CLIENT_ID"),
    ],
)
def test_a_login_for_development_refuses_variables_that_are_incomplete(variables: dict[str, str], match: str) -> None:
    with pytest.raises(UsageError, match=match):
        Login.dev({f"DOORKEY_{name}": value for name, value in variables.items()})


def test_a_login_for_development_has_the_settings_of_the_site_and_ignores_other_variables() -> None:
    login = Login.dev({"DOORKEY_BASE_URL": "https://app.example", "DOORKEY_SERVER": "x", "DOORKEY_": "", "HOME": "/"})
    assert login.site.base_url == "https://app.example"
    assert repr(login) == "<Login at the embedded provider>"


def test_the_environment_describes_a_login() -> None:
    more = {"DOORKEY_BASE_URL": "https://app.example/shop/", "DOORKEY_SECRET": f"{SECRET.replace(' ', '-')} {'o' * 32}"}
    login = Login.from_env({**ENVIRONMENT, **more, "DOORKEY_SESSIONS": "memory:"})
    assert login.site.base_url == "https://app.example/shop"
    request = WebRequest("GET", "https", "app.example", "/shop/", root="/shop")
    assert login.site.path(request, "login", next="/x") == "/shop/auth/login?next=%2Fx"
    assert "DOORKEY" not in repr(login)


@pytest.mark.parametrize("missing", ["DOORKEY_ISSUER", "DOORKEY_CLIENT_ID"])
def test_a_missing_variable_is_named(missing: str) -> None:
    with pytest.raises(UsageError, match=missing):
        Login.from_env({name: value for name, value in ENVIRONMENT.items() if name != missing})


def test_the_environment_describes_several_providers() -> None:
    login = Login.from_env(
        {
            "DOORKEY_PROVIDERS": "google my-own",
            "DOORKEY_GOOGLE_CLIENT_ID": "g",
            "DOORKEY_GOOGLE_CLIENT_SECRET": "s",
            "DOORKEY_MY_OWN_ISSUER": "https://op.example",
            "DOORKEY_MY_OWN_CLIENT_ID": "m",
        }
    )
    assert repr(login) == "<Login at google, my-own>"
    with pytest.raises(UsageError, match="DOORKEY_OTHER_ISSUER"):
        Login.from_env({"DOORKEY_PROVIDERS": "other"})
    with pytest.raises(UsageError, match="did you mean 'google'"):
        Login.from_env({"DOORKEY_PRESET": "gogle", "DOORKEY_CLIENT_ID": "g"})


def test_a_login_for_development_uses_the_environment_if_it_names_a_provider() -> None:
    assert repr(Login.dev(ENVIRONMENT)) == "<Login at login>"
    assert repr(Login.dev({})) == "<Login at the embedded provider>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder to which other users cannot write."""
    tmp_path.chmod(0o700)
    return tmp_path


@pytest.mark.parametrize(
    ("url", "awaited", "kind"),
    [
        ("memory:", False, MemoryStore),
        ("memory:", True, AsyncMemoryStore),
        ("sqlite:///s.sqlite3", False, SQLiteStore),
        ("sqlite:///s.sqlite3", True, AsyncSQLiteStore),
    ],
)
@pytest.mark.anyio
async def test_a_url_names_the_store(
    url: str, awaited: bool, kind: type, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    store: Any = store_at(url, awaited=awaited)
    closed = store.close()
    assert type(store) is kind
    if awaited:
        await closed


def test_the_table_of_a_database_is_created(provider: Provider, folder: Path) -> None:
    url = f"sqlite+pysqlite:///{folder}/sessions.sqlite3"
    for _ in range(2):
        login = login_at(provider, sessions=url)
        backend = login.blocking.backend
        assert backend.do(backend.cookie_sealer())
        assert backend.do(backend.sessions.load("A" * 43, 0.0)) is None
        login.close()


@pytest.mark.anyio
async def test_a_login_opens_again_what_close_has_closed(provider: Provider, folder: Path) -> None:
    login = login_at(provider, sessions=f"sqlite:///{folder}/sessions.sqlite3")
    closed = login.blocking.backend
    for _ in range(2):
        backend = login.blocking.backend
        assert backend.do(backend.sessions.load("A" * 43, 0.0)) is None
        login.close()
        awaiting = login.awaiting.backend
        assert await awaiting.do(awaiting.sessions.load("A" * 43, 0.0)) is None
        await login.aclose()
    assert login.blocking.backend is not closed
    login.close()
    login.close()


@pytest.mark.parametrize("url", ["", "sessions.sqlite3", "redis"])
def test_what_is_no_store_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="sessions= must be a store or its URL"):
        store_at(url, awaited=False)


def test_a_store_of_the_other_kind_is_refused(provider: Provider) -> None:
    with pytest.raises(UsageError, match="this vault is asynchronous"):
        _ = login_at(provider, sessions=MemoryStore()).awaiting


def test_importing_the_login_imports_no_framework_and_no_database() -> None:
    code = (
        "import sys; from doorkey.login import Login\n"
        "Login(issuer='https://op.example', client_id='app', sessions='memory:').blocking\n"
        "names = {'flask', 'django', 'starlette', 'fastapi', 'sqlite3', 'redis', 'sqlalchemy', 'uvicorn'}\n"
        "print(sorted(names & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.strip() == "[]"


def test_workers_share_the_secret_that_the_store_keeps(provider: Provider) -> None:
    store = MemoryStore()
    one, two = (login_at(provider, sessions=store).blocking.backend for _ in range(2))
    name = CookieRules("doorkey", secure=False).name("-login-x")
    sealed = one.do(one.cookie_sealer()).seal(name, b"pending")
    assert two.do(two.cookie_sealer()).open(name, sealed) == b"pending"
    kept = store.load("login/secret")
    assert kept is not None
    assert sealer_of(secrets_of(SECRET), "cookies").is_current(sealed) is False


def test_a_site_below_a_path_is_reached_there() -> None:
    request = WebRequest("GET", "http", "localhost:5000", "/app/orders", "a=1", root="/app")
    site = Site()
    assert site.base(request) == "http://localhost:5000/app"
    assert site.login_path(request) == "/app/auth/login?next=%2Fapp%2Forders%3Fa%3D1"
    assert site.url("https://app.example", "callback", "a b") == "https://app.example/auth/callback/a%20b"
