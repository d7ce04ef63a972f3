"""A login and a logout of the provider at the same time, and a store that fails in the middle."""

from collections.abc import Callable
from typing import Any

import pytest

from doorkey.errors import StoreError
from doorkey.login import Login, LoginProvider
from doorkey.login.presets import Preset
from doorkey.stores import MemoryStore
from doorkey.testing import Provider
from tests.support.login_application import login_at
from tests.support.login_browser import Browser
from tests.support.login_sites import flask_site
from tests.support.web_browser import JSON


class Watched(MemoryStore):
    """A store that calls `before` with the key of each commit."""

    def __init__(self) -> None:
        super().__init__()
        self.before: Callable[[str, bytes | None], None] = lambda key, data: None

    def commit(self, key: str, data: bytes | None, *, expected: int) -> int:
        self.before(key, data)
        return super().commit(key, data, expected=expected)


def test_a_logout_of_the_provider_during_a_login_ends_the_login(provider: Provider) -> None:
    store = Watched()
    with flask_site(login_at(provider, sessions=store), provider.userinfo_endpoint) as site:
        browser, op = Browser(site), Browser(site)
        url = provider.log_in(browser.get("/auth/login").location, "alice")
        token = provider.logout_token("alice", client_id="web-app")

        def before(key: str, data: bytes | None) -> None:
            if key.startswith("login/session/") and data is not None:
                store.before = lambda key, data: None
                assert op.post("/auth/backchannel-logout", {"logout_token": token}, JSON).status == 200

        store.before = before
        told = browser.get(url, JSON)
        assert (told.status, told.json["code"]) == (400, "session_ended")
        assert browser.cookies_of() == {}
        assert not [key for key in store._entries if key.split("/")[1] in ("session", "token", "user", "sid")]


def test_a_logout_token_may_come_again_after_the_store_has_failed(provider: Provider) -> None:
    store = Watched()
    with flask_site(login_at(provider, sessions=store), provider.userinfo_endpoint) as site:
        browser, op = Browser(site), Browser(site)
        browser.log_in(provider)
        token = provider.logout_token("alice", client_id="web-app")

        def before(key: str, data: bytes | None) -> None:
            if key.startswith("login/session/"):
                store.before = lambda key, data: None
                raise StoreError("the database is down", retryable=True)

        store.before = before
        failed = op.post("/auth/backchannel-logout", {"logout_token": token}, JSON)
        assert (failed.status, failed.body) == (503, b"")
        assert browser.get("/auth/me", JSON).status == 200
        assert op.post("/auth/backchannel-logout", {"logout_token": token}, JSON).status == 200
        assert browser.get("/auth/me", JSON).status == 401


@pytest.mark.parametrize("place", ["login/session/", "login/user/", "login/sid/", "login/token/"])
def test_a_logout_that_failed_anywhere_can_be_repeated(provider: Provider, place: str) -> None:
    store = Watched()
    with flask_site(login_at(provider, sessions=store), provider.userinfo_endpoint) as site:
        browser, op = Browser(site), Browser(site)
        browser.log_in(provider)

        def before(key: str, data: bytes | None) -> None:
            if key.startswith(place):
                store.before = lambda key, data: None
                raise StoreError("the database is down", retryable=True)

        store.before = before
        token = provider.logout_token("alice", client_id="web-app")
        replies = [op.post("/auth/backchannel-logout", {"logout_token": token}, JSON).status for _ in range(2)]
        assert replies == [503, 200]
        assert browser.get("/auth/me", JSON).status == 401
        assert not [key for key in store._entries if key.split("/")[1] in ("session", "user")]


def test_a_store_of_the_programs_own_that_breaks_is_503(provider: Provider) -> None:
    store = Watched()
    with flask_site(login_at(provider, sessions=store), provider.userinfo_endpoint) as site:
        browser = Browser(site)
        url = provider.log_in(browser.get("/auth/login").location, "alice")

        def before(key: str, data: bytes | None) -> None:
            raise KeyError(key)

        store.before = before
        assert browser.get(url, JSON).json["code"] == "store_error"


@pytest.mark.parametrize("known", [True, False])
def test_claims_of_the_callback_fill_in_what_the_provider_does_not_say(provider: Provider, known: bool) -> None:
    """As Apple does: the name of a user is in the posted form only."""
    name = "name" if known else "nickname"
    like_apple = Preset(
        name="like-apple",
        label="Like Apple",
        source="https://op.example",
        scope="openid profile email",
        identity_issuer=provider.issuer,
        issuer=provider.issuer,
        callback_claims=lambda parameters: {name: f"told with {parameters['state'][:0]}the callback"},
    )
    login = Login(LoginProvider("login", "web-app", "its-secret", preset=like_apple), sessions="memory:")
    with flask_site(login, provider.userinfo_endpoint) as site:
        browser = Browser(site)
        browser.log_in(provider)
        claims: dict[str, Any] = browser.get("/auth/me", JSON).json["claims"]
        assert claims.get(name) == ("Alice Example" if known else "told with the callback")
