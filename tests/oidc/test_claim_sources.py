"""Aggregated and distributed claims are kept apart from the provider's own (OpenID Connect Core §5.6.2)."""

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorkey.errors import VerificationError
from doorkey.oidc.core import UserInfo
from doorkey.oidc.core.claim_sources import only_named
from tests.support.json_values import JSON

SOURCES: dict[str, Any] = {
    "one": {"JWT": "h.p.s"},
    "two": {"endpoint": "https://bank.example/claims", "access_token": "at-of-the-bank"},
    "three": {"endpoint": "https://games.example/claims"},
}
CLAIMS: dict[str, Any] = {
    "sub": "a",
    "_claim_names": {"address": "one", "phone_number": "one", "score": "two", "rank": "three"},
    "_claim_sources": SOURCES,
}


def test_each_source_is_a_value_of_its_own() -> None:
    info = UserInfo(CLAIMS)
    (aggregated,) = info.aggregated
    assert (aggregated.names, aggregated.jwt.reveal()) == (("address", "phone_number"), "h.p.s")
    bank, games = info.distributed
    assert (bank.names, bank.endpoint) == (("score",), "https://bank.example/claims")
    assert bank.access_token is not None
    assert bank.access_token.reveal() == "at-of-the-bank"
    assert games.access_token is None
    assert info.address is None
    assert "at-of-the-bank" not in repr(info.distributed)


def test_without_sources_there_are_none() -> None:
    assert (UserInfo({"sub": "a"}).aggregated, UserInfo({"sub": "a"}).distributed) == ((), ())


@pytest.mark.parametrize(
    "changed",
    [
        {"_claim_names": None},
        {"_claim_sources": []},
        {"_claim_names": {"address": "nowhere"}},
        {"_claim_names": {"address": ["one"]}},
        {"_claim_sources": {**SOURCES, "one": {}}},
        {"_claim_sources": {**SOURCES, "one": {"JWT": "h.p.s", "endpoint": "https://x"}}},
        {"_claim_sources": {**SOURCES, "one": {"endpoint": "https://x", "access_token": 1}}},
        {"_claim_sources": {**SOURCES, **{str(n): {"JWT": "h.p.s"} for n in range(100)}}},
    ],
)
def test_members_that_are_not_as_the_specification_defines_them_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(VerificationError):
        _ = UserInfo({**CLAIMS, **changed}).aggregated


def test_a_source_speaks_only_of_the_claims_that_it_was_named_for() -> None:
    assert only_named({"address": "x", "sub": "b", "email": "e"}, ("address", "phone_number")) == {"address": "x"}


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["_claim_names", "_claim_sources", "sub"]), JSON))
def test_no_builtin_error_comes_of_any_userinfo(claims: dict[str, Any]) -> None:
    with contextlib.suppress(VerificationError):
        _ = UserInfo(claims).aggregated
        _ = UserInfo({**CLAIMS, **claims}).distributed
