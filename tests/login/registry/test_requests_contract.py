"""API requests and tokens of a registered client, in every framework."""

from __future__ import annotations

from typing import Any

import pytest

from doorkey.errors import InvalidGrant, MissingTokenError, TokenExpiredError, UsageError
from tests.support.hostile_server import reply
from tests.support.registries import NAME, Steps, Visit, World


@pytest.fixture
def api(world: World) -> str:
    """The URL of an API that answers every request."""
    world.provider.server.on("/api", reply(json={"ok": True}))
    world.provider.server.on("/v1/things", reply(json={"things": []}))
    return world.provider.server.url("/api")


def expired(world: World, **members: Any) -> dict[str, Any]:
    """Return a token that has expired."""
    past = int(world.provider.clock()) - 10
    return {"access_token": "old", "token_type": "Bearer", "expires_at": past, "refresh_token": "rt", **members}


@pytest.mark.parametrize("method", ["get", "post", "patch", "put", "delete"])
def test_each_method_sends_the_token(world: World, api: str, method: str) -> None:
    response = world.call(method, api, token={"access_token": "at", "token_type": "Bearer"})
    assert response.status_code == 200
    assert response.json() == {"ok": True}
    sent = world.provider.server.to("/api")[-1]
    assert (sent.method, sent.header("authorization")) == (method.upper(), "Bearer at")


def test_a_request_names_its_method(world: World, api: str) -> None:
    assert world.call("request", "GET", api, token={"access_token": "at"}).status_code == 200


def test_a_body_and_headers_are_those_of_the_http_library(world: World, api: str) -> None:
    world.call("post", api, token={"access_token": "at"}, json={"a": 1}, headers={"X-A": "b"})
    sent = world.provider.server.to("/api")[-1]
    assert sent.header("x-a") == "b"
    assert b'"a"' in sent.body


def test_a_path_is_below_api_base_url(world: World, api: str) -> None:
    world.register(api_base_url=world.provider.server.url("/v1/"))
    assert world.call("get", "things", token={"access_token": "at"}).json() == {"things": []}
    assert world.call("get", api, token={"access_token": "at"}).json() == {"ok": True}


@pytest.mark.parametrize("path", ["//evil.example/x", "https:evil.example", "ftp://evil.example"])
def test_a_path_does_not_take_the_token_to_another_server(world: World, path: str) -> None:
    world.register(api_base_url=world.provider.server.url("/v1/"))
    with pytest.raises(UsageError):
        world.call("get", path, token={"access_token": "at"})


def test_a_url_may_be_an_object(world: World, api: str) -> None:
    import httpx2

    assert world.call("get", httpx2.URL(api), token={"access_token": "at"}).json() == {"ok": True}


def test_a_request_may_go_without_a_token(world: World, api: str) -> None:
    assert world.call("get", api, withhold_token=True).status_code == 200
    assert world.provider.server.to("/api")[-1].header("authorization") is None


def test_a_request_without_a_token_is_an_error_and_is_not_sent(world: World, api: str) -> None:
    with pytest.raises(MissingTokenError, match="token="):
        world.call("get", api)
    assert world.provider.request_count("/api") == 0


def test_an_expired_token_that_cannot_be_renewed_is_an_oauth_error(world: World, api: str) -> None:
    with pytest.raises(TokenExpiredError):
        world.call("get", api, token=expired(world, refresh_token=None))
    assert world.provider.request_count("/api") == 0


def test_an_expired_token_is_renewed_and_saved(world: World, api: str) -> None:
    world.registry(update_token=world.update_token())
    assert world.call("get", api, token=expired(world)).status_code == 200
    (saved,) = world.saved
    name, token = saved["args"]
    assert name == NAME
    assert token["access_token"] == world.provider.server.to("/api")[-1].token
    assert (saved["refresh_token"], saved["access_token"]) == ("rt", None)
    assert world.provider.server.token_requests[-1].form["refresh_token"] == "rt"


def test_a_registration_has_its_own_update_token(world: World, api: str) -> None:
    saved: list[Any] = []
    world.registry(update_token=world.update_token())

    def update_token(token: Any, refresh_token: str | None = None, access_token: str | None = None) -> None:
        saved.append((token["access_token"], refresh_token, access_token))

    world.register(update_token=world.callback(update_token))
    world.call("get", api, token=expired(world))
    assert [refresh_token for _, refresh_token, _ in saved] == ["rt"]
    assert not world.saved


def test_a_login_is_not_reported_to_update_token(world: World) -> None:
    world.registry(update_token=world.update_token())
    world.log_in()
    assert not world.saved


def test_requests_with_one_old_token_renew_it_once(world: World, api: str) -> None:
    world.registry(update_token=world.update_token())
    old = expired(world)
    for _ in range(5):
        world.call("get", api, token=old)
    assert len(world.provider.server.token_requests) == len(world.saved) == 1
    new = world.saved[0]["args"][1]
    for token in (new, dict(new), old):
        world.call("get", api, token=token)
    assert {request.token for request in world.provider.server.to("/api")} == {new["access_token"]}
    assert len(world.provider.server.token_requests) == 1


def test_the_next_renewal_is_made_once_for_the_old_and_the_new_token(world: World, api: str) -> None:
    world.registry(update_token=world.update_token())
    old = expired(world)
    world.call("get", api, token=old)
    first = world.saved[0]["args"][1]
    for token in ({**first, "expires_at": int(world.provider.clock()) - 1}, first, old):
        world.call("get", api, token=token)
    forms = [request.form["refresh_token"] for request in world.provider.server.token_requests]
    assert forms == ["rt", first["refresh_token"]]


def test_a_token_that_the_program_marks_as_expired_is_renewed(world: World, api: str) -> None:
    token = {**expired(world), "expires_at": int(world.provider.clock()) + 3600}
    world.call("get", api, token=token)
    assert not world.provider.server.token_requests
    world.call("get", api, token=expired(world))
    assert len(world.provider.server.token_requests) == 1


def test_a_token_that_another_process_has_renewed_is_used(world: World, api: str) -> None:
    world.provider.tokens = {"refresh_token": None}  # the server does not rotate it
    world.call("get", api, token=expired(world))
    world.call("get", api, token={"access_token": "of-another-process", "refresh_token": "rt"})
    assert world.provider.server.to("/api")[-1].token == "of-another-process"


def test_tokens_of_two_users_are_kept_apart(world: World, api: str) -> None:
    for number in range(40):
        for user in ("alice", "bob"):
            token = {"access_token": f"at-of-{user}", "refresh_token": f"rt-of-{user}"}
            world.call("get", api, token=token)
            assert world.provider.server.to("/api")[-1].token == f"at-of-{user}", number


def test_the_url_and_the_parameters_of_a_renewal_are_registered(world: World, api: str) -> None:
    world.provider.server.also_on("/renew", "/token")
    world.register(refresh_token_url=world.provider.server.url("/renew"), refresh_token_params={"audience": "orders"})
    world.call("get", api, token=expired(world))
    (renewal,) = world.provider.server.to("/renew")
    assert (renewal.form["grant_type"], renewal.form["audience"]) == ("refresh_token", "orders")


def test_fetch_token_of_the_registry_finds_the_token(world: World, api: str) -> None:
    asked: list[tuple[Any, ...]] = []

    def fetch_token(*args: Any) -> dict[str, Any]:
        asked.append(args)
        return {"access_token": "stored", "token_type": "Bearer"}

    world.registry(fetch_token=world.callback(fetch_token))

    def view(visit: Visit) -> Steps:
        own = {"request": visit.request[0]} if visit.request else {}
        return (yield visit.client.get(api, **own)), visit.request

    _, request = world.ask(view)
    assert world.provider.server.to("/api")[-1].token == "stored"
    assert asked[0] == (NAME, *request)


def test_fetch_token_of_a_registration_goes_without_the_name(world: World, api: str) -> None:
    asked: list[tuple[Any, ...]] = []

    def fetch_token(*args: Any) -> dict[str, Any]:
        asked.append(args)
        return {"access_token": "stored"}

    world.register(fetch_token=world.callback(fetch_token))

    def view(visit: Visit) -> Steps:
        own = {"request": visit.request[0]} if visit.request else {}
        return (yield visit.client.get(api, **own)), visit.request

    _, request = world.ask(view)
    assert asked[0] == request


def test_a_token_is_renewed_on_request(world: World) -> None:
    world.registry(update_token=world.update_token())
    token = {"access_token": "at", "refresh_token": "rt", "expires_in": 3600}
    renewed = world.call("refresh_token", token=token)
    assert renewed["access_token"] != "at"
    assert [saved["refresh_token"] for saved in world.saved] == ["rt"]


def test_a_dead_grant_is_an_oauth_error_without_further_requests(world: World, api: str) -> None:
    world.provider.server.on("/token", reply(400, json={"error": "invalid_grant"}))
    for _ in range(3):
        with pytest.raises(InvalidGrant):
            world.call("get", api, token=expired(world))
    assert len(world.provider.server.token_requests) == 1


def test_a_token_is_revoked_and_introspected(world: World) -> None:
    server = world.provider.server
    server.on("/revoke", reply(200))
    server.on("/introspect", reply(json={"active": True, "sub": "alice"}))
    metadata = {f"{name}_endpoint": server.url(f"/{path}") for name, path in _QUERIES.items()}
    world.register(server_metadata_url=None, **{**world.provider.metadata, **metadata})
    token = {"access_token": "at", "refresh_token": "rt"}
    assert world.call("introspect_token", token=token)["sub"] == "alice"
    assert world.call("revoke_token", token=token).status_code == 200
    assert [request.form["token"] for request in (*server.to("/introspect"), *server.to("/revoke"))] == ["rt", "rt"]


_QUERIES = {"revocation": "revoke", "introspection": "introspect"}


def test_another_grant_gets_a_token(world: World) -> None:
    token = world.call("fetch_token", grant_type="client_credentials", scope="orders")
    assert token["access_token"]
    form = world.provider.server.token_requests[-1].form
    assert (form["grant_type"], form["scope"]) == ("client_credentials", "orders")


def test_twenty_requests_use_one_connection(world: World, api: str) -> None:
    world.call("get", api, token={"access_token": "at"})
    before = world.provider.server.accepted
    for number in range(20):
        world.call("get", api, token={"access_token": f"at-{number}"})
    assert world.provider.server.accepted == before


def test_cookies_of_an_api_are_not_those_of_the_next_user(world: World) -> None:
    world.provider.server.on("/api", reply(json={}, headers={"Set-Cookie": "who=alice"}))
    url = world.provider.server.url("/api")
    for user in ("alice", "bob"):
        world.call("get", url, token={"access_token": f"at-of-{user}"})
    assert world.provider.server.to("/api")[-1].header("cookie") is None


@pytest.mark.parametrize("placement", ["header", "uri"])
def test_token_placement_is_a_client_option(world: World, api: str, placement: str) -> None:
    world.register(client_kwargs={"scope": "openid", "token_placement": placement})
    world.call("get", api, token={"access_token": "at"})
    sent = world.provider.server.to("/api")[-1]
    assert ("access_token=at" in sent.target) is (placement == "uri")
    assert (sent.header("authorization") == "Bearer at") is (placement == "header")
