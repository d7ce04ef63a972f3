"""The account page: whose sessions and consents it shows, and which it ends."""

from dataclasses import replace

import pytest

from doorkey.errors import ServerError
from doorkey.server.consents import remember_consent
from doorkey.server.endpoints.account import Account, account
from doorkey.server.endpoints.forms import Cookies
from doorkey.server.endpoints.login import LoggedIn, LoginNeeded
from doorkey.server.endpoints.logout import LoggedOut
from doorkey.server.model import Settings
from doorkey.server.storage.records import MemoryRecords
from doorkey.values import Secret
from doorkey.wire.flow import run
from doorkey.wire.messages import FORM, Pairs, Request, Response
from tests.server.world import ALICE, ENDPOINTS, SPA, World, callback

BOB = replace(ALICE, sub="sub-of-bob", username="bob", password=Secret("builder"))
TOLD = replace(SPA, backchannel_logout_uri="https://app.example/back", frontchannel_logout_uri="https://app.example/f")


@pytest.fixture
def world() -> World:
    return World(Settings(signing_alg="ES256"), clients=(TOLD,), users=(ALICE, BOB))


def visit(world: World, cookies: Cookies) -> Account:
    shown = run(account(Request("GET", ENDPOINTS.account), world.at, cookies), world.perform)
    assert isinstance(shown, Account)
    return shown


def press(
    world: World, cookies: Cookies, button: str, value: str, headers: Pairs = (), csrf: str | None = None
) -> Response | LoginNeeded | LoggedOut | Account:
    form = {"csrf": visit(world, cookies).csrf if csrf is None else csrf, button: value}
    request = Request("POST", ENDPOINTS.account, (("Content-Type", FORM), *headers), tuple(form.items()))
    return run(account(request, world.at, cookies), world.perform)


def log_in(world: World, username: str = "alice", password: str = "wonderland") -> tuple[Cookies, str]:
    """Log in, and return the cookies of the browser and the refresh token of the client."""
    needed = world.authorize()
    assert isinstance(needed, LoginNeeded)
    done = world.fill_in(needed, password, username=username)
    assert isinstance(done, LoggedIn)
    tokens = world.exchange(callback(done.response)["code"]).json
    return Cookies(session=done.session_key), tokens["refresh_token"]


def is_live(world: World, refresh_token: str) -> bool:
    return world.refresh_public(refresh_token).status == 200


def test_it_lists_the_sessions_of_its_user_and_of_nobody_else(world: World) -> None:
    mine, _ = log_in(world)
    world.advance(60)
    log_in(world)
    theirs, _ = log_in(world, "bob", "builder")
    shown = visit(world, mine)
    assert (shown.username, shown.current.started_at) == ("alice", world.now - 60)
    assert [(one.sub, one.started_at) for one in shown.others] == [(ALICE.sub, world.now)]
    assert [grant.client_id for grant in shown.current.grants] == ["spa"]
    assert visit(world, theirs).others == ()


def test_a_session_that_ended_or_expired_is_not_listed(world: World) -> None:
    world.settings = replace(world.settings, session_idle=100)
    log_in(world)
    world.advance(60)
    mine, _ = log_in(world)
    world.advance(60)
    assert visit(world, mine).others == ()


def test_another_session_is_ended_and_its_clients_are_told(world: World) -> None:
    mine, my_token = log_in(world)
    _, other_token = log_in(world)
    response = press(world, mine, "end_session", visit(world, mine).others[0].id)
    assert isinstance(response, Response)
    assert (response.status, response.header("location")) == (303, ENDPOINTS.account)
    assert [sent.uri for sent in world.sent] == ["https://app.example/back"]
    assert (is_live(world, my_token), is_live(world, other_token)) == (True, False)
    assert visit(world, mine).others == ()


def test_all_other_sessions_are_ended_at_once(world: World) -> None:
    mine, my_token = log_in(world)
    tokens = [log_in(world)[1] for _ in range(3)]
    _, bobs_token = log_in(world, "bob", "builder")
    press(world, mine, "end_other_sessions", "yes")
    assert [is_live(world, token) for token in tokens] == [False] * 3
    assert is_live(world, my_token)
    assert is_live(world, bobs_token)


def test_the_session_of_this_browser_ends_with_the_page_after_logout(world: World) -> None:
    mine, my_token = log_in(world)
    ended = press(world, mine, "end_session", visit(world, mine).current.id)
    assert isinstance(ended, LoggedOut)
    assert len(ended.frames) == 1
    assert not is_live(world, my_token)


def test_the_session_and_the_consent_of_another_user_are_left_as_they_are(world: World) -> None:
    mine, _ = log_in(world)
    theirs, bobs_token = log_in(world, "bob", "builder")
    run(remember_consent(world.at, BOB.sub, "spa", ("openid",)), world.perform)
    press(world, mine, "end_session", visit(world, theirs).current.id)
    press(world, mine, "revoke_consent", "spa")
    assert is_live(world, bobs_token)
    assert [one.client_id for one in visit(world, theirs).consents] == ["spa"]


def test_a_consent_is_listed_and_revoked(world: World) -> None:
    mine, my_token = log_in(world)
    run(remember_consent(world.at, ALICE.sub, "spa", ("openid", "email")), world.perform)
    (consent,) = visit(world, mine).consents
    assert (consent.client_id, consent.scope, consent.given_at) == ("spa", ("openid", "email"), world.now)
    press(world, mine, "revoke_consent", "spa")
    assert visit(world, mine).consents == ()
    assert not is_live(world, my_token)


@pytest.mark.parametrize("headers", [(("Origin", "https://evil.example"),), (("Sec-Fetch-Site", "same-site"),)])
def test_a_form_of_another_site_ends_nothing(world: World, headers: Pairs) -> None:
    mine, my_token = log_in(world)
    with pytest.raises(ServerError, match="another site"):
        press(world, mine, "end_session", visit(world, mine).current.id, headers)
    assert is_live(world, my_token)


def test_a_form_without_the_token_of_this_session_ends_nothing(world: World) -> None:
    mine, my_token = log_in(world)
    theirs, _ = log_in(world, "bob", "builder")
    for csrf in ("", "guessed", visit(world, theirs).csrf):
        with pytest.raises(ServerError, match="not made for your browser session"):
            press(world, mine, "end_session", visit(world, mine).current.id, csrf=csrf)
    assert is_live(world, my_token)


@pytest.mark.parametrize("cookies", [Cookies(), Cookies(session="unknown-but-long-enough-0123456789")])
def test_a_browser_without_a_session_logs_in_and_comes_to_the_account_page(world: World, cookies: Cookies) -> None:
    for method in ("GET", "POST"):
        needed = run(account(Request(method, ENDPOINTS.account), world.at, cookies), world.perform)
        assert isinstance(needed, LoginNeeded)
        assert needed.client_id is None
        again = world.fill_in(needed, "wrong")
        assert isinstance(again, LoginNeeded)
        done = world.fill_in(again)
        assert isinstance(done, LoggedIn)
        assert (done.response.status, done.response.header("location")) == (303, ENDPOINTS.account)
        assert visit(world, Cookies(session=done.session_key)).username == "alice"


def test_a_visit_writes_nothing_to_the_store(world: World) -> None:
    mine, _ = log_in(world)
    before = dict(vars(world.store)["_records"])
    assert isinstance(world.store, MemoryRecords)
    visit(world, mine)
    run(account(Request("GET", ENDPOINTS.account), world.at, Cookies()), world.perform)
    assert vars(world.store)["_records"] == before


def test_nothing_of_the_page_shows_its_secrets(world: World) -> None:
    mine, _ = log_in(world)
    shown = visit(world, mine)
    assert shown.csrf not in repr(shown)
