"""How long no request is sent after a failure: longer each time, bounded, spread, or as the server demands."""

import pytest

from doorkey.errors import (
    InvalidClient,
    InvalidGrant,
    InvalidResponse,
    MissingTokenError,
    OAuthError,
    RecordError,
    ServerError,
    ServerFailure,
    TemporarilyUnavailable,
    TokenExpiredError,
    TransportError,
    UsageError,
    VerificationError,
)
from doorkey.renewal.backoff import Backoff, counts_for_backoff, is_transient

GONE = TransportError("gone")


def test_pauses_double_up_to_the_most() -> None:
    backoff = Backoff(first=0.5, most=60.0)
    assert [backoff.pause(failures, GONE, 1.0) for failures in (1, 2, 3, 7, 8, 100_000)] == [0.5, 1, 2, 32, 60, 60]
    assert backoff.pause(0, GONE, 1.0) == 0.5


def test_chance_spreads_callers_over_the_second_half() -> None:
    backoff = Backoff(first=4.0)
    assert (backoff.pause(1, GONE, 0.0), backoff.pause(1, GONE, 0.5), backoff.pause(1, GONE, 1.0)) == (2.0, 3.0, 4.0)


def test_a_server_that_names_the_pause_is_taken_at_its_word_and_a_little_more() -> None:
    busy = TemporarilyUnavailable("temporarily_unavailable", retry_after=30.0)
    assert Backoff().pause(1, busy, 0.0) == 30.0
    assert Backoff().pause(9, busy, 1.0) == 33.0
    assert Backoff(first=0.5).pause(1, TemporarilyUnavailable("temporarily_unavailable"), 1.0) == 0.5


@pytest.mark.parametrize(
    ("error", "comes_back"),
    [
        (GONE, True),
        (InvalidResponse("not_json", "a gateway's page"), True),
        (TemporarilyUnavailable("temporarily_unavailable"), True),
        (ServerError("temporarily_unavailable"), True),
        (InvalidClient("invalid_client", status=429), True),
        (ServerError("slow_down", status=503), True),
        (ServerFailure("server_error", status=400), True),
        (ServerError("anything", status=500), True),
        (ServerError("anything", status=599), True),
        (ServerError("anything", status=499), False),
        (ServerError("anything"), False),
        (InvalidGrant("invalid_grant", status=400), False),
        (MissingTokenError("none"), False),
    ],
)
def test_a_temporary_error_is_retried_and_an_error_of_the_request_is_not(error: OAuthError, comes_back: bool) -> None:
    assert is_transient(error) is comes_back


@pytest.mark.parametrize(
    ("error", "burdens"),
    [
        (GONE, True),
        (InvalidResponse("not_json", "a gateway's page"), True),
        (InvalidGrant("invalid_grant", status=400), True),
        (InvalidClient("invalid_client", status=401), True),
        (VerificationError("issuer", "is another"), True),
        (UsageError("a wrong call"), False),
        (TokenExpiredError("expired"), False),
        (RecordError("is damaged"), False),
    ],
)
def test_only_errors_without_a_request_begin_no_pause(error: OAuthError, burdens: bool) -> None:
    assert counts_for_backoff(error) is burdens
