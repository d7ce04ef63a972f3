"""A refused grant is remembered by its refresh token, with the server's error, and nothing more."""

from dataclasses import replace

from doorkey.errors import InvalidGrant, InvalidResponse, TransportError
from doorkey.renewal.dead_grant import DeadGrant
from doorkey.tokens import OAuthToken
from doorkey.values import Secret

LOGIN = OAuthToken(Secret("at-1"), refresh_token=Secret("rt-1"))
REFUSED = InvalidGrant(
    "invalid_grant", "Session not active", "https://as.example/why", status=400, headers=[("Set-Cookie", "s=1")]
)


def test_each_caller_gets_its_own_error_with_the_servers_text() -> None:
    dead = DeadGrant.of(LOGIN, REFUSED)
    first, second = dead.error(), dead.error()
    assert str(first) == str(second) == "invalid_grant: Session not active"
    assert (first.uri, first.status, type(first)) == (REFUSED.uri, REFUSED.status, InvalidGrant)
    assert len({id(first), id(second), id(REFUSED), id(dead.rejection)}) == 4


def test_text_that_was_cut_and_escaped_is_repeated_unchanged() -> None:
    refused = InvalidGrant("invalid_grant", "\n" * 600)
    assert str(DeadGrant.of(LOGIN, refused).error()) == str(refused)


def test_nothing_of_the_refused_request_or_its_answer_is_kept() -> None:
    try:
        raise REFUSED from TransportError("gone")
    except InvalidGrant as refused:
        dead = DeadGrant.of(LOGIN, refused)
    kept = dead.rejection
    assert isinstance(kept, InvalidGrant)
    assert (kept.headers, kept.__traceback__, kept.__cause__, kept.__context__) == ((), None, None, None)
    assert REFUSED.headers == (("Set-Cookie", "s=1"),)
    assert "rt-1" not in repr(dead)


def test_refresh_tokens_are_compared_and_not_the_tokens_that_hold_them() -> None:
    dead = DeadGrant.of(LOGIN, REFUSED)
    assert dead.is_of(OAuthToken(Secret("at-2"), refresh_token=Secret("rt-1")))
    assert not dead.is_of(replace(LOGIN, refresh_token=Secret("rt-2")))
    assert not dead.is_of(replace(LOGIN, refresh_token=None))
    assert not dead.is_of(None)


def test_credentials_that_can_be_presented_once_die_before_there_is_a_token() -> None:
    dead = DeadGrant.of(None, REFUSED)
    assert dead.is_of(None)
    assert not dead.is_of(LOGIN)


def test_a_refusal_that_is_no_oauth_error_is_kept_too() -> None:
    dead = DeadGrant.of(LOGIN, InvalidResponse("empty", "the body is empty", status=401))
    error = dead.error()
    assert (type(error), error.status) == (InvalidResponse, 401)
