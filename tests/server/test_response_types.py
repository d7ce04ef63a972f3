"""Every response type of OpenID Connect, and what ties the tokens of a response together."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from doorkey.errors import LoginRequired, UsageError
from doorkey.jose.verification import verify
from doorkey.oidc.core.hashes import half_hash
from doorkey.server.endpoints.forms import Cookies
from doorkey.server.endpoints.login import LoggedIn, LoginNeeded
from doorkey.server.model import Settings
from doorkey.server.registrations import RESPONSE_TYPES
from doorkey.wire.messages import Response
from tests.server.world import APP, ISSUER, SPA, VERIFIER, World, callback
from tests.servers.browser import forms

HYBRID = [name for name in RESPONSE_TYPES if name != "code"]


@pytest.fixture
def world() -> World:
    return World(clients=(APP, replace(SPA, response_types=RESPONSE_TYPES)))


def in_fragment(response: Response) -> dict[str, str]:
    location = urlsplit(response.header("location") or "")
    assert "code" not in location.query
    return dict(parse_qsl(location.fragment))


def refused(outcome: object) -> tuple[str, str]:
    assert isinstance(outcome, Response)
    found = in_fragment(outcome) or callback(outcome)
    return found["error"], found.get("error_description", "")


def identity(world: World, token: str) -> dict[str, Any]:
    return dict(verify(token, world.at.keys.verifying, algorithms=world.at.keys.algorithms).claims)


@pytest.mark.parametrize("response_type", HYBRID)
def test_a_response_type_brings_what_it_names_and_nothing_else(world: World, response_type: str) -> None:
    brought = in_fragment(world.logged_in(response_type=response_type).response)
    names = {"code": {"code"}, "id_token": {"id_token"}}
    names["token"] = {"access_token", "token_type", "expires_in", "scope"}
    expected = {name for kind in response_type.split() for name in names[kind]}
    assert set(brought) == expected | {"state", "session_state", "iss"}
    if "code" in expected:
        assert world.exchange(brought["code"]).status == 200
    if "id_token" in expected:
        claims = identity(world, brought["id_token"])
        assert (claims["nonce"], claims["aud"], claims["auth_time"]) == ("a-nonce", "spa", int(world.now))
        hashes = {name: claims.get(name) for name in ("at_hash", "c_hash", "s_hash")}
        assert hashes == {
            "at_hash": half_hash(brought["access_token"], "RS256") if "access_token" in brought else None,
            "c_hash": half_hash(brought["code"], "RS256") if "code" in brought else None,
            "s_hash": half_hash("a-state", "RS256") if "code" in brought else None,
        }


def test_the_order_of_a_response_type_does_not_matter(world: World) -> None:
    assert "id_token" in in_fragment(world.logged_in(response_type="token id_token code").response)


def test_tokens_never_go_into_a_query(world: World) -> None:
    answer = world.authorize(response_type="id_token token", response_mode="query")
    assert refused(answer)[0] == "invalid_request"


def test_form_post_carries_the_tokens_of_a_response_type(world: World) -> None:
    page = world.logged_in(response_type="code id_token", response_mode="form_post").response.body.decode()
    (form,) = forms(page, ISSUER)
    assert set(form.fields) == {"state", "session_state", "iss", "code", "id_token"}


def test_an_id_token_in_the_front_channel_needs_a_nonce_and_the_scope_openid(world: World) -> None:
    assert refused(world.authorize(response_type="id_token", nonce=None)) == (
        "invalid_request",
        "Missing parameter: nonce",
    )
    assert refused(world.authorize(response_type="code id_token", scope="profile"))[0] == "invalid_scope"


def test_an_implicit_response_needs_no_code_challenge_and_a_hybrid_one_does(world: World) -> None:
    without = {"code_challenge": None, "code_challenge_method": None}
    assert isinstance(world.authorize(response_type="id_token", **without), LoginNeeded)
    assert refused(world.authorize(response_type="code id_token", **without))[0] == "invalid_request"


def test_a_client_gets_only_the_response_types_that_it_registered(world: World) -> None:
    world.clients = (replace(SPA, response_types=("id_token",)),)
    for response_type in ("code", "code id_token"):
        assert refused(world.authorize(response_type=response_type))[0] == "unauthorized_client"
    with pytest.raises(UsageError, match="did you mean 'id_token'"):
        replace(SPA, response_types=("idtoken",))


@pytest.mark.parametrize(
    ("response_type", "flow"),
    [("code", "Standard"), ("none", "Standard"), ("token", "Implicit"), ("code id_token none token", "Implicit")],
)
def test_a_refused_response_type_is_described_by_its_flow(world: World, response_type: str, flow: str) -> None:
    world.clients = (replace(SPA, response_types=("id_token",)),)
    error, description = refused(world.authorize(response_type=response_type))
    assert error == "unauthorized_client"
    assert f"{flow} flow is disabled" in description


def test_a_code_needs_neither_a_nonce_nor_the_scope_openid(world: World) -> None:
    assert isinstance(world.authorize(nonce=None), LoginNeeded)
    assert isinstance(world.authorize(scope="profile"), LoginNeeded)


def test_the_exchange_repeats_the_redirect_uri_if_and_only_if_it_was_sent(world: World) -> None:
    form = {"grant_type": "authorization_code", "client_id": "spa", "code_verifier": VERIFIER}
    assert world.token({**form, "code": world.code()}, None).problem == (400, "invalid_grant")
    assert world.token({**form, "code": world.code(redirect_uri=None)}, None).status == 200


def test_the_access_token_of_the_front_channel_ends_with_its_session(world: World) -> None:
    world.clients = (replace(SPA, response_types=RESPONSE_TYPES, audiences={"profile": "app"}), APP)
    token = in_fragment(world.logged_in(response_type="id_token token").response)["access_token"]
    assert world.is_active(token)
    world.users = ()
    assert not world.is_active(token)


def test_a_removed_user_must_log_in_although_the_browser_is_logged_in(world: World) -> None:
    cookies = Cookies(session=world.logged_in().session_key)
    assert isinstance(world.authorize(cookies, prompt="none"), Response)
    world.users = ()
    assert refused(world.authorize(cookies, prompt="none"))[0] == "login_required"


def test_a_client_that_is_removed_during_a_login_gets_no_token(world: World) -> None:
    needed = world.authorize(response_type="id_token")
    assert isinstance(needed, LoginNeeded)
    world.clients = (APP,)
    with pytest.raises(LoginRequired):
        world.fill_in(needed)


def test_a_login_reaches_the_requested_authentication_context(world: World) -> None:
    world.settings = Settings(acr_values=("1", "2", "urn:mfa"))

    def acr(**changes: str) -> str:
        return str(
            identity(world, in_fragment(world.logged_in(response_type="id_token", **changes).response)["id_token"])[
                "acr"
            ]
        )

    assert acr() == "1"
    assert acr(acr_values="urn:mfa 2") == "urn:mfa"
    assert acr(acr_values="unknown 2") == "2"
    assert acr(acr_values="unknown") == "1"


def test_a_session_below_the_requested_context_logs_in_again(world: World) -> None:
    world.settings = Settings(acr_values=("1", "2"))
    cookies = Cookies(session=world.logged_in().session_key)
    assert isinstance(world.authorize(cookies, acr_values="1"), Response)
    stronger = world.authorize(cookies, acr_values="2")
    assert isinstance(stronger, LoginNeeded)
    done = world.fill_in(stronger)
    assert isinstance(done, LoggedIn)
    token = world.exchange(callback(done.response)["code"]).json
    assert identity(world, token["id_token"])["acr"] == identity(world, token["access_token"])["acr"] == "2"
    assert identity(world, world.refresh_public(token["refresh_token"]).json["id_token"])["acr"] == "2"
