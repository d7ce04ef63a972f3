"""Redirect URIs that do not lead back to the login of the browser."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest

from doorkey.errors import OAuthError
from doorkey.login.errors import OtherHost
from doorkey.login.registry.redirect_uris import check_redirect_uri
from tests.support.registries import Steps, Visit, World


def headers(host: str, forwarded: str = "") -> Callable[[str], str]:
    return lambda name: {"host": host, "x-forwarded-proto": forwarded}[name]


@pytest.mark.parametrize(
    ("uri", "host"),
    [
        ("http://localhost:5000/cb", "127.0.0.1:5000"),
        ("http://127.0.0.1:5000/cb", "localhost:5000"),
        ("http://127.0.0.1/cb", "LOCALHOST"),
        ("http://[::1]:5000/cb", "127.0.0.1:5000"),
    ],
)
def test_another_name_of_this_machine_is_an_error_that_names_both(uri: str, host: str) -> None:
    with pytest.raises(OtherHost) as caught:
        check_redirect_uri(uri, headers(host), "a setting")
    assert caught.value.began_at == host.lower().partition(":")[0]
    assert caught.value.came_to in uri
    assert isinstance(caught.value, OAuthError)


@pytest.mark.parametrize(
    ("uri", "host", "forwarded"),
    [
        ("http://localhost:8000/cb", "localhost:5000", ""),
        ("http://localhost:8000/cb", "localhost:5000", "https"),
        ("http://[::1]:5000/cb", "[::1]", ""),
        ("http://localhost:3000/api/cb", "127.0.0.1:8000", ""),  # a development proxy that replaces the Host header
        ("http://localhost:3000/api/cb", "127.0.0.1", ""),
        ("http://localhost:99999/cb", "127.0.0.1:99999", ""),
        ("https://app.example/cb", "backend:8000", "https"),  # the proxy has another name for the application
        ("https://app.example/cb", "127.0.0.1:8000", "https"),
        ("http://app.example/cb", "app.example", "http"),
        ("http://app.example/cb", "app.example", ""),
        ("https://[/cb", "[", ""),
        (None, "app.example", "https"),
        ("com.example.app:/cb", "app.example", "https"),
    ],
)
def test_any_other_redirect_uri_is_the_decision_of_the_program(uri: str | None, host: str, forwarded: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_redirect_uri(uri, headers(host, forwarded), "a setting")


@pytest.mark.parametrize("forwarded", ["https", "HTTPS, http"])
def test_an_http_uri_behind_an_https_proxy_warns_of_the_setting(forwarded: str) -> None:
    with pytest.warns(RuntimeWarning, match="trust the proxy, by a setting"):
        check_redirect_uri("http://app.example/cb", headers("app.example", forwarded), "a setting")


def test_a_login_at_another_loopback_name_is_refused_before_it_begins(world: World) -> None:
    browser = world.browser()
    browser.origin = "https://127.0.0.1:5000"
    with pytest.raises(OtherHost, match=r"started at 127\.0\.0\.1, and ended at localhost"):
        world.begin(browser, "http://localhost:5000/callback")
    assert world.state_of(browser) == {}


SETTINGS = {"flask": "ProxyFix", "starlette": "--proxy-headers", "django": "SECURE_PROXY_SSL_HEADER"}


def test_the_warning_names_the_setting_of_the_framework(world: World) -> None:
    def begun() -> str:
        def view(visit: Visit) -> Steps:
            return (yield world.client.authorize_redirect(*visit.request, "http://rp.example/callback"))

        world.view = view
        return world.browser().get("/view", {"X-Forwarded-Proto": "https"}).location

    with pytest.warns(RuntimeWarning, match=SETTINGS[world.framework]):
        begun()
