"""Each error of an API has the status and the challenge of RFC 6750 §3.1 and RFC 9470 §3."""

import copy
import pickle

import pytest

from doorkey.protocol.challenge import is_invalid_token
from doorkey.protocol.rejections import (
    InsufficientPrivileges,
    InvalidAccessToken,
    MalformedRequest,
    MissingAccessToken,
    RequestRejected,
    StepUpRequired,
)

METADATA = "https://api.example/.well-known/oauth-protected-resource"
EACH: list[RequestRejected] = [
    MissingAccessToken(("a", "b")),
    MalformedRequest("Authorization", "occurs more than once"),
    InvalidAccessToken("aud", "does not contain this API", expected="orders"),
    InsufficientPrivileges("scope", "does not permit this request", scopes=("a", "b")),
    StepUpRequired("acr", "is too weak", acr_values=("gold", "silver"), max_age=300),
]


def test_a_request_without_a_token_gets_no_error_code() -> None:
    error = MissingAccessToken(("orders:read", "orders:write"))
    assert error.status == 401
    assert error.challenge() == 'Bearer scope="orders:read orders:write"'
    assert MissingAccessToken().challenge() == "Bearer"


def test_a_bad_token_is_401_invalid_token_and_the_reason_is_the_description() -> None:
    error = InvalidAccessToken("exp", "is past: the token expired 60 s ago")
    assert (error.status, error.error) == (401, "invalid_token")
    assert (
        error.challenge() == 'Bearer error="invalid_token", error_description="exp is past: the token expired 60 s ago"'
    )
    assert is_invalid_token(error.challenge())


def test_a_malformed_request_is_400_invalid_request() -> None:
    error = MalformedRequest("Authorization", "occurs more than once")
    assert (error.status, error.error) == (400, "invalid_request")
    assert (
        error.challenge() == 'Bearer error="invalid_request", error_description="Authorization occurs more than once"'
    )


@pytest.mark.parametrize("scopes", ["a b", ["a", "b"]])
def test_the_scopes_of_a_rejection_are_text_or_tokens(scopes: str | list[str]) -> None:
    rejections = (MissingAccessToken(scopes), InsufficientPrivileges("scope", "does not permit this", scopes=scopes))
    assert [one.scopes for one in rejections] == [("a", "b")] * 2
    assert all('scope="a b"' in one.challenge() for one in rejections)


def test_a_token_that_does_not_permit_the_request_is_403_and_the_challenge_names_the_scopes() -> None:
    error = InsufficientPrivileges("scope", "does not permit this request", scopes=("a", "b"))
    assert (error.status, error.error, error.scopes) == (403, "insufficient_scope", ("a", "b"))
    assert error.challenge().endswith(
        'error_description="scope does not permit this request (expected a b)", scope="a b"'
    )


def test_a_step_up_is_401_and_the_challenge_says_what_to_ask_for() -> None:
    error = StepUpRequired("acr", "is too weak", acr_values=("gold", "silver"), max_age=300.0)
    assert (error.status, error.error) == (401, "insufficient_user_authentication")
    assert error.challenge().endswith('acr_values="gold silver", max_age="300"')
    assert "max_age" not in StepUpRequired("acr", "is too weak", acr_values=("gold",)).challenge()
    assert "acr_values" not in StepUpRequired("auth_time", "is missing", max_age=1).challenge()


@pytest.mark.parametrize("error", EACH, ids=lambda error: type(error).__name__)
def test_realm_and_metadata_are_part_of_every_challenge(error: RequestRejected) -> None:
    sent = error.challenge(realm="orders", resource_metadata=METADATA, scheme="DPoP")
    assert sent.startswith('DPoP realm="orders", ')
    assert sent.endswith(f', resource_metadata="{METADATA}"')


@pytest.mark.parametrize("error", EACH, ids=lambda error: type(error).__name__)
def test_an_error_survives_copying_and_pickling(error: RequestRejected) -> None:
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error)), error.without_history()):  # noqa: S301
        assert isinstance(twin, RequestRejected)
        assert (type(twin), str(twin), vars(twin)) == (type(error), str(error), vars(error))
        assert twin.challenge() == error.challenge()
