"""Two ID tokens of one login: the original and a renewed one (OpenID Connect Core §12.2), both channels (§3.3.3.6)."""

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorkey.errors import VerificationError
from doorkey.oidc.core.agreement import check_channels, check_renewed
from tests.support.id_tokens import CLIENT, NOW, claims
from tests.support.json_values import JSON

ORIGINAL = claims(auth_time=NOW - 10, azp=CLIENT)


def renewed(**more: Any) -> dict[str, Any]:
    return claims(**{"auth_time": NOW - 10, "azp": CLIENT, "nonce": None, "iat": NOW + 600, **more})


def test_a_renewed_id_token_of_the_same_login_is_good() -> None:
    check_renewed(ORIGINAL, renewed())
    check_renewed(ORIGINAL, renewed(nonce=ORIGINAL["nonce"]))
    check_renewed(ORIGINAL, renewed(aud=[CLIENT]))
    check_renewed(ORIGINAL, renewed(auth_time=None))
    check_renewed(claims(azp=CLIENT), renewed())


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("iss", "https://other.example"),
        ("iss", None),
        ("sub", "another"),
        ("sub", None),
        ("aud", "another-client"),
        ("aud", [CLIENT, "another-client"]),
        ("azp", None),
        ("azp", "another-client"),
        ("auth_time", NOW),
        ("nonce", "another"),
        ("iat", NOW - 61),
    ],
)
def test_a_renewed_id_token_that_differs_is_refused(claim: str, value: object) -> None:
    with pytest.raises(VerificationError) as error:
        check_renewed(ORIGINAL, renewed(**{claim: value}))
    assert error.value.claim == claim


def test_the_error_for_another_auth_time_says_the_cause_and_the_option() -> None:
    with pytest.raises(VerificationError) as error:
        check_renewed(ORIGINAL, renewed(auth_time=NOW))
    assert "another authentication of the user" in str(error.value)
    assert "allow_changed_auth_time=True" in str(error.value)


def test_another_auth_time_is_accepted_on_request_and_nothing_else_is() -> None:
    for original in (ORIGINAL, claims(azp=CLIENT)):
        check_renewed(original, renewed(auth_time=NOW), allow_changed_auth_time=True)
    for name, value in {"sub": "another", "aud": "other", "azp": "other", "nonce": "other", "iat": NOW - 61}.items():
        with pytest.raises(VerificationError) as error:
            check_renewed(ORIGINAL, renewed(**{"auth_time": NOW, name: value}), allow_changed_auth_time=True)
        assert error.value.claim == name


def test_a_nonce_or_azp_that_the_original_did_not_have_is_refused() -> None:
    for claim in ("nonce", "azp"):
        original = {name: value for name, value in ORIGINAL.items() if name != claim}
        with pytest.raises(VerificationError) as error:
            check_renewed(original, renewed(nonce="n", azp=CLIENT))
        assert error.value.claim == claim


def test_an_original_without_sub_agrees_with_nothing() -> None:
    with pytest.raises(VerificationError, match="sub"):
        check_renewed({"iss": ORIGINAL["iss"]}, {"iss": ORIGINAL["iss"]})


def test_the_nonce_is_not_shown() -> None:
    with pytest.raises(VerificationError) as error:
        check_renewed(ORIGINAL, renewed(nonce="another"))
    assert ORIGINAL["nonce"] not in repr(error.value)


def test_both_channels_agree() -> None:
    front = claims(acr="1", email="a@example.org", jti="1", c_hash="x")
    check_channels(front, claims(acr="1", jti="2", at_hash="y", name="Alice"))
    for claim, value in (
        ("iss", "https://other.example"),
        ("sub", "another"),
        ("acr", "2"),
        ("email", "b@example.org"),
        ("sub", None),
    ):
        with pytest.raises(VerificationError) as error:
            check_channels(front, claims(**{"acr": "1", "email": "a@example.org", claim: value}))
        assert error.value.claim == claim


CLAIMS = st.dictionaries(st.sampled_from([*ORIGINAL, "acr", "amr"]), JSON)


@settings(deadline=None)
@given(CLAIMS, CLAIMS)
def test_no_builtin_error_comes_of_any_claims(one: dict[str, Any], other: dict[str, Any]) -> None:
    for check in (check_renewed, check_channels):
        with contextlib.suppress(VerificationError):
            check({**ORIGINAL, **one}, {**ORIGINAL, **other})
