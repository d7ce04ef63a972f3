"""`doorkey.integrations.django_client`: what only Django has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal

from doorkey.errors import UsageError, VerificationError
from doorkey.integrations import django_client
from doorkey.integrations.django_client import DjangoIntegration, DjangoOAuth2App, OAuth, apps, token_update
from tests.support.openid_provider import SUB, OpenIDProvider
from tests.support.registries import HOME, NAME, Steps, Visit, World, django_settings
from tests.support.relying_party import parameters


@pytest.fixture
def world(provider: OpenIDProvider, portal: BlockingPortal) -> Iterator[World]:
    with django_settings():
        world = World("django", provider, portal)
        yield world
        world.close()


@pytest.fixture
def signals() -> Iterator[list[dict[str, Any]]]:
    """The signals that were sent."""
    sent: list[dict[str, Any]] = []

    def receive(sender: Any, **values: Any) -> None:
        sent.append({"sender": sender, **values})

    token_update.connect(receive)
    yield sent
    token_update.disconnect(receive)


def test_the_names_of_the_package() -> None:
    assert apps.DjangoOAuth2App is DjangoOAuth2App is OAuth.oauth2_client_cls
    assert OAuth.framework_integration_cls is DjangoIntegration
    assert django_client.__all__ == ["DjangoIntegration", "DjangoOAuth2App", "OAuth", "OAuthError", "token_update"]


@pytest.mark.parametrize("setting", ["DOORKEY_OAUTH_CLIENTS", "AUTHLIB_OAUTH_CLIENTS"])
def test_the_settings_of_the_project_are_options(world: World, setting: str) -> None:
    from django.test import override_settings

    kwargs = {"scope": "openid"}
    own = {
        "client_id": "of-the-settings",
        "client_kwargs": kwargs,
        "request_token_url": None,
        "issuer": "https://a.example",
    }
    with override_settings(**{setting: {NAME: own}}):
        client = OAuth().register(NAME, client_secret="s")
    assert (client.client_id, client.client_secret, client.client_kwargs) == ("of-the-settings", "s", kwargs)
    assert client.server_metadata == {"issuer": "https://a.example"}


def test_the_redirect_uri_may_be_lazy(world: World) -> None:
    from django.utils.functional import lazystr

    world.client  # noqa: B018  # it is registered here
    browser = world.browser()
    url = world.begin(browser, lazystr(HOME))
    assert parameters(url)["redirect_uri"] == HOME
    assert world.finish(browser, world.answer(url))["userinfo"]["sub"] == SUB


def test_a_renewed_token_is_signaled(world: World, signals: list[dict[str, Any]]) -> None:
    old = {"access_token": "old", "refresh_token": "rt-1", "expires_at": 1}
    world.call("get", world.provider.server.url("/userinfo"), token=old)
    (signal,) = signals
    assert (signal["sender"], signal["name"], signal["refresh_token"]) == (DjangoIntegration, NAME, "rt-1")
    assert signal["token"]["access_token"] != "old"
    assert signal["access_token"] is None


def test_a_cache_of_django_holds_the_login(world: World) -> None:
    from django.core.cache.backends.locmem import LocMemCache

    cache = LocMemCache("registries", {})
    cache.clear()
    world.registry(cache=cache)
    world.register()
    browser = world.browser()
    url = world.begin(browser)
    key = f"_state_{NAME}_{parameters(url)['state']}"
    assert list(world.state_of(browser)[key]) == ["exp"]
    assert world.finish(browser, world.answer(url))["userinfo"]["sub"] == SUB
    assert "code_verifier" not in cache.get(key)


def test_a_request_without_a_session_says_which_middleware_to_add(world: World) -> None:
    from django.test import RequestFactory

    with pytest.raises(UsageError, match="SessionMiddleware' to the setting MIDDLEWARE"):
        world.client.authorize_redirect(RequestFactory().get("/login"), HOME)


@pytest.mark.parametrize(
    ("setting", "form"),
    [("DATA_UPLOAD_MAX_MEMORY_SIZE", "code=" + "c" * 99), ("DATA_UPLOAD_MAX_NUMBER_FIELDS", "a=1&b=2")],
)
def test_a_form_that_django_does_not_read_is_an_oauth_error(world: World, setting: str, form: str) -> None:
    from django.test import RequestFactory, override_settings

    request = RequestFactory().post("/callback", form, content_type="application/x-www-form-urlencoded")
    session: Any = {}
    request.session = session
    with override_settings(**{setting: 1}), pytest.raises(VerificationError, match="a form that Django cannot read"):
        world.client.authorize_access_token(request)


def test_the_state_of_a_login_is_in_the_session_of_django(world: World) -> None:
    browser = world.browser()
    state = parameters(world.begin(browser))["state"]

    def view(visit: Visit) -> Steps:
        yield None
        return visit.session[f"_state_{NAME}_{state}"]["data"]["redirect_uri"]

    assert world.ask(view, browser) == HOME


def test_a_login_renews_the_session_id_and_keeps_the_session(world: World) -> None:
    from django.test import override_settings

    def put(visit: Visit) -> Steps:
        yield None
        visit.session["cart"] = 7

    def read(visit: Visit) -> Steps:
        yield None
        return visit.session.get("cart")

    caches = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "renewed"}}
    with override_settings(SESSION_ENGINE="django.contrib.sessions.backends.cache", CACHES=caches):
        browser = world.browser()
        world.visit(put, browser)
        other_tab = world.answer(world.begin(browser))
        (before,) = browser.jar["rp.example"].items()
        assert world.log_in(browser)["userinfo"]["sub"] == SUB
        (after,) = browser.jar["rp.example"].items()
        assert before[1].value != after[1].value
        assert world.ask(read, browser) == 7
        assert world.finish(browser, other_tab)["userinfo"]["sub"] == SUB
        browser.jar = {"rp.example": dict([before])}
        assert world.ask(read, browser) is None
