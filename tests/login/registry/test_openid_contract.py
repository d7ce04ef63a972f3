"""ID tokens, UserInfo, keys and logout of a registered client, in every framework."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from doorkey.errors import InvalidToken, MismatchingStateError, OAuthError, ServerError, UsageError, VerificationError
from doorkey.oidc.core import UserInfo
from doorkey.wire.flow import Flow, maybe_await
from tests.support.hostile_server import Hostile, reply
from tests.support.openid_provider import CLIENT, SUB, Signer
from tests.support.registries import HOME, NAME, Steps, Visit, World
from tests.support.relying_party import parameters

HOME_AFTER_LOGOUT = "https://rp.example/bye"


def test_an_id_token_is_verified_again_with_its_nonce(world: World) -> None:
    token = world.log_in(nonce="the-nonce")
    claims = world.call("parse_id_token", token, nonce="the-nonce")
    assert type(claims) is UserInfo
    assert claims["sub"] == SUB
    with pytest.raises(VerificationError) as error:
        world.call("parse_id_token", token, nonce="another")
    assert error.value.claim == "nonce"


def test_a_token_from_a_store_is_verified_too(world: World) -> None:
    token = dict(world.log_in(nonce="the-nonce"))
    assert world.call("parse_id_token", token, "the-nonce")["sub"] == SUB


def test_an_empty_nonce_skips_its_comparison_alone(world: World) -> None:
    token = world.log_in()
    assert world.call("parse_id_token", token, nonce="")["sub"] == SUB
    world.client.client_id = "another"
    with pytest.raises(VerificationError) as error:
        world.call("parse_id_token", token, nonce="")
    assert error.value.claim == "aud"


def test_a_token_without_an_id_token_has_no_claims(world: World) -> None:
    assert world.call("parse_id_token", {"access_token": "at"}, nonce="n") is None


def test_the_old_order_of_arguments_is_an_error_that_says_what_to_write(world: World) -> None:
    token = world.log_in()
    for arguments in ((object(), token), (token,), (token, None), ({"a": "request"}, token)):
        with pytest.raises(UsageError, match=r"write parse_id_token\(token, nonce=…\)") as error:
            world.call("parse_id_token", *arguments)
        assert 'token["userinfo"]' in str(error.value)


def test_conditions_and_leeway_of_parse_id_token(world: World) -> None:
    token = world.log_in()
    with pytest.raises(VerificationError) as error:
        world.call("parse_id_token", token, nonce="", claims_options={"email": {"essential": True}})
    assert error.value.claim == "email"
    world.provider.changed = {"exp": int(world.provider.clock()) - 100}
    browser = world.browser()
    late = world.finish(browser, world.answer(world.begin(browser)), leeway=200)
    assert world.call("parse_id_token", late, nonce="")["sub"] == SUB  # within 120 seconds, as in Authlib
    with pytest.raises(VerificationError) as error:
        world.call("parse_id_token", late, nonce="", leeway=10)
    assert error.value.claim == "exp"


def test_a_leeway_of_one_call_fetches_no_keys_again(world: World) -> None:
    browser = world.browser()
    for leeway in (10, 20, 30):
        world.finish(browser, world.answer(world.begin(browser)), leeway=leeway)
    assert world.provider.request_count("/jwks") == 1


def test_keys_that_the_provider_rotates_are_followed(world: World) -> None:
    world.log_in()
    world.provider.signer = Signer(number=1, kid="k1")
    assert world.log_in()["userinfo"]["sub"] == SUB


def test_the_keys_are_a_jwk_set(world: World) -> None:
    (key,) = world.call("fetch_jwk_set")["keys"]
    assert (key["kty"], key["kid"]) == ("EC", "k0")
    world.provider.signer = Signer(number=1, kid="k1")
    assert [key["kid"] for key in world.call("fetch_jwk_set")["keys"]] == ["k0"]
    assert [key["kid"] for key in world.call("fetch_jwk_set", force=True)["keys"]] == ["k1"]


def test_registered_keys_are_returned_as_they_are(world: World) -> None:
    keys = {"keys": world.provider.keys}
    world.register(jwks=keys)
    assert world.call("fetch_jwk_set") == keys
    assert world.provider.request_count("/jwks") == 0


def test_a_provider_without_keys_says_what_to_register(world: World) -> None:
    world.register(server_metadata_url=None, authorize_url=world.provider.server.url("/authorize"))
    with pytest.raises(UsageError, match="register it with jwks_uri= or jwks="):
        world.call("fetch_jwk_set")


def test_the_metadata_are_a_dictionary(world: World) -> None:
    metadata = world.call("load_server_metadata")
    assert metadata is world.client.server_metadata
    assert metadata["userinfo_endpoint"] == world.provider.server.url("/userinfo")
    assert metadata["_loaded_at"] <= world.provider.clock()
    assert world.client.server_metadata["id_token_signing_alg_values_supported"]


def test_userinfo_is_that_of_the_user(world: World) -> None:
    token = world.log_in()
    world.provider.user = {"sub": SUB, "name": "Alice"}
    info = world.call("userinfo", token=token)
    assert type(info) is UserInfo
    assert (info.name, dict(info)["sub"]) == ("Alice", SUB)


WAYS: dict[str, dict[str, Any]] = {
    "plain": {},
    "with parameters": {"params": {"fields": "name"}},
    "with options": {"headers": {"Accept-Language": "en"}},
}
every_way = pytest.mark.parametrize("options", WAYS.values(), ids=list(WAYS))
"""The ways of a userinfo request: the last one is sent by the API client."""


@every_way
def test_userinfo_of_another_user_is_rejected(world: World, options: dict[str, Any]) -> None:
    token = world.log_in()
    world.provider.user = {"sub": "mallory"}
    for given in (token, dict(token)):
        with pytest.raises(VerificationError) as error:
            world.call("userinfo", token=given, **options)
        assert error.value.claim == "sub"


@every_way
def test_userinfo_without_a_user_is_rejected_if_the_user_is_unknown_too(world: World, options: dict[str, Any]) -> None:
    token = {name: value for name, value in world.log_in().items() if name in ("access_token", "token_type")}
    world.provider.server.on("/userinfo", reply(json={"name": "Alice"}))
    with pytest.raises(VerificationError) as error:
        world.call("userinfo", token=token, **options)
    assert error.value.claim == "sub"


@every_way
def test_an_error_of_the_userinfo_endpoint_is_raised(world: World, options: dict[str, Any]) -> None:
    token = world.log_in()
    world.provider.server.on("/userinfo", reply(403, json={"error": "insufficient_scope"}))
    with pytest.raises(ServerError) as error:
        world.call("userinfo", token=token, **options)
    assert (error.value.error, error.value.status) == ("insufficient_scope", 403)


@every_way
def test_userinfo_sends_the_token_to_no_other_origin(world: World, options: dict[str, Any]) -> None:
    token = world.log_in()
    other = Hostile()
    try:
        other.on("/userinfo", reply(json={"sub": SUB}))
        world.provider.server.on("/userinfo", reply(302, headers={"Location": other.url("/userinfo")}))
        with suppress(OAuthError):  # an API client may follow the redirect, without the token
            world.call("userinfo", token=token, **options)
        assert [request.token for request in other.received] in ([], [None])
    finally:
        other.close()


def test_userinfo_sends_parameters_of_the_program(world: World) -> None:
    token = world.log_in()
    assert world.call("userinfo", token=token, params={"fields": "name"})["sub"] == SUB
    assert world.provider.server.to("/userinfo")[-1].target.endswith("?fields=name")


def test_signed_userinfo_is_verified_and_not_with_options_of_the_http_library(world: World) -> None:
    token = world.log_in()
    world.provider.userinfo_signer = Signer()
    world.register(overwrite=True, client_kwargs={"scope": "openid", "userinfo_signed_response_alg": "ES256"})
    for params in (None, {"a": "b"}, "a=b"):
        assert world.call("userinfo", token=token, params=params)["sub"] == SUB
    with pytest.raises(UsageError, match="no option other than params="):
        world.call("userinfo", token=token, headers={"X": "y"})
    world.provider.userinfo_signer = None  # its response is not signed
    with pytest.raises(VerificationError):
        world.call("userinfo", token=token, params={"a": "b"})
    with pytest.raises(UsageError, match="no option other than params="):
        world.call("userinfo", token=token, headers={"X": "y"})


def test_userinfo_with_parameters_follows_no_redirect(world: World) -> None:
    token, server = world.log_in(), world.provider.server
    server.on("/userinfo", reply(302, headers={"Location": server.url("/elsewhere")}))
    with pytest.raises(OAuthError):
        world.call("userinfo", token=token, params={"a": "b"})
    assert server.to("/elsewhere") == []


def test_userinfo_takes_options_of_the_http_library(world: World) -> None:
    token = world.log_in()
    pairs = [("a", "1"), ("a", "2")]
    assert world.call("userinfo", token=token, headers={"X-Trace": "7"}, params=pairs)["sub"] == SUB
    received = world.provider.server.to("/userinfo")[-1]
    assert (received.header("x-trace"), received.target) == ("7", "/userinfo?a=1&a=2")


def test_userinfo_that_is_an_error_is_an_oauth_error(world: World) -> None:
    token = world.log_in()
    headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
    world.provider.server.on("/userinfo", reply(401, headers=headers))
    with pytest.raises(InvalidToken):
        world.call("userinfo", token=token)
    world.provider.server.on("/userinfo", reply(200, "<html>"))
    for options in ({}, {"params": {"a": "b"}}):
        with pytest.raises(OAuthError):
            world.call("userinfo", token=token, **options)


def test_a_fix_makes_claims_of_another_response(world: World) -> None:
    def fix(client: Any, data: dict[str, Any]) -> dict[str, Any]:
        assert (client.name, client.client_id) == (NAME, CLIENT)
        return {"sub": str(data["id"]), "name": data["login"]}

    server = world.provider.server
    world.provider.tokens = {"id_token": None}
    world.provider.user = {"id": 7, "login": "alice"}
    urls = {"authorize_url": server.url("/authorize"), "access_token_url": server.url("/token")}
    world.register(
        server_metadata_url=None,
        userinfo_endpoint=server.url("/userinfo"),
        userinfo_compliance_fix=world.callback(fix),
        client_kwargs={"scope": "user"},
        **urls,
    )
    token = world.log_in()
    assert dict(world.call("userinfo", token=token)) == {"sub": "7", "name": "alice"}
    assert dict(world.call("userinfo", token=token, params={"a": "b"})) == {"sub": "7", "name": "alice"}


def test_a_fix_sends_requests_with_the_token_of_the_user(world: World) -> None:
    def fix(client: Any, data: dict[str, Any]) -> Flow[dict[str, Any]]:
        response = yield from maybe_await(client.get(world.provider.server.url("/emails")))
        yield from maybe_await(client.post(world.provider.server.url("/emails")))
        yield from maybe_await(client.request("PUT", world.provider.server.url("/emails")))
        return {**data, "email": response.json()[0]}

    world.provider.server.on("/emails", reply(json=["alice@example.org"]))
    world.register(userinfo_compliance_fix=fix)
    token = world.log_in()
    info = world.call("userinfo", token=token)
    assert (info["sub"], info["email"]) == (SUB, "alice@example.org")
    assert [sent.token for sent in world.provider.server.to("/emails")] == [token["access_token"]] * 3


def test_a_provider_without_openid_connect_returns_its_own_claims(world: World) -> None:
    server = world.provider.server
    world.provider.tokens = {"id_token": None}
    world.provider.user = {"id": 7, "login": "alice"}
    urls = {"authorize_url": server.url("/authorize"), "access_token_url": server.url("/token")}
    world.register(
        server_metadata_url=None, userinfo_endpoint=server.url("/userinfo"), client_kwargs={"scope": "user"}, **urls
    )
    assert dict(world.call("userinfo", token=world.log_in())) == {"id": 7, "login": "alice"}


def test_userinfo_without_an_endpoint_says_what_to_register(world: World) -> None:
    world.register(server_metadata_url=None, authorize_url=world.provider.server.url("/authorize"))
    with pytest.raises(UsageError, match="register it with userinfo_endpoint="):
        world.call("userinfo", token={"access_token": "at"})


# -- logout --------------------------------------------------------------------------------------------------------


def test_a_logout_goes_to_the_provider_and_returns(world: World) -> None:
    token, browser = world.log_in(), world.browser()

    def leave(visit: Visit) -> Steps:
        return (
            yield visit.client.logout_redirect(
                *visit.request,
                post_logout_redirect_uri=HOME_AFTER_LOGOUT,
                id_token_hint=token["id_token"],
                ui_locales="de",
                client_id=visit.client.client_id,
            )
        )

    def back(visit: Visit) -> Steps:
        return (yield visit.client.validate_logout_response(*visit.request))

    sent = parameters(world.visit(leave, browser).location)
    assert sent["post_logout_redirect_uri"] == HOME_AFTER_LOGOUT
    assert (sent["id_token_hint"], sent["ui_locales"], sent["client_id"]) == (token["id_token"], "de", CLIENT)
    for query in ({"state": "another"}, {}):
        with pytest.raises(MismatchingStateError):
            world.ask(back, browser, query=query)
    with pytest.raises(MismatchingStateError):
        world.ask(back, world.browser(), query={"state": sent["state"]})
    data = world.ask(back, browser, query={"state": sent["state"]})
    assert data == {"post_logout_redirect_uri": HOME_AFTER_LOGOUT}
    with pytest.raises(MismatchingStateError):
        world.ask(back, browser, query={"state": sent["state"]})


def test_a_logout_without_a_way_back_has_no_state(world: World) -> None:
    made = world.call("create_logout_url", id_token_hint="e30.e30.e30")
    assert made["state"] is None
    assert "post_logout_redirect_uri" not in parameters(made["url"])


def test_the_url_of_a_logout_has_the_given_state(world: World) -> None:
    made = world.call("create_logout_url", post_logout_redirect_uri=HOME_AFTER_LOGOUT, state="the-state")
    assert made["state"] == "the-state" == parameters(made["url"])["state"]


def test_the_state_of_a_logout_ends_no_login_and_the_state_of_a_login_no_logout(world: World) -> None:
    def leave(visit: Visit) -> Steps:
        return (yield visit.client.logout_redirect(*visit.request, post_logout_redirect_uri=HOME_AFTER_LOGOUT))

    def back(visit: Visit) -> Steps:
        return (yield visit.client.validate_logout_response(*visit.request))

    browser = world.browser()
    logout = parameters(world.visit(leave, browser).location)["state"]
    login = world.begin(browser)
    with pytest.raises(MismatchingStateError):
        world.finish(browser, {"state": logout, "code": "c"})
    with pytest.raises(MismatchingStateError):
        world.ask(back, browser, query={"state": parameters(login)["state"]})
    assert not world.provider.server.token_requests
    assert world.finish(browser, world.answer(login))["userinfo"]["sub"] == SUB
    assert world.ask(back, browser, query={"state": logout})["post_logout_redirect_uri"] == HOME_AFTER_LOGOUT


def test_a_provider_without_logout_is_a_usage_error(world: World) -> None:
    world.register(server_metadata_url=None, authorize_url=world.provider.server.url("/authorize"))
    with pytest.raises(UsageError, match="no end_session_endpoint: this provider has no logout"):
        world.call("create_logout_url", post_logout_redirect_uri=HOME)
