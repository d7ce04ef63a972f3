"""The algorithm comes from the registration; metadata narrows it and never widens it (RFC 8725 §3.1)."""

from typing import Any

import pytest

from doorkey.errors import UsageError, VerificationError
from doorkey.jose.algorithms import ASYMMETRIC
from doorkey.oidc.core.algorithms import accepted_algorithms, is_symmetric, registered_algorithms

MEMBER = "id_token_signing_alg_values_supported"


def test_the_registered_algorithm_is_the_only_one() -> None:
    registered = registered_algorithms("ES256", "id_token_signed_response_alg")
    assert accepted_algorithms(registered, {MEMBER: ["RS256", "ES256", "none"]}, MEMBER) == ("ES256",)


def test_without_a_registration_both_sides_have_the_algorithm_and_it_is_asymmetric() -> None:
    advertised = ["HS256", "none", "RS256", "XS256", "ES384", 7]
    assert accepted_algorithms((), {MEMBER: advertised}, MEMBER) == ("RS256", "ES384")


@pytest.mark.parametrize("metadata", [{}, {MEMBER: None}, {MEMBER: "HS256"}])
def test_a_server_that_lists_none_leaves_the_asymmetric_ones(metadata: dict[str, Any]) -> None:
    assert accepted_algorithms((), metadata, MEMBER) == ASYMMETRIC


@pytest.mark.parametrize("advertised", [["HS256", "none"], [], ["XS256"], [["RS256"]]])
def test_a_server_that_lists_nothing_asymmetric_has_no_id_token_for_this_client(advertised: list[Any]) -> None:
    with pytest.raises(VerificationError, match="no supported asymmetric algorithm"):
        accepted_algorithms((), {MEMBER: advertised}, MEMBER)


@pytest.mark.parametrize("given", ["XS256", "", [], ["RS256", "x"], 7, [7]])
def test_a_registration_of_an_unknown_algorithm_is_refused(given: Any) -> None:
    with pytest.raises(UsageError):
        registered_algorithms(given, "id_token_signed_response_alg")


def test_hmac_and_none_are_accepted_only_where_they_are_registered() -> None:
    assert registered_algorithms(["HS256", "none"], "x") == ("HS256", "none")
    assert is_symmetric("HS512")
    assert not is_symmetric("RS256")
    assert not is_symmetric("none")
