"""The consent of a user: when it is asked for, who may answer, and that it is remembered until it is revoked."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from doorkey.errors import ServerError
from doorkey.protocol.grants import JWT_BEARER, TOKEN_EXCHANGE
from doorkey.server.consents import MAX_CONSENTS, remember_consent, revoke_consent
from doorkey.server.endpoints.consent import ConsentNeeded, answer_consent
from doorkey.server.endpoints.forms import Cookies
from doorkey.server.endpoints.login import LoggedIn, LoginNeeded
from doorkey.server.model import Settings
from doorkey.server.registrations import PASSWORD
from doorkey.server.storage.effects import FindConsents
from doorkey.values import Secret
from doorkey.wire.flow import run
from doorkey.wire.messages import FORM, Pairs, Request, Response
from tests.server.world import ALICE, APP, ISSUER, SPA, World, callback

CAREFUL = replace(SPA, require_consent=True)
BOB = replace(ALICE, sub="sub-of-bob", username="bob", password=Secret("builder"))


@pytest.fixture
def world() -> World:
    return World(Settings(signing_alg="ES256"), clients=(CAREFUL,), users=(ALICE, BOB))


def asked(world: World, cookies: Cookies | None = None, /, **changes: str | None) -> ConsentNeeded:
    """Log in if need be, and return the question."""
    outcome: object = world.authorize(cookies, **changes)
    if isinstance(outcome, LoginNeeded):
        outcome = world.fill_in(outcome)
    assert isinstance(outcome, ConsentNeeded)
    return outcome


def answer(
    world: World,
    needed: ConsentNeeded,
    button: str = "accept",
    headers: Pairs = (),
    key: str | None = None,
    **form: str,
) -> Response:
    """Send the form in the browser that it was shown in, unless told otherwise."""
    fields = {"transaction": needed.consent_id, "csrf": needed.csrf, button: "Yes", **form}
    request = Request("POST", ISSUER, (("Content-Type", FORM), *headers), tuple(fields.items()))
    cookies = Cookies(session=needed.session_key if key is None else key)
    return run(answer_consent(request, world.at, cookies), world.perform)


def test_the_user_is_asked_after_the_login_and_allows_the_scopes(world: World) -> None:
    needed = asked(world)
    assert (needed.client_id, needed.username) == ("spa", "alice")
    assert set(needed.scope) == {"openid", "profile", "email"}
    response = answer(world, needed)
    assert response.status == 303
    sent = callback(response)
    assert sent["state"] == "a-state"
    assert world.exchange(sent["code"]).status == 200


def test_an_answer_is_remembered_for_the_user_the_client_and_the_scopes(world: World) -> None:
    needed = asked(world)
    answer(world, needed)
    cookies = Cookies(session=needed.session_key)
    assert isinstance(world.authorize(cookies), Response)
    fresh = world.authorize()  # another browser of the same user
    assert isinstance(fresh, LoginNeeded)
    assert isinstance(world.fill_in(fresh), LoggedIn)
    bobs = world.authorize()
    assert isinstance(bobs, LoginNeeded)
    assert isinstance(world.fill_in(bobs, "builder", username="bob"), ConsentNeeded)
    more = asked(world, cookies, scope="openid address")
    answer(world, more)
    for scope in ("openid", "openid address"):
        assert isinstance(world.authorize(cookies, scope=scope), Response)
    world.clients = (CAREFUL, replace(CAREFUL, client_id="other-spa"))
    asked(world, cookies, client_id="other-spa")


def test_a_user_who_says_no_goes_back_with_access_denied_and_is_asked_again(world: World) -> None:
    needed = asked(world)
    sent = callback(answer(world, needed, "cancel"))
    assert (sent["error"], sent["state"], sent["iss"]) == ("access_denied", "a-state", ISSUER)
    assert "code" not in sent
    asked(world, Cookies(session=needed.session_key))


def test_a_no_goes_back_in_the_response_mode_of_the_request(world: World) -> None:
    page = answer(world, asked(world, response_mode="form_post"), "cancel")
    assert page.status == 200
    assert b"access_denied" in page.body


def test_prompt_consent_asks_every_user_of_every_client_again(world: World) -> None:
    world.clients = (SPA,)
    needed = asked(world, prompt="consent")
    answer(world, needed)
    asked(world, Cookies(session=needed.session_key), prompt="consent")
    asked(world, prompt="login consent")
    assert isinstance(world.authorize(Cookies(session=needed.session_key)), Response)


def test_a_client_that_needs_no_consent_asks_for_none(world: World) -> None:
    world.clients = (SPA,)
    assert isinstance(world.logged_in(), LoggedIn)


@pytest.mark.parametrize("grant_type", [PASSWORD, TOKEN_EXCHANGE, JWT_BEARER])
def test_a_client_that_needs_consent_gets_no_token_for_a_user_who_cannot_be_asked(
    world: World, grant_type: str
) -> None:
    allowed = replace(APP, grants=frozenset({*APP.grants, TOKEN_EXCHANGE, JWT_BEARER}))
    subject = world.exchange(callback(answer(world, asked(world)))["code"]).json["access_token"]
    form = {"grant_type": grant_type, "username": "alice", "password": "wonderland", "subject_token": subject}
    refused = (400, "invalid_client")
    for one, expected in ((replace(allowed, require_consent=True), True), (allowed, False)):
        world.clients = (one, CAREFUL)
        assert (world.token(form).problem == refused) is expected
    service = {"grant_type": "client_credentials"}
    world.clients = (replace(allowed, require_consent=True),)
    assert world.token(service).status == 200


def test_prompt_none_is_an_error_where_consent_is_missing(world: World) -> None:
    needed = asked(world)
    cookies = Cookies(session=needed.session_key)
    refused = world.authorize(cookies, prompt="none")
    assert isinstance(refused, Response)
    assert callback(refused)["error"] == "consent_required"
    answer(world, needed)
    granted = world.authorize(cookies, prompt="none")
    assert isinstance(granted, Response)
    assert "code" in callback(granted)


def test_a_form_works_only_in_the_session_that_it_was_shown_in(world: World) -> None:
    needed, other = asked(world), asked(world)
    calls: list[Callable[[], object]] = [
        lambda: answer(world, needed, key=other.session_key),
        lambda: answer(world, needed, key=""),
        lambda: answer(world, needed, csrf=other.csrf),
        lambda: answer(world, needed, csrf=""),
        lambda: answer(world, needed, transaction=other.consent_id),
        lambda: answer(world, needed, transaction="garbage"),
        lambda: answer(world, needed, headers=(("Origin", "https://evil.example"),)),
        lambda: answer(world, needed, headers=(("Sec-Fetch-Site", "cross-site"),)),
    ]
    for call in calls:
        with pytest.raises(ServerError) as caught:
            call()
        assert caught.value.status == 400
    assert answer(world, needed).status == 303


def test_a_form_of_a_login_is_no_answer_and_the_other_way_around(world: World) -> None:
    needed, login = asked(world), world.authorize()
    assert isinstance(login, LoginNeeded)
    with pytest.raises(ServerError, match="expired"):
        answer(world, needed, transaction=login.login_id)
    with pytest.raises(ServerError, match="expired"):
        world.fill_in(login, transaction=needed.consent_id)


def test_a_question_is_answered_once_and_expires(world: World) -> None:
    needed, late = asked(world), asked(world)
    answer(world, needed)
    with pytest.raises(ServerError, match="already used"):
        answer(world, needed)
    world.advance(1800)
    with pytest.raises(ServerError, match="expired"):
        answer(world, late)


def test_a_session_that_has_ended_answers_nothing(world: World) -> None:
    world.settings = replace(world.settings, session_idle=60)
    needed = asked(world)
    world.advance(60)
    with pytest.raises(ServerError, match="expired"):
        answer(world, needed)


def test_a_revoked_consent_is_asked_for_again_and_ends_the_grants_of_the_client(world: World) -> None:
    needed = asked(world)
    tokens = world.exchange(callback(answer(world, needed))["code"]).json
    run(revoke_consent(ALICE.sub, "another-client"), world.perform)
    assert world.refresh_public(tokens["refresh_token"]).status == 200
    run(revoke_consent(ALICE.sub, "spa"), world.perform)
    assert world.refresh_public(tokens["refresh_token"]).problem == (400, "invalid_grant")
    asked(world, Cookies(session=needed.session_key))


def test_the_consents_of_a_user_are_bounded(world: World) -> None:
    for number in range(MAX_CONSENTS + 5):
        run(remember_consent(world.at, ALICE.sub, f"client-{number}", ("openid",)), world.perform)
    kept = run(iter(FindConsents(ALICE.sub)), world.perform)
    assert kept is not None
    assert [kept[0].client_id, len(kept)] == ["client-5", MAX_CONSENTS]


def test_two_answers_at_the_same_time_are_both_remembered(world: World) -> None:
    between = [lambda: run(remember_consent(world.at, ALICE.sub, "two", ("openid",)), world.perform)]

    def perform(effect: object) -> object:
        outcome = world.perform(effect)
        if isinstance(effect, FindConsents) and between:
            between.pop()()  # after the record was read, and before it is written
        return outcome

    run(remember_consent(world.at, ALICE.sub, "one", ("openid",)), perform)
    kept = run(iter(FindConsents(ALICE.sub)), world.perform)
    assert {one.client_id for one in kept or ()} == {"one", "two"}


def test_nothing_of_a_question_shows_its_secrets(world: World) -> None:
    needed = asked(world)
    for secret in (needed.consent_id, needed.csrf, needed.session_key):
        assert secret not in repr(needed)
