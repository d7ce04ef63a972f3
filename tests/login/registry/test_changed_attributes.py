"""Attributes of a client that a program changes after its registration, and methods that it replaces."""

from __future__ import annotations

from typing import Any

import pytest

from doorkey.integrations.httpx_client import on
from doorkey.integrations.requests_client import OAuth2Session
from tests.support.hostile_server import reply
from tests.support.openid_provider import SECRET, SUB
from tests.support.registries import CONFIGURATION, Steps, Visit, World
from tests.support.relying_party import parameters


def secret_of(world: World) -> str:
    """Return the client secret of the last token request."""
    import base64
    from urllib.parse import unquote_plus

    header = world.provider.server.token_requests[-1].header("authorization") or ""
    return unquote_plus(base64.b64decode(header.removeprefix("Basic ")).decode()).partition(":")[2]


def test_a_changed_secret_is_that_of_the_next_login_and_not_of_one_in_progress(world: World) -> None:
    browser = world.browser()
    before = world.begin(browser)
    world.client.client_secret = "another-secret-of-at-least-32-bytes"
    after = world.begin(browser)
    world.finish(browser, world.answer(before))
    assert secret_of(world) == SECRET
    world.finish(browser, world.answer(after))
    assert secret_of(world) == "another-secret-of-at-least-32-bytes"


def test_changed_client_kwargs_are_those_of_the_next_login(world: World) -> None:
    browser = world.browser()
    before = parameters(world.begin(browser))
    world.client.client_kwargs.update(scope="openid email", prompt="login")
    after = parameters(world.begin(browser))
    assert (before["scope"], before.get("prompt")) == ("openid profile", None)
    assert (after["scope"], after["prompt"]) == ("openid email", "login")


def test_a_changed_endpoint_is_that_of_the_next_login(world: World) -> None:
    server, browser = world.provider.server, world.browser()
    before = world.begin(browser)
    server.also_on("/token2", "/token")
    world.client.access_token_url = server.url("/token2")
    after = world.begin(browser)
    world.finish(browser, world.answer(before))
    assert (world.provider.request_count("/token"), world.provider.request_count("/token2")) == (1, 0)
    world.finish(browser, world.answer(after))
    assert (world.provider.request_count("/token"), world.provider.request_count("/token2")) == (1, 1)


def test_client_kwargs_that_are_changed_deep_inside_are_used(world: World) -> None:
    world.register(client_kwargs={"scope": "openid", "headers": {"X-A": "1"}})
    world.log_in()
    world.client.client_kwargs["headers"]["X-A"] = "2"
    world.provider.server.on("/api", reply(json={}))
    world.call("get", world.provider.server.url("/api"), token={"access_token": "at"})
    assert world.provider.server.to("/api")[-1].header("x-a") == "2"


def test_parameters_of_the_token_request_are_those_of_the_beginning(world: World) -> None:
    world.register(access_token_params={"audience": "before"})
    browser = world.browser()
    url = world.begin(browser)
    world.client.access_token_params = {"audience": "after"}
    world.finish(browser, world.answer(url))
    world.log_in(browser)
    forms = [request.form["audience"] for request in world.provider.server.token_requests]
    assert forms == ["before", "after"]


def test_mappings_that_a_program_removes_are_empty(world: World) -> None:
    client = world.client
    client.authorize_params = client.access_token_params = client.refresh_token_params = client.client_kwargs = None
    assert world.log_in()["access_token"]


def test_changed_metadata_are_used(world: World) -> None:
    world.log_in()
    world.provider.server.also_on("/me", "/userinfo")
    world.register(overwrite=True, server_metadata_url=None, **world.provider.metadata)
    world.client.server_metadata["userinfo_endpoint"] = world.provider.server.url("/me")
    assert world.call("userinfo", token=world.log_in())["sub"] == SUB
    assert world.provider.request_count("/me") == 1


def test_metadata_that_are_changed_after_the_discovery_stay_changed(world: World) -> None:
    token = world.log_in()
    world.provider.server.also_on("/me", "/userinfo")
    world.client.server_metadata["userinfo_endpoint"] = world.provider.server.url("/me")
    assert world.call("userinfo", token=token)["sub"] == SUB
    world.log_in()
    assert world.call("load_server_metadata")["userinfo_endpoint"] == world.provider.server.url("/me")
    assert (world.provider.request_count("/me"), world.provider.request_count(CONFIGURATION)) == (1, 1)


def test_many_changes_keep_a_bounded_number_of_sets(world: World) -> None:
    for number in range(10):
        world.client.client_kwargs["prompt"] = f"p{number}"
        world.begin(world.browser())
    assert len(world.client._sets._sets) == 8
    assert world.provider.request_count(CONFIGURATION) == 1


def test_changes_open_no_further_connections(world: World) -> None:
    families = on("httpx2"), on("httpx")
    kinds = [one.AsyncOAuth2Client if world.awaits else one.OAuth2Client for one in families]
    server, token = world.provider.server, {"access_token": "at"}
    server.on("/api", reply(json={}))
    for kind in kinds if world.awaits else [OAuth2Session, *kinds]:
        world.register(overwrite=True)
        world.client.client_cls = kind
        world.call("get", server.url("/api"), token=token)
        before = server.accepted
        for number in range(12):
            world.client.client_secret = f"another-secret-of-at-least-32-bytes-{number}"
            world.call("get", server.url("/api"), token=token)
        assert server.accepted == before
        world.client.client_kwargs["headers"] = {"X-A": "1"}
        world.call("get", server.url("/api"), token=token)
        assert server.to("/api")[-1].header("x-a") == "1"
        world.close()


@pytest.mark.parametrize("name", ["authorize_access_token", "get", "userinfo"])
def test_methods_are_looked_up_on_the_class_at_each_call(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    client = world.client
    calls: list[tuple[Any, ...]] = []

    def replaced(*args: Any, **kwargs: Any) -> str:
        calls.append(args)
        return "replaced"

    monkeypatch.setattr(world.app_cls, name, world.callback(replaced))

    def view(visit: Visit) -> Steps:
        return (yield getattr(visit.client, name)("argument"))

    assert world.ask(view) == "replaced"
    assert calls == [(client, "argument")]


def test_replaced_metadata_are_those_of_a_login(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.register(server_metadata_url="https://as.example/.well-known/openid-configuration")
    metadata = world.provider.metadata

    def load(_: Any) -> dict[str, Any]:
        return metadata

    monkeypatch.setattr(world.app_cls, "load_server_metadata", world.callback(load))
    assert world.log_in()["userinfo"]["sub"] == SUB


def test_a_replaced_get_serves_userinfo_with_options_of_the_http_library(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = world.log_in()
    before = world.app_cls.get
    urls: list[str] = []

    def get(self: Any, url: str, **options: Any) -> Any:
        urls.append(url)
        return before(self, url, **options)

    monkeypatch.setattr(world.app_cls, "get", get)
    world.call("userinfo", token=token, headers={"Accept-Language": "en"})
    assert urls == [world.provider.server.url("/userinfo")]
