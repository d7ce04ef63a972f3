"""The retry after a 401, without an HTTP library: what rejects a token, and which token replaces it."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from multidict import CIMultiDict

from doorkey import UsageError
from doorkey.auth.token_sources import signer_for
from doorkey.tokens import OAuthToken
from tests.auth.own_sources import (
    API,
    FIRST,
    INVALID,
    OTHER_API,
    SAME_API,
    SECOND,
    THIRD,
    AsyncOwn,
    Own,
    Signing,
    either,
)

# -- a token in place of a rejected one --------------------------------------------------------------------------------


@either
@pytest.mark.parametrize("says", [None, True])
def test_a_rejected_token_is_replaced_by_the_next_one_of_its_source(awaits: bool, says: bool | None) -> None:
    made = Signing(Own(FIRST, SECOND, says=says), awaits=awaits)
    assert made.token() is FIRST
    assert made.replacement(FIRST) is SECOND
    assert made.own.rejected == [FIRST]


@either
def test_nothing_replaces_the_token_of_a_source_that_says_it_has_no_other(awaits: bool) -> None:
    made = Signing(Own(FIRST, SECOND, says=False), awaits=awaits)
    assert made.replacement(FIRST) is None
    assert (made.own.rejected, made.own.asked) == ([FIRST], 0)


@either
def test_a_replacement_that_is_not_wanted_is_not_asked_for_and_the_token_is_rejected_anyway(
    awaits: bool,
) -> None:
    made = Signing(Own(FIRST, SECOND), awaits=awaits)
    assert made.replacement(FIRST, wanted=False) is None
    assert (made.own.rejected, made.own.asked) == ([FIRST], 0)


@either
def test_the_rejected_token_does_not_replace_itself(awaits: bool) -> None:
    assert Signing(Own(FIRST), awaits=awaits).replacement(FIRST) is None


@either
def test_an_api_that_rejects_the_replacement_too_gets_no_third_token(awaits: bool) -> None:
    made = Signing(Own(FIRST, SECOND, THIRD), awaits=awaits)
    assert made.replacement(FIRST) is SECOND
    assert made.replacement(SECOND, SAME_API) is None
    assert made.own.rejected == [FIRST]


@either
def test_another_api_that_rejects_the_replacement_gets_one_more_token(awaits: bool) -> None:
    made = Signing(Own(FIRST, SECOND, THIRD), awaits=awaits)
    assert made.replacement(FIRST) is SECOND
    assert made.replacement(SECOND, OTHER_API) is THIRD


@either
def test_an_api_that_accepted_the_replacement_gets_a_third_token_once_it_rejects_that_one(awaits: bool) -> None:
    made = Signing(Own(FIRST, SECOND, THIRD), awaits=awaits)
    assert made.replacement(FIRST) is SECOND
    made.signer.answered(SECOND, 200, {}, SAME_API)
    assert made.replacement(SECOND) is THIRD


@pytest.mark.parametrize(
    ("token", "status", "headers"),
    [
        (SECOND, 401, {}),
        (SECOND, 403, {}),  # as rejected_statuses says
        (SECOND, 400, {"WWW-Authenticate": INVALID}),
        (SECOND, 302, {}),  # a redirect does not look at the token
        (FIRST, 200, {}),  # another token was accepted
    ],
)
def test_a_response_that_does_not_accept_the_replacement_leaves_it_rejected(
    token: OAuthToken, status: int, headers: Mapping[str, str]
) -> None:
    made = Signing(Own(FIRST, SECOND, THIRD), awaits=False, rejected_statuses=(403,))
    assert made.replacement(FIRST) is SECOND
    made.signer.answered(token, status, headers, API)
    assert made.replacement(SECOND) is None


def test_a_response_before_any_rejection_changes_nothing() -> None:
    made = Signing(Own(FIRST, SECOND), awaits=False)
    made.signer.answered(FIRST, 200, {}, API)
    assert made.replacement(FIRST) is SECOND


def test_a_token_that_was_given_once_is_not_replaced() -> None:
    signer = signer_for({"access_token": "at-1"})
    assert signer.replacement(signer.token(), API) is None
    assert asyncio.run(signer.replacement_async(signer.token(), API)) is None
    assert not signer.needs_verdict
    assert signer.token().access_token == FIRST.access_token


def test_a_source_for_one_kind_of_caller_replaces_no_token_for_the_other() -> None:
    assert signer_for(AsyncOwn(Own(FIRST, SECOND))).replacement(FIRST, API) is None
    assert asyncio.run(signer_for(Own(FIRST, SECOND)).replacement_async(FIRST, API)) is None


# -- what rejects a token ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "challenge", "rejects"),
    [
        (401, None, True),
        (403, None, False),
        (403, INVALID, True),
        (400, INVALID, True),
        (399, INVALID, False),
        (200, INVALID, False),
        (403, 'Bearer error="insufficient_scope"', False),
    ],
)
def test_a_status_or_a_challenge_rejects_a_token(status: int, challenge: str | None, rejects: bool) -> None:
    headers = {} if challenge is None else {"WWW-Authenticate": challenge}
    assert signer_for(Own(FIRST)).is_rejection(status, headers) is rejects
    assert signer_for(Own(FIRST)).is_rejection(status, CIMultiDict(headers)) is rejects
    assert not signer_for(Own(FIRST), retry_rejected=False).is_rejection(status, headers)


def test_a_challenge_in_the_second_field_counts_where_fields_are_kept_apart() -> None:
    headers = CIMultiDict([("WWW-Authenticate", "Basic realm=x"), ("WWW-Authenticate", INVALID)])
    assert signer_for(Own(FIRST)).is_rejection(403, headers)


@pytest.mark.parametrize("statuses", [(), (400,), (599,), (401, 403)])
def test_statuses_from_400_to_599_can_reject_a_token(statuses: tuple[int, ...]) -> None:
    signer = signer_for(Own(FIRST), rejected_statuses=statuses)
    assert [status for status in range(100, 600) if signer.is_rejection(status, {})] == list(statuses)


@pytest.mark.parametrize("wrong", [(399,), (600,), ("401",), (401, None), 401, [[]]])
def test_no_other_status_can_reject_a_token(wrong: Any) -> None:
    with pytest.raises(UsageError, match="rejected_statuses must be HTTP statuses"):
        signer_for(Own(FIRST), rejected_statuses=wrong)
