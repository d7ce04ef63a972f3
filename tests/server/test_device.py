"""The device flow of the authorization server (RFC 8628): its endpoint, its grant, and who may answer its page."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from doorkey.errors import ServerError
from doorkey.protocol.grants import DEVICE_CODE
from doorkey.server.consents import revoke_consent
from doorkey.server.endpoints.device import CodeNeeded, DeviceAnswered, device
from doorkey.server.endpoints.device_authorization import MAX_PENDING, authorize_device
from doorkey.server.endpoints.device_question import DeviceQuestion
from doorkey.server.endpoints.forms import Cookies
from doorkey.server.endpoints.login import LoginNeeded
from doorkey.server.model import DeviceLogin, Settings
from doorkey.server.storage.device_logins import DeviceEffect, SaveDevice
from doorkey.server.storage.effects import FindConsents
from doorkey.server.storage.records import MemoryRecords
from doorkey.server.storage.sqlite import SQLiteRecords
from doorkey.server.user_codes import ALPHABET, formatted, new_user_code, normalized
from doorkey.wire.flow import run
from doorkey.wire.messages import FORM, Pairs, Request
from tests.server.world import ALICE, APP, ENDPOINTS, OTHER, SECRET, SPA, Answer, World, with_known_key

TV = replace(APP, client_id="tv", grants=frozenset({DEVICE_CODE, "refresh_token"}))
BOX = replace(SPA, client_id="box", grants=frozenset({DEVICE_CODE, "refresh_token"}))


@pytest.fixture
def world() -> World:
    return World(Settings(signing_alg="ES256"), clients=(TV, BOX, APP, OTHER), store=with_known_key(MemoryRecords()))


def begun(world: World, client_id: str = "box", **form: str) -> Answer:
    return Answer.of(world.post(authorize_device, {"client_id": client_id, "scope": "openid", **form}))


def poll(world: World, answer: Answer, client_id: str = "box") -> Answer:
    form = {"grant_type": DEVICE_CODE, "device_code": answer.json["device_code"], "client_id": client_id}
    return world.token(form, None)


def visit(world: World, cookies: Cookies | None = None, **query: str) -> Any:
    request = Request("GET", f"{ENDPOINTS.device}?{urlencode(query)}")
    return run(device(request, world.at, cookies or Cookies()), world.perform)


def send(world: World, cookies: Cookies, headers: Pairs = (), **form: Any) -> Any:
    request = Request("POST", ENDPOINTS.device, (("Content-Type", FORM), *headers), tuple(form.items()))
    return run(device(request, world.at, cookies), world.perform)


def asked(world: World, answer: Answer) -> DeviceQuestion:
    """Enter the code and log in; the question to the user."""
    page = visit(world)
    assert isinstance(page, CodeNeeded)
    needed = send(world, Cookies(page.browser), user_code=answer.json["user_code"], csrf=page.csrf)
    assert isinstance(needed, LoginNeeded)
    question: object = world.fill_in(needed)
    assert isinstance(question, DeviceQuestion)
    return question


def reply(world: World, question: DeviceQuestion, button: str = "accept", **changes: str) -> Any:
    form: dict[str, Any] = {"user_code": formatted(question.user_code), "csrf": question.csrf, button: "Yes", **changes}
    return send(world, Cookies(session=question.session_key), **form)


def test_the_answer_names_a_code_to_type_and_where(world: World) -> None:
    answer = begun(world).json
    assert re.fullmatch(rf"[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}", answer["user_code"])
    assert len(answer["device_code"]) >= 43
    assert (answer["verification_uri"], answer["expires_in"], answer["interval"]) == (ENDPOINTS.device, 600, 5)
    complete: str = answer["verification_uri_complete"]
    assert dict(parse_qsl(urlsplit(complete).query)) == {"user_code": answer["user_code"]}


def test_a_device_logs_in_once_its_user_has_allowed_it(world: World) -> None:
    answer = begun(world)
    assert poll(world, answer).problem == (400, "authorization_pending")
    question = asked(world, answer)
    assert (question.client_id, question.username) == ("box", "alice")
    assert set(question.scope) == {"openid", "profile", "email"}
    world.advance(5)
    assert poll(world, answer).problem == (400, "authorization_pending"), "entering the code is no consent"
    assert reply(world, question) == DeviceAnswered("box", allowed=True)
    world.advance(5)
    token = poll(world, answer)
    assert token.status == 200
    assert token.json["scope"].split()[0] == "openid"
    assert {"access_token", "refresh_token", "id_token"} <= token.json.keys()
    renewed = {"grant_type": "refresh_token", "client_id": "box", "refresh_token": token.json["refresh_token"]}
    assert world.token(renewed, None).status == 200


def test_a_browser_that_is_logged_in_is_asked_at_once(world: World) -> None:
    first = asked(world, begun(world))
    answer = begun(world)
    cookies = Cookies("", first.session_key)
    page = visit(world, cookies)
    question = send(world, Cookies(page.browser, first.session_key), user_code=answer.json["user_code"], csrf=page.csrf)
    assert isinstance(question, DeviceQuestion)
    assert reply(world, question) == DeviceAnswered("box", allowed=True)
    assert poll(world, answer).status == 200


def test_a_device_that_is_refused_is_told_so(world: World) -> None:
    answer = begun(world)
    assert reply(world, asked(world, answer), "cancel") == DeviceAnswered("box", allowed=False)
    for _ in range(2):
        assert poll(world, answer).problem == (400, "access_denied")


def test_a_device_code_works_once_and_its_replay_ends_its_grant(world: World) -> None:
    answer = begun(world)
    reply(world, asked(world, answer))
    token = poll(world, answer)
    renewal = {"grant_type": "refresh_token", "client_id": "box", "refresh_token": token.json["refresh_token"]}
    renewed = world.token(renewal, None)
    assert renewed.status == 200
    assert poll(world, answer).problem == (400, "invalid_grant")
    assert world.token({**renewal, "refresh_token": renewed.json["refresh_token"]}, None).problem[0] == 400
    world.advance(600)
    assert poll(world, answer).problem == (400, "invalid_grant"), "a used code is no expired one"


def test_a_code_is_answered_once(world: World) -> None:
    question = asked(world, begun(world))
    reply(world, question)
    for button in ("accept", "cancel"):
        with pytest.raises(ServerError, match="already used"):
            reply(world, question, button)
    page = visit(world)
    again = send(world, Cookies(page.browser), user_code=question.user_code, csrf=page.csrf)
    assert isinstance(again, CodeNeeded)
    assert again.failed


def test_a_code_expires_for_the_device_and_for_the_user(world: World) -> None:
    answer = begun(world)
    question = asked(world, answer)
    world.advance(600)
    assert poll(world, answer).problem == (400, "expired_token")
    with pytest.raises(ServerError, match="has expired"):
        reply(world, question)


def test_a_login_that_was_allowed_too_long_ago_has_expired_too(world: World) -> None:
    answer = begun(world)
    reply(world, asked(world, answer))
    world.advance(600)
    assert poll(world, answer).problem == (400, "expired_token")


def test_polling_too_fast_is_slowed_down_for_good(world: World) -> None:
    answer = begun(world)
    problems: list[tuple[int, str]] = []
    for pause in (0, 1, 5, 10, 14, 15):
        world.advance(pause)
        problems.append(poll(world, answer).problem)
    assert problems == [(400, "authorization_pending"), *[(400, "slow_down")] * 5]
    world.advance(30)  # the interval began with 5 seconds, and each slow_down has added as many
    assert poll(world, answer).problem[1] == "authorization_pending"


def test_a_poll_may_come_a_moment_early(world: World) -> None:
    answer = begun(world)
    poll(world, answer)
    for pause in (4.6, 4.5):
        world.advance(pause)
        assert poll(world, answer).problem[1] == "authorization_pending"
    world.advance(4.4)
    assert poll(world, answer).problem[1] == "slow_down"


def test_what_was_allowed_is_a_consent_and_ends_when_it_is_revoked(world: World) -> None:
    answer = begun(world)
    reply(world, asked(world, answer))
    token = poll(world, answer)
    consents = run(iter(FindConsents(ALICE.sub)), world.perform)
    assert consents is not None
    assert [(one.client_id, set(one.scope)) for one in consents] == [("box", {"openid", "profile", "email"})]
    run(revoke_consent(ALICE.sub, "box"), world.perform)
    renewal = {"grant_type": "refresh_token", "client_id": "box", "refresh_token": token.json["refresh_token"]}
    assert world.token(renewal, None).problem == (400, "invalid_grant")


def test_a_wrong_password_leaves_the_login_of_the_device_as_it_is(world: World) -> None:
    answer = begun(world)
    page = visit(world)
    needed = send(world, Cookies(page.browser), user_code=answer.json["user_code"], csrf=page.csrf)
    again: object = world.fill_in(needed, "wrong")
    assert isinstance(again, LoginNeeded)
    assert (again.failed, again.client_id) == (True, "box")
    question: object = world.fill_in(again)
    assert isinstance(question, DeviceQuestion)
    assert reply(world, question) == DeviceAnswered("box", allowed=True)


def test_a_code_that_ends_while_its_user_logs_in_is_an_error(world: World) -> None:
    answer = begun(world)
    page = visit(world)
    needed = send(world, Cookies(page.browser), user_code=answer.json["user_code"], csrf=page.csrf)
    world.advance(600)
    with pytest.raises(ServerError, match="has expired"):
        world.fill_in(needed)


def test_a_login_survives_a_restart_of_the_server(tmp_path: Path) -> None:
    def started() -> World:
        store = SQLiteRecords(tmp_path / "store")
        return World(Settings(signing_alg="ES256"), clients=(BOX,), store=store)

    world = started()
    answer = begun(world)
    question = asked(world, answer)
    world.store.close()
    world = started()
    assert poll(world, answer).problem == (400, "authorization_pending")
    assert reply(world, question) == DeviceAnswered("box", allowed=True)
    world.store.close()
    world = started()
    world.advance(5)
    assert poll(world, answer).status == 200
    assert poll(world, answer).problem == (400, "invalid_grant")
    world.store.close()
    assert answer.json["device_code"].encode() not in (tmp_path / "store").read_bytes()


def test_another_client_can_neither_use_nor_spoil_a_device_code(world: World) -> None:
    answer = begun(world)
    reply(world, asked(world, answer))
    assert world.token(
        {"grant_type": DEVICE_CODE, "device_code": answer.json["device_code"]}, ("tv", SECRET)
    ).problem == (
        400,
        "invalid_grant",
    )
    assert poll(world, answer).status == 200


@pytest.mark.parametrize("device_code", ["", "made-up"])
def test_an_unknown_device_code_is_refused(world: World, device_code: str) -> None:
    form = {"grant_type": DEVICE_CODE, "device_code": device_code, "client_id": "box"}
    assert world.token(form, None).status == 400


def test_the_client_authenticates_and_has_the_grant(world: World) -> None:
    wrong = world.post(authorize_device, {"scope": "openid"}, ("tv", "guess"))
    assert (wrong.status, wrong.header("cache-control")) == (401, "no-store")
    assert begun(world, "tv").problem[0] == 401, "its secret is missing"
    assert Answer.of(world.post(authorize_device, {}, ("tv", SECRET))).status == 200
    assert Answer.of(world.post(authorize_device, {}, ("app", SECRET))).problem == (400, "unauthorized_client")
    form = {"grant_type": DEVICE_CODE, "device_code": "d"}
    assert world.token(form, ("app", SECRET)).problem == (400, "unauthorized_client")
    assert begun(world, scope="openid nonsense").problem == (400, "invalid_scope")


def test_pending_codes_are_bounded(world: World) -> None:
    for _ in range(MAX_PENDING):
        assert begun(world).status == 200
    full = begun(world)
    assert full.problem == (503, "temporarily_unavailable")
    world.advance(600)
    assert begun(world).status == 200


def test_guessing_codes_has_to_wait_as_guessing_passwords_does(world: World) -> None:
    world.address = "203.0.113.7"
    answer = begun(world)
    page = visit(world)
    outcomes: list[CodeNeeded] = [
        send(world, Cookies(page.browser), user_code=new_user_code(), csrf=page.csrf) for _ in range(60)
    ]
    assert outcomes[0].failed
    assert outcomes[-1].retry_after
    right = send(world, Cookies(page.browser), user_code=answer.json["user_code"], csrf=page.csrf)
    assert isinstance(right, CodeNeeded)
    assert right.retry_after, "a right guess is not told apart meanwhile"
    world.address = "203.0.113.8"
    assert isinstance(
        send(world, Cookies(page.browser), user_code=answer.json["user_code"], csrf=page.csrf), LoginNeeded
    )


def _guessed(world: World, page: CodeNeeded, question: DeviceQuestion) -> Any:
    return send(world, Cookies(page.browser), user_code=question.user_code, csrf="made up")


def _elsewhere(world: World, page: CodeNeeded, question: DeviceQuestion) -> Any:
    return send(world, Cookies(), user_code=question.user_code, csrf=page.csrf)


def _from_another_site(world: World, page: CodeNeeded, question: DeviceQuestion) -> Any:
    headers = (("Origin", "https://evil.example"),)
    return send(world, Cookies(page.browser), headers, user_code=question.user_code, csrf=page.csrf)


def _with_the_field_of_the_other_form(world: World, page: CodeNeeded, question: DeviceQuestion) -> Any:
    return reply(world, question, csrf=page.csrf)


def _for_another_code(world: World, page: CodeNeeded, question: DeviceQuestion) -> Any:
    return reply(world, question, user_code="BCDFGHJK")


def _without_the_session(world: World, page: CodeNeeded, question: DeviceQuestion) -> Any:
    form: dict[str, Any] = {"user_code": question.user_code, "csrf": question.csrf, "accept": "Yes"}
    return send(world, Cookies(page.browser), **form)


@pytest.mark.parametrize(
    "attack",
    [
        _guessed,
        _elsewhere,
        _from_another_site,
        _with_the_field_of_the_other_form,
        _for_another_code,
        _without_the_session,
    ],
)
def test_a_form_works_only_in_the_browser_and_for_the_code_that_it_was_made_for(
    world: World, attack: Callable[[World, CodeNeeded, DeviceQuestion], object]
) -> None:
    answer = begun(world)
    question = asked(world, answer)
    with pytest.raises(ServerError):
        attack(world, visit(world), question)
    assert poll(world, answer).problem == (400, "authorization_pending")


def test_a_code_in_the_url_is_shown_and_changes_nothing(world: World) -> None:
    answer = begun(world)
    page = visit(world, user_code=answer.json["user_code"])
    assert page.user_code == normalized(answer.json["user_code"])
    assert not page.failed
    assert visit(world, user_code="<script>").user_code == "SCRPT"
    assert poll(world, answer).problem == (400, "authorization_pending")


def test_two_answers_at_once_count_once(world: World) -> None:
    """The device polls, which writes the record, between the reading and the writing of the user's answer."""
    answer = begun(world)
    question = asked(world, answer)
    perform, polled = world.perform, list[Answer]()

    def racing(effect: Any) -> Any:
        found = perform(effect)
        if type(effect).__name__ == "FindUserCode" and not polled:
            polled.append(poll(world, answer))
        return found

    form = {"user_code": question.user_code, "csrf": question.csrf, "accept": "Yes"}
    request = Request("POST", ENDPOINTS.device, (("Content-Type", FORM),), tuple(form.items()))
    done = run(device(request, world.at, Cookies(session=question.session_key)), racing)
    assert done == DeviceAnswered("box", allowed=True)
    assert polled[0].problem == (400, "authorization_pending")
    world.advance(5)
    assert poll(world, answer).status == 200


def test_a_user_code_is_never_given_twice_at_one_time(world: World) -> None:
    login = DeviceLogin(id="a", user_code="BCDFGHJK", client_id="box", scope=(), expires_at=world.now + 9, interval=5)
    assert world.perform(SaveDevice(login))
    assert not world.perform(SaveDevice(replace(login, id="b")))
    with pytest.raises(TypeError, match="unknown effect _Unknown"):
        world.perform(_Unknown())


class _Unknown(DeviceEffect[None]):
    """An effect on devices that nothing performs."""

    __slots__ = ()


@pytest.mark.parametrize("text", ["wdjb-mjht", " W D J B M J H T ", "WDJB\u2013MJHT", "wdjbmjht"])
def test_a_code_may_be_typed_in_any_case_and_with_any_separator(text: str) -> None:
    assert normalized(text) == "WDJBMJHT"
    assert formatted(normalized(text)) == "WDJB-MJHT"


def test_a_longer_text_is_no_code() -> None:
    assert normalized("WDJBMJHTX" * 50) != "WDJBMJHT"
