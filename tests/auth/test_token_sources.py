"""The source of an auth object's tokens: a session or credentials, and the error for an object that is no source."""

import asyncio
from typing import Any

import httpx2
import pytest

from doorkey import UsageError
from doorkey.auth.token_sources import signer_for
from doorkey.integrations.httpx_client import AsyncOAuth2Client
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.observe import TokenEvent
from doorkey.tokens import OAuthToken
from tests.auth.own_sources import API, FIRST, AsyncOwn, Own, access, maybe_later
from tests.support.fake_clock import Clock
from tests.support.hostile_server import Hostile, token
from tests.support.source_requests import CLIENT, busy, on_token

# -- the token of a session --------------------------------------------------------------------------------------------


def test_the_rejected_token_of_a_session_that_can_renew_it_is_replaced(hostile: Hostile) -> None:
    old = {"access_token": "at-1", "refresh_token": "rt-1"}
    session = OAuth2Session("c", token=old, **on_token(hostile, token("at-2")))
    signer = signer_for(session)
    assert access(signer.replacement(signer.token(), API)) == "at-2"
    with pytest.raises(UsageError, match="use it with a blocking client"):
        signer.token_async()


def test_the_rejected_token_of_a_session_that_cannot_renew_it_is_reported_and_not_replaced() -> None:
    for events in (list[TokenEvent](), None):
        session = OAuth2Session("c", token={"access_token": "at-1"}, on_event=None if events is None else events.append)
        signer = signer_for(session)
        assert signer.replacement(signer.token(), API) is None
        assert access(signer.token()) == "at-1"
        assert events is None or [event.kind for event in events] == ["rejected"]


def test_a_rejected_token_that_expired_meanwhile_and_cannot_be_renewed_is_not_asked_for_again(clock: Clock) -> None:
    given = {"access_token": "at-1", "expires_at": clock() + 10, "expires_in": 10}
    signer = signer_for(OAuth2Session("c", token=given, clock=clock))
    rejected = signer.token()
    clock.advance(11)
    assert signer.replacement(rejected, API) is None


def test_the_token_of_an_asynchronous_session_is_for_an_asynchronous_caller() -> None:
    signer = signer_for(AsyncOAuth2Client("c", token={"access_token": "at-1"}))
    assert access(asyncio.run(maybe_later(signer.token_async()))) == "at-1"
    with pytest.raises(UsageError, match="use it with an asynchronous client"):
        signer.token()


@pytest.mark.parametrize(
    ("session", "auth", "retries"),
    [
        ({}, {}, True),
        ({}, {"retry_rejected": True}, True),
        ({"retry_rejected": False}, {}, False),
        ({"retry_rejected": False}, {"retry_rejected": True}, False),
        ({}, {"retry_rejected": False}, False),
    ],
)
def test_the_token_of_a_session_is_replaced_if_the_session_and_the_auth_object_allow_it(
    session: dict[str, Any], auth: dict[str, Any], retries: bool
) -> None:
    signer = signer_for(OAuth2Session("c", token={"access_token": "at-1"}, **session), **auth)
    assert signer.is_rejection(401, {}) is retries


@pytest.mark.parametrize(
    ("session", "auth", "rejects"),
    [
        ({}, {}, [401]),
        ({"rejected_statuses": (419,)}, {}, [419]),
        ({"rejected_statuses": (419,)}, {"rejected_statuses": (403,)}, [403]),
        ({}, {"rejected_statuses": (403,)}, [403]),
    ],
)
def test_the_statuses_of_an_auth_object_precede_those_of_its_session(
    session: dict[str, Any], auth: dict[str, Any], rejects: list[int]
) -> None:
    signer = signer_for(OAuth2Session("c", token={"access_token": "at-1"}, **session), **auth)
    assert [status for status in range(400, 600) if signer.is_rejection(status, {})] == rejects


# -- the options of credentials ----------------------------------------------------------------------------------------


def test_credentials_wait_with_the_sleep_that_they_were_given(hostile: Hostile) -> None:
    slept: list[float] = []
    given = on_token(hostile, busy(3), token("at-1"))
    signer = signer_for(CLIENT, options={**given, "sleep": slept.append})
    assert access(signer.token()) == "at-1"
    assert slept == [3.0]
    assert access(asyncio.run(maybe_later(signer.token_async()))) == "at-1"


def test_credentials_await_the_sleep_that_they_were_given(hostile: Hostile) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    given = on_token(hostile, busy(3), token("at-1"))
    signer = signer_for(CLIENT, options={**given, "sleep": sleep})
    assert access(asyncio.run(maybe_later(signer.token_async()))) == "at-1"
    assert slept == [3.0]
    assert access(signer.token()) == "at-1"


def test_an_awaiting_caller_does_not_wait_with_a_sleep_that_blocks(hostile: Hostile) -> None:
    slept: list[float] = []
    given = on_token(hostile, busy(0), token("at-1"))
    signer = signer_for(CLIENT, options={**given, "sleep": slept.append})
    assert access(asyncio.run(maybe_later(signer.token_async()))) == "at-1"
    assert (slept, len(hostile.token_requests)) == ([], 2)


def test_a_blocking_caller_does_not_wait_with_a_sleep_that_is_awaited(hostile: Hostile) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    given = on_token(hostile, busy(0), token("at-1"))
    signer = signer_for(CLIENT, options={**given, "sleep": sleep})
    assert access(signer.token()) == "at-1"
    assert (slept, len(hostile.token_requests)) == ([], 2)


class Counting(httpx2.HTTPTransport):
    """Counts the requests that it sends."""

    sent = 0

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        self.sent += 1
        return super().handle_request(request)


def test_credentials_send_their_request_with_the_client_that_they_were_given(hostile: Hostile) -> None:
    transport = Counting()
    with httpx2.Client(transport=transport) as client:
        signer = signer_for(CLIENT, options={**on_token(hostile, token("at-1")), "http_client": client})
        assert access(signer.token()) == "at-1"
    assert transport.sent == 1


# -- which sources there are -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [{"access_token": "at-1"}, Own(FIRST), AsyncOwn(Own(FIRST))])
def test_an_option_of_credentials_is_not_for_a_token_or_a_source(source: Any) -> None:
    with pytest.raises(UsageError, match=f"leeway= is for credentials; this {type(source).__name__}"):
        signer_for(source, options={"leeway": 3})


class OnlyToken:
    def token(self) -> OAuthToken:
        return FIRST


class OnlyReject:
    def reject(self, token: OAuthToken) -> None:
        raise AssertionError(token)


@pytest.mark.parametrize("wrong", [None, 3, "at-1", OnlyToken(), OnlyReject()])
def test_anything_else_is_no_source_of_a_token(wrong: Any) -> None:
    with pytest.raises(UsageError, match="takes a session, a token source, credentials such as ClientCredentials"):
        signer_for(wrong)
