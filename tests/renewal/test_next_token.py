"""The next token: by the refresh token, else by the initial grant, which is presented again only if it may be."""

from collections.abc import Callable

import pytest

from doorkey.errors import (
    InvalidGrant,
    InvalidResponse,
    OAuthError,
    ServerError,
    TemporarilyUnavailable,
    TransportError,
    UnauthorizedClient,
)
from doorkey.renewal.dead_grant import DeadGrant
from doorkey.renewal.next_token import ends_the_grant, next_token, rejects_the_grant
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.wire.flow import Flow, Settle, run

LOGIN = OAuthToken(Secret("at-1"), refresh_token=Secret("rt-1"))
PLAIN = OAuthToken(Secret("at-1"))
REFRESHED, PRESENTED = OAuthToken(Secret("at-2")), OAuthToken(Secret("at-3"))
REJECTED = InvalidGrant("invalid_grant", "Session not active", status=400)
DEAD = DeadGrant.of(LOGIN, REJECTED)


class Requests:
    """The two requests of `next_token`, which record that they are sent, and fail with `error` if it is given."""

    def __init__(self, error: OAuthError | None = None) -> None:
        self.error = error
        self.sent: list[str] = []

    def refresh(self, token: OAuthToken, refresh_token: Secret) -> Flow[OAuthToken]:
        assert token is LOGIN
        self.sent.append(refresh_token.reveal())
        yield from Settle(None)
        if self.error is not None:
            raise self.error
        return REFRESHED

    def present(self) -> Flow[OAuthToken]:
        self.sent.append("the initial grant")
        yield from Settle(None)
        return PRESENTED

    def next(self, token: OAuthToken | None, dead: DeadGrant | None = None, *, repeatable: bool) -> OAuthToken:
        return run(next_token(token, dead, self.refresh, self.present, repeatable=repeatable), _performs_nothing)


def _performs_nothing(effect: object) -> None:
    raise AssertionError(effect)


def test_a_refresh_token_is_presented_before_the_initial_grant() -> None:
    for repeatable in (True, False):
        requests = Requests()
        assert requests.next(LOGIN, repeatable=repeatable) is REFRESHED
        assert requests.sent == ["rt-1"]


@pytest.mark.parametrize("token", [None, PLAIN], ids=["no token", "no refresh token"])
def test_without_a_refresh_token_the_initial_grant_is_presented(token: OAuthToken | None) -> None:
    for repeatable in (True, False):
        requests = Requests()
        assert requests.next(token, repeatable=repeatable) is PRESENTED
        assert requests.sent == ["the initial grant"]


@pytest.mark.parametrize(
    "error",
    [
        REJECTED,
        InvalidGrant("invalid_grant", status=200),
        UnauthorizedClient("unauthorized_client", status=401),
        InvalidResponse("invalid_response", "empty", status=403),
    ],
    ids=["invalid_grant", "invalid_grant with another status", "another code", "no error response"],
)
def test_after_a_rejected_refresh_token_a_repeatable_grant_is_presented(error: OAuthError) -> None:
    requests = Requests(error)
    assert requests.next(LOGIN, repeatable=True) is PRESENTED
    assert requests.sent == ["rt-1", "the initial grant"]


def test_after_a_rejected_refresh_token_a_login_is_not_repeated() -> None:
    requests = Requests(REJECTED)
    with pytest.raises(InvalidGrant) as caught:
        requests.next(LOGIN, repeatable=False)
    assert caught.value is REJECTED
    assert requests.sent == ["rt-1"]


NO_REJECTIONS: dict[str, Callable[[], OAuthError]] = {
    "no response": lambda: TransportError("the connection was closed"),
    "the server fails": lambda: ServerError("server_error", status=500),
    "the server fails, in an unreadable response": lambda: InvalidResponse("invalid_response", "HTML", status=502),
    "the server is busy, with status 400": lambda: TemporarilyUnavailable("temporarily_unavailable", status=400),
    "a redirect": lambda: InvalidResponse("invalid_response", "a redirect", status=302),
    "no status": lambda: InvalidResponse("invalid_response", "not JSON"),
}


@pytest.mark.parametrize("name", NO_REJECTIONS)
def test_a_failure_that_does_not_reject_the_refresh_token_is_raised_and_sends_nothing_more(name: str) -> None:
    error = NO_REJECTIONS[name]()
    requests = Requests(error)
    assert not rejects_the_grant(error)
    with pytest.raises(OAuthError) as caught:
        requests.next(LOGIN, repeatable=True)
    assert caught.value is error
    assert requests.sent == ["rt-1"]


def test_the_refresh_token_of_a_dead_grant_is_not_sent_again() -> None:
    requests = Requests()
    assert requests.next(LOGIN, DEAD, repeatable=True) is PRESENTED
    assert requests.sent == ["the initial grant"]


@pytest.mark.parametrize("token", [LOGIN, PLAIN, None], ids=["refresh token", "no refresh token", "no token"])
def test_a_dead_login_raises_the_servers_error_without_a_request(token: OAuthToken | None) -> None:
    requests = Requests()
    with pytest.raises(InvalidGrant, match="invalid_grant: Session not active"):
        requests.next(token, DEAD, repeatable=False)
    assert requests.sent == []


def test_a_rejection_ends_the_grant_of_a_user_only_if_it_is_invalid_grant() -> None:
    other = UnauthorizedClient("unauthorized_client", status=401)
    assert ends_the_grant(REJECTED, repeatable=False)
    assert not ends_the_grant(other, repeatable=False)
    assert ends_the_grant(other, repeatable=True)
    for failure in NO_REJECTIONS.values():
        assert not ends_the_grant(failure(), repeatable=True)
