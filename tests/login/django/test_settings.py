"""The settings of the login in a Django project: what they may contain, and what `manage.py check` says about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.login import Login
from doorkey.login.web.providers import LoginProvider
from tests.support.django_login_project import MIDDLEWARE, site

Configure = Callable[..., None]
OWN = "doorkey.login.django.LoginMiddleware"
BACKEND = "doorkey.login.django.LoginBackend"
ONE = {"issuer": "https://issuer.example", "client_id": "my-app"}


@pytest.fixture
def configure(database_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Configure]:
    """Return what configures the project; by default, with everything that it needs."""
    for name in ("ISSUER", "PRESET", "PROVIDERS", "CLIENT_ID", "BASE_URL", "SESSIONS", "SECRET"):
        monkeypatch.delenv(f"DOORKEY_{name}", raising=False)
    with ExitStack() as stack:

        def configured(login: object = ONE, at: str = "auth/", **settings: Any) -> None:
            urls: Any = ModuleType("urls_of_the_settings")
            own = {
                "MIDDLEWARE": [*MIDDLEWARE, OWN],
                "AUTHENTICATION_BACKENDS": [BACKEND],
                "ROOT_URLCONF": urls,
                **({} if login is None else {"DOORKEY_LOGIN": login}),
            }
            stack.enter_context(site(database_path, **{**own, **settings}))
            from django.urls import include, path

            urls.urlpatterns = [path(at, include("doorkey.login.django.urls"))] if at else []

        yield configured


def login() -> Login:
    from doorkey.login.django.apps import project_login

    return project_login().login


def names() -> list[str]:
    return list(login().blocking.backend.providers)


def problems() -> list[str]:
    from doorkey.login.django.checks import check_settings

    return [str(found.id) for found in check_settings(None)]


def test_the_login_is_made_once_and_again_after_a_change_of_the_settings(configure: Configure) -> None:
    configure()
    first = login()
    assert login() is first
    from django.test import override_settings

    with override_settings(DOORKEY_LOGIN={**ONE, "name": "Another"}):
        assert login() is not first
        assert login().site.name == "Another"


def test_the_prefix_is_where_the_project_includes_the_routes(configure: Configure) -> None:
    configure(at="people/accounts/")
    assert login().site.prefix == "/people/accounts"


def test_the_paths_after_login_and_logout_are_those_of_djangos_settings(configure: Configure) -> None:
    configure(LOGIN_REDIRECT_URL="doorkey_login:me", LOGOUT_REDIRECT_URL="/bye")
    assert (login().site.after_login, login().site.after_logout) == ("/auth/me", "/bye")


def test_without_such_settings_the_user_goes_to_the_first_page(configure: Configure) -> None:
    configure()
    assert (login().site.after_login, login().site.after_logout) == ("/", "/")


def test_several_providers_are_named(configure: Configure) -> None:
    google = {"client_id": "g", "client_secret": "s", "preset": "google"}
    configure({"providers": {"google": google, "work": {**ONE, "label": "Our company"}}})
    assert names() == ["google", "work"]


def test_providers_may_be_values(configure: Configure) -> None:
    configure({"providers": [LoginProvider("google", "g", "s", preset="google")]})
    assert names() == ["google"]


def test_a_login_object_is_used_as_it_is(configure: Configure) -> None:
    own = Login(issuer="https://issuer.example", client_id="my-app", prefix="/auth", sessions="memory:")
    configure(own)
    assert login() is own


def test_the_environment_describes_the_login_where_the_settings_do_not(
    configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure({"name": "Shop"})
    monkeypatch.setenv("DOORKEY_PRESET", "google")
    monkeypatch.setenv("DOORKEY_CLIENT_ID", "my-app")
    monkeypatch.setenv("DOORKEY_BASE_URL", "https://app.example")
    assert login().site.name == "Shop"
    assert login().site.base_url == "https://app.example"
    assert names() == ["login"]
    assert repr(login()._sessions).startswith("<doorkey.login.django.store.DjangoStore")


def test_the_environment_may_name_another_store(configure: Configure, monkeypatch: pytest.MonkeyPatch) -> None:
    configure(None)
    for name, value in {"PRESET": "google", "CLIENT_ID": "my-app", "SESSIONS": "memory:"}.items():
        monkeypatch.setenv(f"DOORKEY_{name}", value)
    assert login()._sessions == "memory:"


def test_in_production_a_login_without_a_provider_is_an_error_that_names_the_variable(configure: Configure) -> None:
    configure(None)
    with pytest.raises(UsageError) as caught:
        login()
    assert "DOORKEY_ISSUER" in str(caught.value)
    assert problems() == ["doorkey_login.E004"]


def test_with_debug_the_embedded_provider_is_used(configure: Configure) -> None:
    configure(None, DEBUG=True)
    assert "embedded" in repr(login())
    assert problems() == []


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("google", "DOORKEY_LOGIN"),
        ({**ONE, "groups": ["a"]}, "groups"),
        ({**ONE, "groups": {"a": 1}}, "group"),
        ({**ONE, "create_users": "no"}, "create_users"),
        ({"providers": {"google": "g"}}, "the provider google"),
        ({"providers": ["google"]}, "LoginProvider"),
    ],
)
def test_a_wrong_setting_is_explained(configure: Configure, setting: object, told: str) -> None:
    configure(setting)
    with pytest.raises(UsageError) as caught:
        login()
    assert told in str(caught.value)


@pytest.mark.parametrize("of_provider", [ONE, {"providers": {"work": ONE}}, {}], ids=["one", "several", "embedded"])
def test_an_option_that_does_not_exist_is_found_by_the_check(configure: Configure, of_provider: dict[str, Any]) -> None:
    configure({**of_provider, "groop": 1}, DEBUG=True)
    from doorkey.login.django.checks import check_settings

    [found] = check_settings(None)
    assert found.id == "doorkey_login.E004"
    assert "groop" in str(found.msg)


def test_an_option_of_one_of_several_providers_that_does_not_exist_is_found_by_the_check(configure: Configure) -> None:
    configure({"providers": {"work": {**ONE, "skope": "openid"}}})
    assert problems() == ["doorkey_login.E004"]


def test_the_check_does_not_start_the_embedded_provider(configure: Configure) -> None:
    configure({"lifetime": 60}, DEBUG=True)
    assert problems() == []
    assert "embedded" in repr(login())


def test_a_short_secret_key_is_refused(configure: Configure) -> None:
    configure(SECRET_KEY="short")
    with pytest.raises(UsageError) as caught:
        login()
    assert "SECRET_KEY" in str(caught.value)


def test_a_project_without_the_routes_is_told_to_include_them(configure: Configure) -> None:
    configure(at="")
    with pytest.raises(UsageError) as caught:
        login()
    assert 'include("doorkey.login.django.urls")' in str(caught.value)


def test_a_complete_project_passes_the_checks(configure: Configure) -> None:
    configure()
    assert problems() == []
    from django.core.management import call_command

    call_command("check", "--tag", "doorkey")


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({"MIDDLEWARE": list(MIDDLEWARE)}, "doorkey_login.E001"),
        ({"MIDDLEWARE": [OWN, *MIDDLEWARE]}, "doorkey_login.E002"),
        ({"AUTHENTICATION_BACKENDS": ["django.contrib.auth.backends.ModelBackend"]}, "doorkey_login.E003"),
    ],
)
def test_a_part_that_is_missing_is_named(configure: Configure, settings: dict[str, Any], found: str) -> None:
    configure(**settings)
    assert problems() == [found]


def test_records_in_the_transaction_of_a_request_cause_a_warning(configure: Configure) -> None:
    from django.db import connections

    configure()
    connections.databases["default"]["ATOMIC_REQUESTS"] = True
    assert problems() == ["doorkey_login.W001"]
    configure({**ONE, "sessions": "memory:"})
    connections.databases["default"]["ATOMIC_REQUESTS"] = True
    assert problems() == []


def test_the_middleware_refuses_a_wrong_order(configure: Configure) -> None:
    from django.core.exceptions import ImproperlyConfigured
    from django.test import Client

    configure(MIDDLEWARE=[OWN, *MIDDLEWARE])
    with pytest.raises(ImproperlyConfigured):
        Client().get("/auth/me")
