"""Logout tokens and front-channel parameters (OpenID Connect Back-Channel Logout 1.0 §2.4, §2.6, Front-Channel §2)."""

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorkey.errors import VerificationError
from doorkey.oidc.core import TenantIssuer
from doorkey.oidc.logout import EVENT, FrontChannelLogout, LogoutToken
from tests.support.id_tokens import CLIENT, ISSUER, NOW
from tests.support.json_values import JSON

TENANTS = TenantIssuer("https://as.example/{tenantid}/v2", ["t1"])


def logout(**more: Any) -> dict[str, Any]:
    good: dict[str, Any] = {
        "iss": ISSUER,
        "sub": "alice",
        "aud": CLIENT,
        "iat": NOW,
        "exp": NOW + 120,
        "jti": "j-1",
        "sid": "s-1",
    }
    changed: dict[str, Any] = {**good, "events": {EVENT: {}}, **more}
    return {name: value for name, value in changed.items() if value is not None}


def token(members: dict[str, Any], typ: Any = "logout+jwt", issuer: Any = ISSUER) -> LogoutToken:
    header = {"alg": "ES256"} if typ is None else {"alg": "ES256", "typ": typ}
    return LogoutToken(members, header, None, {"issuer": issuer, "client_id": CLIENT})


def refused(members: dict[str, Any], typ: Any = "logout+jwt", issuer: Any = ISSUER) -> str:
    with pytest.raises(VerificationError) as error:
        token(members, typ, issuer).validate(NOW, 0)
    return error.value.claim


@pytest.mark.parametrize("typ", ["logout+jwt", "application/logout+jwt", "JWT", None])
def test_a_good_logout_token_is_good(typ: str | None) -> None:
    token(logout(), typ).validate(NOW, 0)
    token(logout(sub=None), typ).validate(NOW, 0)
    token(logout(sid=None), typ).validate(NOW, 0)


@pytest.mark.parametrize("claim", ["iss", "aud", "iat", "exp", "jti", "events"])
def test_each_required_claim_is_there(claim: str) -> None:
    assert refused(logout(**{claim: None})) == claim


def test_a_user_or_a_session_is_named() -> None:
    assert refused(logout(sub=None, sid=None)) == "sub"


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("iss", "https://other.example"),
        ("aud", "another-client"),
        ("aud", []),
        ("exp", NOW),
        ("iat", NOW + 1),
        ("nonce", "n"),
        ("sid", 1),
        ("sub", ""),
        ("events", {}),
        ("events", [EVENT]),
        ("events", {EVENT: True}),
        ("events", {"http://schemas.openid.net/event/other": {}}),
    ],
)
def test_a_logout_token_that_is_not_as_it_must_be_is_refused(claim: str, value: object) -> None:
    assert refused(logout(**{claim: value})) == claim


@pytest.mark.parametrize("typ", ["at+jwt", "dpop+jwt", "secevent+jwt", "", 1, ["JWT"]])
def test_a_token_of_another_type_is_refused(typ: Any) -> None:
    assert refused(logout(), typ) == "typ"


def test_the_issuer_may_be_one_of_several_tenants() -> None:
    token(logout(iss="https://as.example/t1/v2"), issuer=TENANTS).validate(NOW, 0)
    assert refused(logout(iss="https://as.example/t2/v2"), issuer=TENANTS) == "iss"


def test_front_channel_parameters_are_those_of_our_issuer() -> None:
    assert FrontChannelLogout.of({"iss": ISSUER, "sid": "s-1", "more": "x"}, ISSUER) == FrontChannelLogout(
        ISSUER, "s-1"
    )
    assert FrontChannelLogout.of({}, ISSUER) == FrontChannelLogout()
    assert FrontChannelLogout.of({"iss": "https://as.example/t1/v2", "sid": "s"}, TENANTS).sid == "s"
    for wrong in (
        {"iss": "https://other.example", "sid": "s-1"},
        {"iss": ISSUER},
        {"sid": "s-1"},
        {"iss": ISSUER, "sid": ""},
        {"iss": [ISSUER], "sid": "s-1"},
    ):
        with pytest.raises(VerificationError):
            FrontChannelLogout.of(wrong, ISSUER)
    with pytest.raises(VerificationError):
        FrontChannelLogout.of({"iss": ISSUER, "sid": "s"}, TENANTS)


def test_an_issuer_that_differs_by_a_slash_is_refused_and_the_slash_is_named() -> None:
    other = f"{ISSUER}/"
    with pytest.raises(VerificationError, match="differ by a slash"):
        token(logout(iss=other)).validate(NOW, 0)
    with pytest.raises(VerificationError, match="differ by a slash"):
        FrontChannelLogout.of({"iss": other, "sid": "s"}, ISSUER)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from([*LogoutToken.REGISTERED_CLAIMS, "nonce"]), JSON), JSON)
def test_no_builtin_error_comes_of_any_logout_token(claims: dict[str, Any], typ: Any) -> None:
    with contextlib.suppress(VerificationError):
        token({**logout(), **claims}, typ).validate(NOW)
    with contextlib.suppress(VerificationError):
        FrontChannelLogout.of(claims, ISSUER)
