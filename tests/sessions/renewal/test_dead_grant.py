"""`invalid_grant` marks the grant dead: it is not presented again, and an expired token is never sent instead.

Rule 5 says that a failed attempt is not reported to later callers. The error that later callers get in these tests
reports the state of the grant instead, until there is another token.
"""

from collections.abc import Callable
from typing import Any

import pytest

from doorkey.errors import InvalidClient, InvalidGrant, OAuthError, TransportError
from tests.support.contract_servers import EMBEDDED, Password, Site, on
from tests.support.every_adapter import Adapter, Client, in_background, together
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import Held, Hostile, Reply, reply, reset, token

OLD = {"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 300, "expires_at": START}
REFUSED = reply(
    400, headers={"Set-Cookie": "a=b"}, json={"error": "invalid_grant", "error_description": "Session not active"}
)
NO = reply(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


@pytest.fixture
def login(adapter: Adapter, hostile: Hostile, clock: Clock) -> Callable[..., Client]:
    """Make a client of a login whose token has expired; the token endpoint gives `answers`."""

    def make(*answers: Reply, expires_at: float = START, **options: Any) -> Client:
        hostile.on("/token", *answers)
        stored = {**OLD, "expires_at": expires_at}
        return adapter.client(token=stored, clock=clock, token_endpoint=hostile.token_endpoint, **options)

    return make


def grants(hostile: Hostile) -> list[str]:
    return [form["grant_type"] for form in (request.form for request in hostile.token_requests)]


def sent(hostile: Hostile) -> list[str | None]:
    return [request.token for request in hostile.to("/api")]


def is_told(call: Callable[[], object]) -> InvalidGrant:
    with pytest.raises(InvalidGrant) as caught:
        call()
    assert str(caught.value) == "invalid_grant: Session not active"
    return caught.value


@on(Password, only=(EMBEDDED,))
def test_a_removed_session_is_an_error_of_every_call_and_one_request(adapter: Adapter, site: Site) -> None:
    assert site.provider is not None
    client = adapter.client("admin-cli", **site.options)
    token = client.fetch_token(username="admin", password="admin")
    client.token = dict(token)  # as another process restores it, which knows no password
    url = f"{site.origin}/admin/realms/master/sessions/{token['session_state']}"
    assert client.request("DELETE", url).status_code == 204
    site.clock.advance(60)
    before = site.provider.token_requests
    counting = f"{site.origin}/admin/realms/master/users/count"
    is_told(lambda: client.get(counting))
    assert site.provider.token_requests == before + 1
    for again in (lambda: client.get(counting), client.ensure_active_token, lambda: client.post(counting)):
        is_told(again)
    assert site.provider.token_requests == before + 1


def test_invalid_grant_marks_the_grant_dead_and_an_expired_token_is_never_sent_instead(
    login: Callable[..., Client], hostile: Hostile, clock: Clock
) -> None:
    client = login(REFUSED, token("at-2"))
    told = [is_told(lambda: client.get(hostile.url())) for _ in range(3)]
    clock.advance(10**6)
    told += [is_told(client.ensure_active_token)]
    assert len({id(error) for error in told}) == 4
    assert {(error.status, error.uri) for error in told} == {(400, None)}
    assert sent(hostile) == []
    assert grants(hostile) == ["refresh_token"]


def test_a_repeated_error_holds_nothing_of_the_refused_request(login: Callable[..., Client], hostile: Hostile) -> None:
    client = login(REFUSED)
    is_told(lambda: client.get(hostile.url()))
    later = is_told(lambda: client.get(hostile.url()))
    assert (later.__cause__, later.headers) == (None, ())
    assert "rt-1" not in repr(client.native._oauth.slot.dead)


def test_later_callers_send_no_request(login: Callable[..., Client], hostile: Hostile) -> None:
    client = login(REFUSED, token("at-2"))
    is_told(lambda: client.get(hostile.url()))
    errors = together(16, lambda: client.get(hostile.url()))
    assert {type(error) for error in errors} == {InvalidGrant}
    assert len({id(error) for error in errors}) == 16
    assert len(hostile.token_requests) == 1


def test_a_token_that_is_still_good_goes_on_being_used(
    login: Callable[..., Client], hostile: Hostile, clock: Clock
) -> None:
    client = login(REFUSED, expires_at=START + 300)
    is_told(lambda: client.refresh_token(hostile.token_endpoint))
    for moment in (0, 240, 299.5):  # fresh, and inside the margin
        clock.advance(START + moment - clock())
        assert client.get(hostile.url()).status_code == 200
    clock.advance(0.5)
    is_told(lambda: client.get(hostile.url()))
    assert sent(hostile) == ["at-1"] * 3
    assert len(hostile.token_requests) == 1


def test_the_caller_that_finds_the_grant_dead_gets_the_error_and_others_use_the_token_until_it_expires(
    login: Callable[..., Client], hostile: Hostile, clock: Clock
) -> None:
    client = login(REFUSED, expires_at=START + 30)
    is_told(lambda: client.get(hostile.url()))
    assert client.get(hostile.url()).status_code == 200
    clock.advance(30)
    is_told(lambda: client.get(hostile.url()))
    assert sent(hostile) == ["at-1"]
    assert len(hostile.token_requests) == 1


# -- what ends it ------------------------------------------------------------------------------------------------------


def test_a_new_login_ends_it(login: Callable[..., Client], hostile: Hostile, clock: Clock) -> None:
    client = login(REFUSED, token("at-2", refresh_token="rt-2"), token("at-3"))
    is_told(lambda: client.get(hostile.url()))
    client.fetch_token(code="a-code")
    client.get(hostile.url())
    clock.advance(300)
    client.get(hostile.url())
    assert sent(hostile) == ["at-2", "at-3"]
    assert hostile.token_requests[-1].form["refresh_token"] == "rt-2"


@pytest.mark.parametrize("refresh_token", ["rt-2", "rt-1"])
def test_a_token_that_is_assigned_ends_it_as_when_another_process_has_saved_one(
    login: Callable[..., Client], hostile: Hostile, refresh_token: str
) -> None:
    client = login(REFUSED, token("at-3"))
    is_told(lambda: client.get(hostile.url()))
    client.token = {**OLD, "access_token": "at-2", "refresh_token": refresh_token}
    client.get(hostile.url())
    assert [request.form["refresh_token"] for request in hostile.token_requests] == ["rt-1", refresh_token]
    assert sent(hostile) == ["at-3"]


def test_a_token_that_is_brought_along_again_is_as_dead_as_it_was_and_another_is_not(
    login: Callable[..., Client], hostile: Hostile
) -> None:
    client = login(REFUSED, token("at-3"))
    for _ in range(3):
        is_told(lambda: client.ensure_active_token(dict(OLD)))
    assert len(hostile.token_requests) == 1
    assert client.ensure_active_token({**OLD, "refresh_token": "rt-2"}) is True
    assert client.access_token == "at-3"


def test_a_refresh_that_a_person_asks_for_is_always_made(login: Callable[..., Client], hostile: Hostile) -> None:
    client = login(REFUSED, REFUSED, REFUSED, REFUSED, token("at-2"))
    is_told(lambda: client.get(hostile.url()))
    is_told(client.refresh_token)
    is_told(lambda: client.refresh_token(hostile.token_endpoint, refresh_token="rt-1"))
    is_told(lambda: client.fetch_token(grant_type="refresh_token", refresh_token="rt-1"))
    is_told(lambda: client.get(hostile.url()))
    assert len(hostile.token_requests) == 4
    client.refresh_token(hostile.token_endpoint, refresh_token="rt-1")
    client.get(hostile.url())
    assert sent(hostile) == ["at-2"]


def test_a_token_that_is_assigned_while_its_predecessor_is_refused_is_not_dead(
    login: Callable[..., Client], hostile: Hostile
) -> None:
    held = Held(REFUSED)
    client = login(held, token("at-3"))
    with in_background(lambda: is_told(lambda: client.get(hostile.url()))) as told:
        held.wait_for_arrival()
        client.token = {**OLD, "access_token": "at-2"}  # with the same refresh token
        held.release.set()
        told()
    client.get(hostile.url())
    assert sent(hostile) == ["at-3"]


# -- what does not begin it --------------------------------------------------------------------------------------------

PASSING: dict[str, Reply] = {
    "invalid_client": reply(401, json={"error": "invalid_client"}),
    "unauthorized_client": reply(400, json={"error": "unauthorized_client"}),
    "invalid_scope": reply(400, json={"error": "invalid_scope"}),
    "server_error": reply(500, json={"error": "server_error"}),
    "garbage": reply(502, "<html>"),
    "reset": reset,
}


@pytest.mark.parametrize("answer", PASSING.values(), ids=PASSING.keys())
def test_another_failure_of_a_refresh_is_raised_for_no_later_caller(
    login: Callable[..., Client], hostile: Hostile, answer: Reply
) -> None:
    client = login(answer, token("at-2"))
    with pytest.raises(OAuthError):
        client.get(hostile.url())
    client.get(hostile.url())
    assert sent(hostile) == ["at-2"]


def test_a_refresh_token_that_is_not_the_sessions_says_nothing_of_its_own(
    login: Callable[..., Client], hostile: Hostile
) -> None:
    client = login(REFUSED, token("at-2"))
    is_told(lambda: client.refresh_token(hostile.token_endpoint, refresh_token="another"))
    client.get(hostile.url())
    assert sent(hostile) == ["at-2"]


def test_a_refusal_of_another_server_or_client_does_not_end_the_grant(
    login: Callable[..., Client], hostile: Hostile
) -> None:
    client = login(REFUSED, token("at-2"))
    hostile.on("/elsewhere", REFUSED)
    is_told(lambda: client.refresh_token(hostile.url("/elsewhere")))
    is_told(lambda: client.refresh_token(auth=("another", "client")))
    client.get(hostile.url())
    assert sent(hostile) == ["at-2"]


# -- where the grant can be repeated -----------------------------------------------------------------------------------


def test_a_dead_refresh_token_is_skipped_where_the_first_grant_can_be_repeated(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    failing = PASSING["invalid_client"]
    hostile.on("/token", token("at-1", refresh_token="rt-1"), REFUSED, failing, reset, token("at-2"))
    client = adapter.client(clock=clock)
    client.fetch_token(hostile.token_endpoint, username="u", password="p")
    clock.advance(300)
    for error in (InvalidClient, TransportError):
        with pytest.raises(error):
            client.get(hostile.url())
    client.get(hostile.url())
    assert grants(hostile) == ["password", "refresh_token", "password", "password", "password"]
    assert sent(hostile) == ["at-2"]


def test_a_refresh_token_that_is_issued_anew_is_used_though_an_equal_one_was_refused(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    issued = token("at-1", refresh_token="rt-1")
    hostile.on("/token", issued, REFUSED, issued, token("at-2"))
    client = adapter.client(clock=clock)
    client.fetch_token(hostile.token_endpoint, username="u", password="p")
    for _ in range(2):
        clock.advance(300)
        client.get(hostile.url())
    assert grants(hostile) == ["password", "refresh_token", "password", "refresh_token"]


# -- an API that refuses the access token ------------------------------------------------------------------------------


def test_a_token_that_an_api_refuses_is_not_sent_again_once_its_grant_is_dead(
    login: Callable[..., Client], hostile: Hostile
) -> None:
    hostile.on("/api", NO)
    client = login(REFUSED, expires_at=START + 300)
    for _ in range(3):
        is_told(lambda: client.get(hostile.url()))
    assert sent(hostile) == ["at-1"]
    assert len(hostile.token_requests) == 1


def test_a_rejection_after_the_grant_died_is_an_error_without_a_request(
    login: Callable[..., Client], hostile: Hostile
) -> None:
    client = login(REFUSED, expires_at=START + 300)
    is_told(client.refresh_token)
    hostile.on("/api", reply(200), NO)
    assert client.get(hostile.url()).status_code == 200
    for _ in range(2):
        is_told(lambda: client.get(hostile.url()))
    assert sent(hostile) == ["at-1", "at-1"]
    assert len(hostile.token_requests) == 1
