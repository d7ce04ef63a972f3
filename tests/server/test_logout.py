"""The logout endpoint: by ID token, by refresh token, and by the browser's session."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from doorkey.errors import ServerError
from doorkey.server.endpoints.forms import Cookies
from doorkey.server.endpoints.login import LoggedIn, LoginNeeded
from doorkey.server.endpoints.logout import ConfirmLogout, LoggedOut
from doorkey.wire.messages import Response
from tests.server.logout_requests import post, visit
from tests.server.world import APP, CALLBACK, OTHER, SECRET, SPA, World

BYE = "https://app.example/bye"


@pytest.fixture
def world() -> World:
    return World(clients=(replace(APP, post_logout_redirect_uris=(BYE,)), SPA, OTHER))


def logged_in(world: World) -> tuple[Cookies, str]:
    """The cookies of a browser that is logged in, and the refresh token that its client got."""
    needed = world.authorize()
    assert isinstance(needed, LoginNeeded)
    done = world.fill_in(needed)
    assert isinstance(done, LoggedIn)
    code = dict(parse_qsl(urlsplit(done.response.header("location") or "").query))["code"]
    return Cookies(session=done.session_key), world.exchange(code).json["refresh_token"]


def test_an_id_token_ends_its_session_and_no_other(world: World) -> None:
    tokens, others = world.login().json, world.login().json
    assert isinstance(visit(world, id_token_hint=tokens["id_token"]), LoggedOut)
    assert world.refresh(tokens["refresh_token"]).json["error_description"] == "Session not active"
    assert world.refresh(others["refresh_token"]).status == 200


def test_an_expired_id_token_still_logs_out(world: World) -> None:
    tokens = world.login().json
    world.advance(600)
    assert isinstance(visit(world, id_token_hint=tokens["id_token"]), LoggedOut)
    assert world.refresh(tokens["refresh_token"]).status == 400


def test_a_registered_redirect_brings_the_state_back(world: World) -> None:
    hint = world.login().json["id_token"]
    answer = visit(world, id_token_hint=hint, post_logout_redirect_uri=BYE, state="a state")
    assert isinstance(answer, Response)
    assert (answer.status, answer.header("location")) == (302, f"{BYE}?state=a+state")
    answer = visit(world, id_token_hint=world.login().json["id_token"], post_logout_redirect_uri=BYE)
    assert isinstance(answer, Response)
    assert answer.header("location") == BYE


@pytest.mark.parametrize(
    "uri", [CALLBACK, f"{BYE}?more", f"{BYE}/", "https://APP.example/bye", "https://evil.example/"]
)
def test_a_logout_redirect_that_is_not_registered_exactly_is_refused_and_ends_nothing(world: World, uri: str) -> None:
    tokens = world.login().json
    with pytest.raises(ServerError, match="Invalid redirect uri") as caught:
        visit(world, id_token_hint=tokens["id_token"], post_logout_redirect_uri=uri)
    assert caught.value.status == 400
    assert world.refresh(tokens["refresh_token"]).status == 200


def test_a_client_that_is_gone_has_no_redirect(world: World) -> None:
    hint = world.login().json["id_token"]
    world.clients = (SPA,)
    with pytest.raises(ServerError, match="Invalid redirect uri"):
        visit(world, id_token_hint=hint, post_logout_redirect_uri=BYE)
    assert isinstance(visit(world, id_token_hint=hint), LoggedOut)


def test_no_other_token_is_taken_for_an_id_token(world: World) -> None:
    tokens = world.login().json
    for hint in (tokens["access_token"], tokens["refresh_token"], "garbage"):
        with pytest.raises(ServerError, match="id_token_hint") as caught:
            visit(world, id_token_hint=hint)
        assert caught.value.status == 400
    assert world.refresh(tokens["refresh_token"]).status == 200


def test_an_id_token_of_a_client_itself_ends_no_session(world: World) -> None:
    hint = world.token({"grant_type": "client_credentials", "scope": "openid"}).json["id_token"]
    assert isinstance(visit(world, id_token_hint=hint), LoggedOut)


def test_a_refresh_token_of_the_client_ends_its_session(world: World) -> None:
    token = world.login().json["refresh_token"]
    answer = post(world, client_id="app", client_secret=SECRET, refresh_token=token)
    assert isinstance(answer, Response)
    assert (answer.status, answer.body, answer.header("cache-control")) == (204, b"", "no-store")
    assert world.refresh(token).json["error_description"] == "Session not active"


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"client_id": "other", "client_secret": "other-secret"}, 400, "don't match"),
        ({"client_id": "spa"}, 400, "don't match"),
        ({"client_id": "app", "client_secret": "wrong"}, 401, "unauthorized_client"),
        ({"client_id": "app", "client_secret": SECRET, "refresh_token": "garbage"}, 400, "Invalid refresh token"),
        ({"client_id": "app", "client_secret": SECRET, "refresh_token": ""}, 400, "Missing parameter"),
    ],
)
def test_a_refresh_token_ends_no_session_for_another_client(
    world: World, form: dict[str, Any], status: int, error: str
) -> None:
    token = world.login().json["refresh_token"]
    answer = post(world, **{"refresh_token": token, **form})
    assert isinstance(answer, Response)
    assert (answer.status, error in answer.body.decode()) == (status, True)
    assert world.refresh(token).status == 200


def test_a_refresh_token_in_a_link_does_not_log_out(world: World) -> None:
    token = world.login().json["refresh_token"]
    assert isinstance(visit(world, client_id="app", client_secret=SECRET, refresh_token=token), LoggedOut)
    assert world.refresh(token).status == 200


def test_a_browser_is_asked_first_and_its_form_ends_its_session(world: World) -> None:
    cookies, token = logged_in(world)
    question = visit(world, cookies)
    assert isinstance(question, ConfirmLogout)
    assert question.csrf not in repr(question)
    for again in (
        visit(world, cookies, csrf=question.csrf),
        post(world, cookies, csrf="guessed"),
        post(world, cookies),
    ):
        assert isinstance(again, ConfirmLogout)
    assert world.refresh_public(token).status == 200
    assert isinstance(post(world, cookies, csrf=question.csrf), LoggedOut)
    assert isinstance(world.authorize(cookies), LoginNeeded)


def test_the_form_of_one_browser_ends_no_other_session(world: World) -> None:
    (mine, _), (theirs, token) = logged_in(world), logged_in(world)
    question = visit(world, mine)
    assert isinstance(question, ConfirmLogout)
    assert isinstance(post(world, theirs, csrf=question.csrf), ConfirmLogout)
    assert world.refresh_public(token).status == 200


def test_a_browser_without_a_session_is_logged_out_already(world: World) -> None:
    for cookies in (Cookies(), Cookies(session="guessed")):
        assert isinstance(visit(world, cookies), LoggedOut)
        assert isinstance(post(world, cookies, csrf="x"), LoggedOut)
