"""The notifications of the clients of a session that ends (OpenID Connect Back-Channel and Front-Channel Logout)."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from doorkey.errors import ServerError, UsageError
from doorkey.jose.signing import sign
from doorkey.jose.verification import unsafe_header, verify
from doorkey.server.ended_sessions import LOGOUT_EVENT
from doorkey.server.endpoints.forms import Cookies
from doorkey.server.endpoints.logout import ConfirmLogout, LoggedOut
from doorkey.wire.messages import Response
from tests.server.logout_requests import post, visit
from tests.server.world import ALICE, APP, ISSUER, SECRET, SPA, World, callback

BYE = "https://app.example/bye"
BACK, FRONT = "https://app.example/backchannel", "https://app.example/frontchannel?fixed=1"


@pytest.fixture
def world() -> World:
    told = replace(APP, backchannel_logout_uri=BACK, frontchannel_logout_uri=FRONT, post_logout_redirect_uris=(BYE,))
    return World(clients=(told, replace(SPA, backchannel_logout_uri="https://spa.example/out")))


def logout_claims(world: World, token: str) -> dict[str, Any]:
    return dict(verify(token, world.at.keys.verifying, algorithms=world.at.keys.algorithms, typ="logout+jwt").claims)


def two_clients_in_one_session(world: World) -> Cookies:
    done = world.logged_in()
    assert world.exchange(callback(done.response)["code"]).status == 200
    cookies = Cookies(session=done.session_key)
    for _ in range(2):  # twice, and told once
        assert isinstance(world.authorize(cookies, client_id="app"), Response)
    return cookies


def test_every_client_of_the_session_gets_one_logout_token(world: World) -> None:
    cookies = two_clients_in_one_session(world)
    question = visit(world, cookies)
    assert isinstance(question, ConfirmLogout)
    assert world.sent == []
    post(world, cookies, csrf=question.csrf)
    assert [order.uri for order in world.sent] == ["https://spa.example/out", BACK]
    for order, audience in zip(world.sent, ("spa", "app"), strict=True):
        claims = logout_claims(world, order.token)
        assert (claims["iss"], claims["aud"], claims["sub"]) == (ISSUER, audience, ALICE.sub)
        assert claims["events"] == {LOGOUT_EVENT: {}}
        assert (claims["iat"], claims["exp"]) == (int(world.now), int(world.now) + 120)
        assert claims["sid"]
        assert "nonce" not in claims
        assert order.token not in repr(order)
    assert len({logout_claims(world, order.token)["jti"] for order in world.sent}) == 2


def test_a_logout_by_refresh_token_or_id_token_tells_the_clients_too(world: World) -> None:
    token = world.login().json["refresh_token"]
    post(world, client_id="app", client_secret=SECRET, refresh_token=token)
    visit(world, id_token_hint=world.login().json["id_token"])
    assert [order.uri for order in world.sent] == [BACK, BACK]


def test_a_session_that_has_ended_already_tells_nobody_again(world: World) -> None:
    hint = world.login().json["id_token"]
    for _ in range(2):
        visit(world, id_token_hint=hint)
    assert len(world.sent) == 1


def test_a_logout_token_is_signed_as_the_id_tokens_of_its_client(world: World) -> None:
    world.clients = (replace(world.clients[0], id_token_signed_response_alg="ES256"),)
    visit(world, id_token_hint=world.login().json["id_token"])
    assert unsafe_header(world.sent[0].token)["alg"] == "ES256"


def test_no_logout_token_is_taken_for_an_id_token(world: World) -> None:
    visit(world, id_token_hint=world.login().json["id_token"])
    with pytest.raises(ServerError, match="id_token_hint"):
        visit(world, id_token_hint=world.sent[0].token)


def test_the_page_of_a_logout_loads_the_front_channel_uris_and_then_goes_on(world: World) -> None:
    tokens = world.login().json
    page = visit(world, id_token_hint=tokens["id_token"], post_logout_redirect_uri=BYE, state="s")
    assert isinstance(page, LoggedOut)
    assert page.redirect == f"{BYE}?state=s"
    (frame,) = page.frames
    assert frame.startswith(FRONT)
    assert dict(parse_qsl(urlsplit(frame).query)) == {"fixed": "1", "iss": ISSUER, "sid": tokens["session_state"]}
    world.clients = (replace(world.clients[0], frontchannel_logout_session_required=False),)
    page = visit(world, id_token_hint=world.login().json["id_token"])
    assert isinstance(page, LoggedOut)
    assert (page.frames, page.redirect) == ((FRONT,), None)


def test_a_logout_without_a_hint_goes_back_to_a_registered_uri_once_the_user_agreed(world: World) -> None:
    cookies = two_clients_in_one_session(world)
    asked = {"client_id": "app", "post_logout_redirect_uri": BYE, "state": "s"}
    question = visit(world, cookies, **asked)
    assert isinstance(question, ConfirmLogout)
    assert dict(question.fields) == asked
    done = post(world, cookies, csrf=question.csrf, **asked)
    assert isinstance(done, LoggedOut)
    assert done.redirect == f"{BYE}?state=s"
    for refused in ({**asked, "client_id": "spa"}, {**asked, "post_logout_redirect_uri": f"{BYE}/"}):
        with pytest.raises(ServerError, match="Invalid redirect uri"):
            visit(world, None, **refused)
    with pytest.raises(ServerError, match="Invalid redirect uri"):
        visit(world, post_logout_redirect_uri=BYE)


def test_a_hint_of_one_client_is_none_for_another(world: World) -> None:
    hint = world.login().json["id_token"]
    with pytest.raises(ServerError, match="id_token_hint"):
        visit(world, id_token_hint=hint, client_id="spa")
    assert isinstance(visit(world, id_token_hint=hint, client_id="app"), LoggedOut)


def test_a_hint_that_the_secret_of_the_client_signed_ends_its_session(world: World) -> None:
    world.clients = (replace(world.clients[0], id_token_signed_response_alg="HS256"), SPA)
    tokens = world.login().json
    forged = verify(tokens["id_token"], SECRET.encode(), algorithms=["HS256"]).claims
    assert forged["azp"] == "app"
    assert isinstance(visit(world, id_token_hint=tokens["id_token"]), LoggedOut)
    assert world.refresh(tokens["refresh_token"]).status == 400


def test_a_hint_signed_with_a_secret_counts_only_where_it_is_registered(world: World) -> None:
    world.clients = (replace(world.clients[0], id_token_signed_response_alg="HS256"), SPA)
    hint = world.login().json["id_token"]
    world.clients = (replace(world.clients[0], id_token_signed_response_alg=None), SPA)
    with pytest.raises(ServerError, match="id_token_hint"):
        visit(world, id_token_hint=hint)


@pytest.mark.parametrize(
    ("claim", "value"), [("iss", "https://other.example"), ("typ", "Bearer"), ("typ", None), ("azp", "no-client")]
)
def test_a_hint_that_the_secret_signed_is_an_id_token_of_this_issuer_for_this_client(
    world: World, claim: str, value: str | None
) -> None:
    world.clients = (replace(world.clients[0], id_token_signed_response_alg="HS256"), SPA)
    tokens = world.login().json
    claims = dict(verify(tokens["id_token"], SECRET.encode(), algorithms=["HS256"]).claims)
    claims = {name: one for name, one in {**claims, claim: value}.items() if one is not None}
    with pytest.raises(ServerError, match="id_token_hint"):
        visit(world, id_token_hint=sign(claims, SECRET.encode(), alg="HS256"))
    assert world.refresh(tokens["refresh_token"]).status == 200


def test_a_hint_without_a_session_ends_none(world: World) -> None:
    world.clients = (replace(world.clients[0], id_token_signed_response_alg="HS256"), SPA)
    tokens = world.login().json
    claims = dict(verify(tokens["id_token"], SECRET.encode(), algorithms=["HS256"]).claims)
    del claims["sid"]
    hint = sign(claims, SECRET.encode(), alg="HS256")
    assert visit(world, id_token_hint=hint) == LoggedOut()
    back = visit(world, id_token_hint=hint, post_logout_redirect_uri=BYE)
    assert isinstance(back, Response)
    assert back.header("location") == BYE
    assert world.refresh(tokens["refresh_token"]).status == 200
    assert world.sent == []


@pytest.mark.parametrize("uri", ["http://app.example/out", "https://app.example/#f", "https://app.example/a b", 5])
def test_a_logout_uri_is_https_or_on_loopback(uri: str) -> None:
    for name in ("backchannel_logout_uri", "frontchannel_logout_uri"):
        changes: dict[str, Any] = {name: uri}
        with pytest.raises(UsageError):
            replace(APP, **changes)


def test_the_question_whether_to_log_out_carries_the_parameters_that_came_and_no_others(world: World) -> None:
    cookies = Cookies(session=world.logged_in().session_key)
    asked = visit(world, cookies, state="a-state", client_id="app", post_logout_redirect_uri=BYE)
    assert isinstance(asked, ConfirmLogout)
    assert dict(asked.fields) == {"state": "a-state", "client_id": "app", "post_logout_redirect_uri": BYE}
    bare = visit(world, cookies)
    assert isinstance(bare, ConfirmLogout)
    assert bare.fields == ()
