"""A Django project with the login, served by ASGI: its whole life in one browser, and two users in turns."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from doorkey.testing import Provider, user
from tests.support.django_login_project import forget_connections
from tests.support.django_login_site import django_site
from tests.support.login_application import login_at, registered
from tests.support.login_browser import Browser
from tests.support.web_browser import JSON
from tests.support.web_sites import OnASGI, Site


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider(clients=[registered()], users=[user("bob", "builder")]) as running:
        yield running


@pytest.fixture
def run() -> Iterator[BlockingPortal]:
    with start_blocking_portal() as portal:
        yield portal


@pytest.fixture
def site(provider: Provider, run: BlockingPortal) -> Iterator[Site]:
    from asgiref.sync import sync_to_async
    from django.core.handlers.asgi import ASGIHandler

    with django_site(login_at(provider), provider.userinfo_endpoint):
        run.call(sync_to_async(forget_connections))  # of the thread in which asynchronous projects block
        yield OnASGI(ASGIHandler(), run.call)
        run.call(sync_to_async(forget_connections))


def test_a_login_a_page_an_api_call_and_a_logout(site: Site, provider: Provider) -> None:
    browser = Browser(site)
    assert browser.get("/orders").location.startswith("/auth/login?next=")
    assert browser.get("/auth/me", JSON).status == 401
    assert browser.log_in(provider, path="/auth/login?next=/orders").location == "/orders"
    sub = browser.get("/orders", JSON).json["sub"]
    assert browser.get("/", JSON).json["sub"] == browser.get("/api", JSON).json["sub"] == sub
    token = browser.get("/auth/me", JSON).json["csrf_token"]
    assert browser.post("/auth/logout", {"csrf_token": "x"}).status == 403
    assert browser.get("/orders", JSON).status == 200
    assert provider.issuer in browser.post("/auth/logout", {"csrf_token": token}).location
    assert browser.get("/orders", JSON).status == 401


def test_a_logout_token_ends_the_session(site: Site, provider: Provider) -> None:
    browser = Browser(site)
    browser.log_in(provider)
    logout = {"logout_token": provider.logout_token("alice", client_id="web-app")}
    assert [Browser(site).post("/auth/backchannel-logout", logout, JSON).status for _ in range(2)] == [200, 400]
    assert browser.get("/orders", JSON).status == 401


def test_a_callback_in_another_browser_and_a_replay_are_rejected(site: Site, provider: Provider) -> None:
    browser = Browser(site)
    callback = provider.log_in(browser.get("/auth/login").location, "alice")
    assert Browser(site).get(callback, JSON).json["code"] == "no_pending_login"
    assert browser.get(callback).status == 303
    assert browser.get(callback, JSON).json["code"] == "login_replayed"


def test_two_users_in_turns_never_see_each_other(site: Site, provider: Provider) -> None:
    browsers = {name: Browser(site) for name in ("alice", "bob")}
    subs = {}
    for name, browser in browsers.items():
        browser.log_in(provider, name)
        subs[name] = browser.get("/orders", JSON).json["sub"]
    assert subs["alice"] != subs["bob"]
    for _ in range(20):
        for name, browser in browsers.items():
            assert browser.get("/api", JSON).json["sub"] == subs[name]
            assert browser.get("/orders", JSON).json["sub"] == subs[name]
