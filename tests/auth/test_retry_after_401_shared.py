"""The verdict of an API about a token is known to all signers that share the source of the token."""

from typing import Any

import pytest

from doorkey import AsyncTokenSource, TokenSource
from doorkey.auth.signer import RequestSigner
from doorkey.auth.token_sources import signer_for
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from tests.auth.own_sources import API, FIRST, OTHER_API, SECOND, Own, access
from tests.support.hostile_server import Hostile, token
from tests.support.source_requests import CLIENT, on_token


def on_three_tokens(hostile: Hostile) -> dict[str, Any]:
    return on_token(hostile, token("at-1"), token("at-2"), token("at-3"))


def two_signers(hostile: Hostile) -> tuple[RequestSigner, RequestSigner]:
    source = TokenSource(CLIENT, **on_three_tokens(hostile))
    return signer_for(source), signer_for(source)


# -- one source, several signers ---------------------------------------------------------------------------------------


def test_what_an_api_rejects_of_one_signer_is_known_to_every_signer_of_the_source(hostile: Hostile) -> None:
    one, other = two_signers(hostile)
    second = one.replacement(one.token(), API)
    assert second is not None
    assert access(second) == "at-2"
    assert other.replacement(second, API) is None
    assert one.replacement(second, API) is None


def test_what_an_api_accepts_of_one_signer_is_known_to_every_signer_of_the_source(hostile: Hostile) -> None:
    one, other = two_signers(hostile)
    second = one.replacement(one.token(), API)
    assert second is not None
    other.answered(second, 200, {}, API)
    assert access(one.replacement(second, API)) == "at-3"


def test_an_api_that_rejects_a_token_replaced_long_ago_has_not_rejected_the_current_one(hostile: Hostile) -> None:
    one, other = two_signers(hostile)
    first = one.token()
    second = one.replacement(first, API)
    assert second is not None
    assert other.replacement(first, OTHER_API) == second
    assert access(other.replacement(second, OTHER_API)) == "at-3"


def test_a_token_is_replaced_though_its_source_never_had_one(hostile: Hostile) -> None:
    one, _ = two_signers(hostile)
    assert one.replacement(OAuthToken(Secret("at-0")), API) is not None


# -- whether the response matters --------------------------------------------------------------------------------------


def test_a_response_matters_after_a_replacement_and_until_an_api_accepts_it(hostile: Hostile) -> None:
    source = TokenSource(CLIENT, **on_three_tokens(hostile))
    signer = signer_for(source)
    first = signer.token()
    assert (signer.needs_verdict, source._awaits_verdict) == (False, False)
    second = signer.replacement(first, API)
    assert second is not None
    assert [signer.needs_verdict, source._awaits_verdict] == [True, True]
    signer.answered(second, 200, {}, API)
    assert (signer.needs_verdict, source._awaits_verdict) == (False, False)


def test_a_response_matters_to_a_source_of_a_programs_own_after_a_replacement_and_until_an_api_accepts_it() -> None:
    signer = signer_for(Own(FIRST, SECOND))
    before = signer.needs_verdict
    assert signer.replacement(FIRST, API) is SECOND
    after = signer.needs_verdict
    signer.answered(SECOND, 200, {}, API)
    assert (before, after, signer.needs_verdict) == (False, True, False)


@pytest.mark.parametrize("kind", [TokenSource, AsyncTokenSource])
def test_no_response_matters_to_a_new_source(kind: Any) -> None:
    assert not signer_for(kind(CLIENT, token_endpoint="https://as.example/token")).needs_verdict
