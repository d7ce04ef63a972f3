"""The user's answer for a device: after another one, without a session or a user, and what the device gets by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from doorkey.errors import ServerError
from doorkey.jose.verification import unsafe_claims
from doorkey.server.consents import revoke_consent
from doorkey.server.endpoints.device import CodeNeeded, DeviceAnswered, device
from doorkey.server.endpoints.device_question import DeviceQuestion
from doorkey.server.endpoints.forms import Cookies
from doorkey.server.endpoints.login import LoginNeeded
from doorkey.server.model import DeviceLogin, Session, Settings
from doorkey.server.storage.device_logins import FindDevice, device_id
from doorkey.server.storage.effects import EndSession, FindBrowser, FindConsents, FindSession
from doorkey.server.user_codes import new_user_code
from doorkey.wire.flow import run
from doorkey.wire.messages import FORM, Request
from tests.server.test_device import BOX, asked, begun, poll, reply, send, visit
from tests.server.world import ALICE, ENDPOINTS, World


@pytest.fixture
def world() -> World:
    return World(Settings(signing_alg="ES256"), clients=(BOX,))


def session_of(world: World, question: DeviceQuestion) -> Session | None:
    """The session of the browser that was asked."""
    session_id: str = world.perform(FindBrowser(question.session_key))
    session: Session | None = world.perform(FindSession(session_id))
    return session


def end_session(world: World, question: DeviceQuestion) -> None:
    session = session_of(world, question)
    assert session is not None
    world.perform(EndSession(session.id))


def raced(world: World, question: DeviceQuestion, button: str, meanwhile: Callable[[], object]) -> Any:
    """Press a button; once the server has read the login of the device, and before it writes, do `meanwhile`."""
    perform, once = world.perform, [meanwhile]

    def racing(effect: Any) -> Any:
        found = perform(effect)
        if type(effect).__name__ == "FindUserCode" and once:
            once.pop()()
        return found

    form = {"user_code": question.user_code, "csrf": question.csrf, button: "Yes"}
    request = Request("POST", ENDPOINTS.device, (("Content-Type", FORM),), tuple(form.items()))
    return run(device(request, world.at, Cookies(session=question.session_key)), racing)


def test_a_refusal_that_comes_first_leaves_a_later_consent_nothing(world: World) -> None:
    answer = begun(world)
    question = asked(world, answer)
    with pytest.raises(ServerError, match="already used"):
        raced(world, question, "accept", lambda: reply(world, question, "cancel"))
    assert poll(world, answer).problem == (400, "access_denied")
    session = session_of(world, question)
    assert session is not None
    assert session.grants == (), "the grant of the answer that did not count has ended"
    assert not world.perform(FindConsents(ALICE.sub))


def test_a_consent_that_comes_first_is_not_taken_back_by_a_later_refusal(world: World) -> None:
    answer = begun(world)
    question = asked(world, answer)
    with pytest.raises(ServerError, match="already used"):
        raced(world, question, "cancel", lambda: reply(world, question, "accept"))
    assert poll(world, answer).status == 200


@pytest.mark.parametrize("first", ["accept", "cancel"])
def test_a_refusal_counts_although_the_device_polls_meanwhile(world: World, first: str) -> None:
    answer = begun(world)
    done = raced(world, asked(world, answer), first, lambda: poll(world, answer))
    assert done == DeviceAnswered("box", allowed=first == "accept")
    world.advance(5)
    assert poll(world, answer).status == (200 if first == "accept" else 400)


@pytest.mark.parametrize("button", ["accept", "cancel"])
def test_a_session_that_has_ended_answers_nothing(world: World, button: str) -> None:
    answer = begun(world)
    question = asked(world, answer)
    end_session(world, question)
    with pytest.raises(ServerError):
        reply(world, question, button)
    assert poll(world, answer).problem == (400, "authorization_pending")


def test_a_session_that_ends_during_the_answer_allows_nothing(world: World) -> None:
    answer = begun(world)
    question = asked(world, answer)
    with pytest.raises(ServerError):
        raced(world, question, "accept", lambda: end_session(world, question))
    assert poll(world, answer).problem == (400, "authorization_pending")
    assert not world.perform(FindConsents(ALICE.sub))


@pytest.mark.parametrize("button", ["accept", "cancel"])
def test_a_user_who_was_deleted_answers_nothing_and_is_asked_to_log_in(world: World, button: str) -> None:
    answer = begun(world)
    question = asked(world, answer)
    world.users = ()
    with pytest.raises(ServerError):
        reply(world, question, button)
    assert poll(world, answer).problem == (400, "authorization_pending")
    page = visit(world)
    cookies = Cookies(page.browser, question.session_key)
    needed = send(world, cookies, user_code=answer.json["user_code"], csrf=page.csrf)
    assert isinstance(needed, LoginNeeded)


def test_the_id_token_of_a_device_says_when_its_user_logged_in(world: World) -> None:
    answer = begun(world)
    question = asked(world, answer)
    logged_in_at = int(world.now)
    world.advance(7)
    reply(world, question)
    world.advance(5)
    token = poll(world, answer).json
    assert unsafe_claims(token["id_token"])["auth_time"] == logged_in_at


def test_a_form_without_a_code_is_a_wrong_one(world: World) -> None:
    page = visit(world)
    again = send(world, Cookies(page.browser), csrf=page.csrf)
    assert isinstance(again, CodeNeeded)
    assert (again.failed, again.user_code, again.retry_after) == (True, "", None)
    question = asked(world, begun(world))
    with pytest.raises(ServerError):
        send(world, Cookies(session=question.session_key), csrf=question.csrf, accept="Yes")


def test_a_caller_that_has_to_wait_is_not_told_whether_the_code_was_wrong(world: World) -> None:
    world.address = "203.0.113.7"
    page = visit(world)
    outcome = CodeNeeded("", "")
    for _ in range(60):
        outcome = send(world, Cookies(page.browser), user_code=new_user_code(), csrf=page.csrf)
    assert outcome.retry_after
    assert not outcome.failed


def test_no_repr_of_a_page_shows_what_makes_its_form_work(world: World) -> None:
    page = visit(world)
    question = asked(world, begun(world))
    for shown in (repr(page), repr(question)):
        assert not [one for one in (page.csrf, page.browser, question.csrf, question.session_key) if one in shown]


@pytest.mark.parametrize("missing", ["consent", "user"])
def test_a_login_whose_consent_or_user_is_gone_before_the_device_asks_gives_no_token(
    world: World, missing: str
) -> None:
    answer = begun(world)
    reply(world, asked(world, answer))
    if missing == "user":
        world.users = ()
    else:
        run(revoke_consent(ALICE.sub, "box"), world.perform)
    assert poll(world, answer).problem == (400, "invalid_grant")


def test_the_session_that_allowed_it_may_end_before_the_device_polls(world: World) -> None:
    answer = begun(world)
    question = asked(world, answer)
    reply(world, question)
    login = run(iter(FindDevice(device_id(answer.json["device_code"]))), world.perform)
    assert isinstance(login, DeviceLogin)
    world.perform(EndSession(login.session_id or ""))
    assert poll(world, answer).problem == (400, "invalid_grant")
    with pytest.raises(ServerError):
        reply(world, question)
