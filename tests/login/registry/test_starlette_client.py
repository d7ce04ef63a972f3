"""`doorkey.integrations.starlette_client`: what only Starlette and FastAPI have."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal
from starlette.applications import Starlette
from starlette.config import Config
from starlette.datastructures import URL, Secret
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from doorkey.errors import UsageError
from doorkey.integrations import starlette_client
from doorkey.integrations.starlette_client import OAuth, StarletteIntegration, StarletteOAuth2App, apps
from tests.support.caches import AsyncCache
from tests.support.openid_provider import CLIENT, SUB, OpenIDProvider
from tests.support.registries import HOME, NAME, Steps, Visit, World
from tests.support.relying_party import parameters


@pytest.fixture
def world(provider: OpenIDProvider, portal: BlockingPortal) -> Iterator[World]:
    world = World("starlette", provider, portal)
    yield world
    world.close()


def test_the_names_of_the_package() -> None:
    assert apps.StarletteOAuth2App is StarletteOAuth2App is OAuth.oauth2_client_cls
    assert OAuth.framework_integration_cls is StarletteIntegration
    assert starlette_client.__all__ == ["OAuth", "OAuthError", "StarletteIntegration", "StarletteOAuth2App"]


@pytest.mark.parametrize("as_config", [True, False])
def test_the_settings_are_those_of_a_config_or_a_mapping(as_config: bool) -> None:
    settings = {"OP_CLIENT_ID": "of-the-settings", "OP_CLIENT_SECRET": "s", "OTHER_CLIENT_ID": "another"}
    client = OAuth(Config(environ=settings) if as_config else settings).register(NAME)
    assert (client.client_id, client.client_secret) == ("of-the-settings", "s")


def test_a_secret_of_starlette_is_revealed_to_the_provider_and_not_shown(world: World) -> None:
    client = world.register(client_secret=Secret(world.usual["client_secret"]))
    assert world.log_in()["userinfo"]["sub"] == SUB
    assert world.usual["client_secret"] not in repr(client)


def test_the_redirect_uri_is_a_url_of_the_request(world: World) -> None:
    def view(visit: Visit) -> Steps:
        url = visit.request[0].url.replace(path="/callback").include_query_params(next="/a b")
        assert isinstance(url, URL)
        return (yield visit.client.authorize_redirect(*visit.request, redirect_uri=url))

    world.client  # noqa: B018  # it is registered here
    browser = world.browser()
    url = world.visit(view, browser).location
    assert parameters(url)["redirect_uri"] == "https://rp.example/callback?next=%2Fa+b"
    assert world.finish(browser, world.answer(url))["userinfo"]["sub"] == SUB


def test_a_request_without_a_session_says_which_middleware_to_add(world: World) -> None:
    client = world.client

    async def begin() -> Any:
        return await client.authorize_redirect(Request({"type": "http", "method": "GET", "query_string": b""}), HOME)

    with pytest.raises(UsageError, match=r"add_middleware\(SessionMiddleware"):
        world.portal.call(begin)


def test_a_request_of_a_test_needs_no_method(world: World) -> None:
    session: dict[str, Any] = {}
    client = world.client

    async def log_in() -> Any:
        begun = await client.authorize_redirect(Request({"type": "http", "session": session}), HOME)
        query = world.provider.log_in(begun.headers["location"]).partition("?")[2]
        scope = {"type": "http", "session": session, "query_string": query.encode()}
        return await client.authorize_access_token(Request(scope))

    assert world.portal.call(log_in)["userinfo"]["sub"] == SUB


def test_an_awaited_cache_holds_the_login(world: World) -> None:
    cache = AsyncCache()
    world.registry(cache=cache)
    world.register()
    browser = world.browser()
    url = world.begin(browser)
    key = f"_state_{NAME}_{parameters(url)['state']}"
    assert list(cache.held) == [key]
    assert list(world.state_of(browser)[key]) == ["exp"]
    assert world.finish(browser, world.answer(url))["userinfo"]["sub"] == SUB
    assert "code_verifier" not in cache.held[key]


def test_plain_functions_are_called_too(world: World) -> None:
    saved: list[Any] = []

    def update_token(name: str, token: Any, refresh_token: str | None = None, access_token: str | None = None) -> None:
        saved.append((name, refresh_token))

    def fetch_token(name: str, request: Any) -> dict[str, str]:
        assert isinstance(request, Request)
        return {"access_token": f"{name}-at"}

    world.registry(update_token=update_token, fetch_token=fetch_token)
    world.register()
    api = world.provider.server.url("/userinfo")

    def view(visit: Visit) -> Steps:
        yield visit.client.get(api, request=visit.request[0])
        old = {"access_token": "old", "refresh_token": "rt-1", "expires_at": 1}
        return (yield visit.client.get(api, token=old))

    world.ask(view)
    assert world.provider.server.to("/userinfo")[0].header("authorization") == f"Bearer {NAME}-at"
    assert saved == [(NAME, "rt-1")]


def test_a_closed_registry_opens_connections_again(world: World) -> None:
    world.log_in()
    world.portal.call(world.oauth.aclose)
    assert world.log_in()["userinfo"]["sub"] == SUB


def test_each_request_may_have_an_event_loop_of_its_own(provider: OpenIDProvider) -> None:
    oauth = OAuth()
    client = oauth.register(
        NAME,
        client_id=CLIENT,
        client_secret="a-client-secret-of-at-least-32-bytes",
        server_metadata_url=provider.server.url("/.well-known/openid-configuration"),
        client_kwargs={"scope": "openid"},
    )

    async def login(request: Request) -> RedirectResponse:
        response: RedirectResponse = await client.authorize_redirect(request, HOME)
        return response

    async def callback(request: Request) -> JSONResponse:
        token = await client.authorize_access_token(request)
        return JSONResponse(token["userinfo"])

    routes = [Route("/login", login), Route("/cb", callback)]
    app = Starlette(routes=routes, middleware=[Middleware(SessionMiddleware, secret_key="of the session cookie")])
    browser = TestClient(app, base_url="https://rp.example", follow_redirects=False)  # each request has a new loop
    for _ in range(3):
        url = browser.get("/login").headers["location"]
        assert browser.get(provider.log_in(url)).json()["sub"] == SUB
    assert provider.request_count("/.well-known/openid-configuration") == 1
