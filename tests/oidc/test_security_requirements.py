"""The line on ID tokens of the security requirements, claim by claim (OpenID Connect Core §3.1.3.7)."""

from typing import Any

import pytest

from doorkey.errors import OAuthError
from doorkey.jose import JsonWebToken, jwt
from doorkey.jose.claim_rules import LEEWAY
from doorkey.jose.generation import generate_key
from doorkey.oidc.core import CodeIDToken, HybridIDToken, IDToken, ImplicitIDToken, UserInfo
from doorkey.oidc.core.hashes import half_hash
from tests.support.id_tokens import CLIENT, ISSUER, LOGIN, NOW, accept, claims, refused

KINDS = [IDToken, CodeIDToken, ImplicitIDToken, HybridIDToken]
KEY = generate_key("ES256")
AT = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"


@pytest.mark.parametrize("kind", KINDS)
def test_a_good_id_token_of_this_login_is_good(kind: type[IDToken]) -> None:
    accept(claims(), kind=kind)


@pytest.mark.parametrize(
    "iss", [f"{ISSUER}/", ISSUER.upper(), "https://as.exampl", f"{ISSUER}.evil", f" {ISSUER}", "", 1, [ISSUER]]
)
def test_iss_equal(iss: object) -> None:
    assert refused(claims(iss=iss)).claim == "iss"
    assert refused(claims(iss=iss), {}, options={"iss": {"value": ISSUER}}).claim == "iss"


@pytest.mark.parametrize("aud", ["another-client", "A-CLIENT", "a-clien", ["another-client"], f"{CLIENT} x"])
def test_aud_contains_the_client_id(aud: object) -> None:
    assert refused(claims(aud=aud)).claim == "aud"
    assert refused(claims(aud=aud), {}, options={"aud": {"value": CLIENT}}).claim == "aud"
    assert refused(claims(aud=aud, azp=CLIENT)).claim == "aud"


def test_extra_audiences_need_trust_and_azp() -> None:
    two = [CLIENT, "their-api"]
    trusting = {**LOGIN, "trusted_audiences": ["their-api"]}
    accept(claims(aud=two, azp=CLIENT), trusting)
    assert refused(claims(aud=two, azp=CLIENT)).claim == "aud"
    assert refused(claims(aud=two), trusting).claim == "azp"
    assert refused(claims(aud=[*two, "third"], azp=CLIENT), trusting).claim == "aud"
    assert refused(claims(aud=two, azp="their-api"), trusting).claim == "azp"
    assert refused(claims(aud=two), {}).claim == "azp"
    assert refused(claims(aud="their-api", azp=CLIENT), trusting).claim == "aud"


def test_extra_audiences_need_trust_also_where_the_client_is_named_by_an_option() -> None:
    two = [CLIENT, "their-api"]
    accept(claims(aud=two, azp=CLIENT), {}, options={"aud": {"values": two}})
    assert refused(claims(aud=two, azp=CLIENT), {}, options={"aud": {"value": CLIENT}}).claim == "aud"
    accept(claims(aud=two, azp=CLIENT), LOGIN, options={"aud": {"values": two}})


@pytest.mark.parametrize("azp", ["another-client", "", 1, [CLIENT]])
def test_azp_equal_to_the_client_id(azp: object) -> None:
    accept(claims(azp=CLIENT))
    assert refused(claims(azp=azp)).claim == "azp"


@pytest.mark.parametrize("name", ["iss", "sub", "aud", "exp", "iat"])
@pytest.mark.parametrize("kind", KINDS)
def test_iss_sub_aud_exp_and_iat_are_required(name: str, kind: type[IDToken]) -> None:
    error = refused(claims(**{name: None}), {}, kind=kind)
    assert (error.claim, error.reason) == (name, "is missing")
    assert refused(claims(**{name: None}), {}, kind=kind, options={name: {"essential": False}}).claim == name


@pytest.mark.parametrize("name", ["exp", "iat", "nbf", "auth_time"])
@pytest.mark.parametrize("value", [str(NOW), True, float("nan"), float("inf"), [NOW], {}])
def test_exp_iat_nbf_and_auth_time_are_numeric(name: str, value: object) -> None:
    assert refused(claims(**{name: value})).claim == name


def test_clock_skew_is_bounded_and_at_most_a_minute_by_default() -> None:
    assert LEEWAY <= 60
    for members in (claims(exp=NOW - 60), claims(iat=NOW + 61), claims(nbf=NOW + 61), claims(auth_time=NOW + 61)):
        refused(members, leeway=LEEWAY)
    for members in (claims(exp=NOW - 59), claims(iat=NOW + 60), claims(nbf=NOW + 60), claims(auth_time=NOW + 60)):
        accept(members, leeway=LEEWAY)


def test_nbf_is_not_to_come() -> None:
    accept(claims(nbf=NOW))
    assert refused(claims(nbf=NOW + 1)).claim == "nbf"


@pytest.mark.parametrize("nonce", ["another", "", "n-0S6_WzA2M", "N-0S6_WzA2Mj", None, 1, [LOGIN["nonce"]]])
def test_nonce_equal(nonce: object) -> None:
    error = refused(claims(nonce=nonce))
    assert error.claim == "nonce"
    assert str(LOGIN["nonce"]) not in repr(error) + str(error.expected)


@pytest.mark.parametrize("kind", [ImplicitIDToken, HybridIDToken])
def test_nonce_is_required_of_a_token_that_came_through_the_browser(kind: type[IDToken]) -> None:
    assert refused(claims(nonce=None), {}, kind=kind).claim == "nonce"
    accept(claims(nonce=None), {})


@pytest.mark.parametrize("sub", ["", "x" * 256, 1, None, ["a"], True])
def test_sub_is_a_non_empty_string_of_at_most_255(sub: object) -> None:
    assert refused(claims(sub=sub)).claim == "sub"
    accept(claims(sub="x" * 255))


def test_at_hash_is_checked_where_it_is_given_and_required_where_the_browser_brought_the_token() -> None:
    with_token = {**LOGIN, "access_token": AT}
    good = half_hash(AT, "RS256")
    for kind in KINDS:
        accept(claims(at_hash=good), with_token, kind=kind)
        assert refused(claims(at_hash=half_hash("another", "RS256")), with_token, kind=kind).claim == "at_hash"
        odd_ones: list[object] = ["", good[:-1], good + "A", 1, [good], {}]
        for odd in odd_ones:
            assert refused(claims(at_hash=odd), with_token, kind=kind).claim == "at_hash"
    accept(claims(), with_token)
    for kind in (ImplicitIDToken, HybridIDToken):
        assert (
            refused(claims(), with_token, kind=kind).reason
            == "is missing, although the access_token came with the ID token"
        )


def test_c_hash_is_checked_where_it_is_given_and_required_beside_a_code() -> None:
    with_code = {**LOGIN, "code": "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk"}
    for kind in KINDS:
        accept(claims(c_hash=half_hash(with_code["code"], "RS256")), with_code, kind=kind)
        assert refused(claims(c_hash=half_hash("another", "RS256")), with_code, kind=kind).claim == "c_hash"
    accept(claims(), with_code)
    assert refused(claims(), with_code, kind=HybridIDToken).claim == "c_hash"


def test_s_hash_is_checked_where_it_is_given() -> None:
    with_state = {**LOGIN, "state": "af0ifjsldkj"}
    accept(claims(s_hash=half_hash("af0ifjsldkj", "RS256")), with_state)
    accept(claims(), with_state)
    assert refused(claims(s_hash=half_hash("another", "RS256")), with_state).claim == "s_hash"


@pytest.mark.parametrize("alg", ["RS257", "none", "", None, 1, ["RS256"], "ES256K"])
def test_hashes_fail_closed_on_an_unknown_alg(alg: object) -> None:
    for name, of in (("at_hash", "access_token"), ("c_hash", "code"), ("s_hash", "state")):
        params = {**LOGIN, of: AT}
        assert refused(claims(**{name: half_hash(AT, "RS256")}), params, header={"alg": alg}).claim == "alg"


def test_auth_time_with_max_age() -> None:
    within = {**LOGIN, "max_age": 300}
    accept(claims(auth_time=NOW - 300), within)
    accept(claims(auth_time=NOW - 310), within, leeway=10)
    for members in (claims(), claims(auth_time=NOW - 301), claims(auth_time=NOW + 1)):
        assert refused(members, within).claim == "auth_time"
    accept(claims(auth_time=NOW), {**LOGIN, "max_age": 0})
    assert refused(claims(auth_time=NOW - 1), {**LOGIN, "max_age": 0}).claim == "auth_time"


def test_acr_if_asked() -> None:
    asked = {"acr": {"values": ["urn:mace:incommon:iap:silver", "2"]}}
    accept(claims(acr="2"), options=asked)
    for acr in ("1", None, 2, ["2"]):
        assert refused(claims(acr=acr), options=asked).claim == "acr"


@pytest.mark.parametrize("typ", ["at+jwt", "application/at+jwt", "AT+JWT", "logout+jwt", "dpop+jwt", "secevent+jwt"])
def test_a_token_of_another_typ_is_never_an_id_token(typ: str) -> None:
    token = jwt.encode({"alg": "ES256", "typ": typ}, claims(), KEY)
    decoded = jwt.decode(token, KEY.public_jwk(), claims_cls=CodeIDToken)
    with pytest.raises(OAuthError, match="typ belongs to another kind of token"):
        decoded.validate(NOW)
    for odd in (typ, 1, None, ["JWT"]):
        assert refused(claims(), header={"typ": odd}).claim == "typ"
    for same in ("JWT", "jwt", "application/jwt"):
        accept(claims(), header={"typ": same})


@pytest.mark.parametrize("typ", ["Bearer", "Refresh", "Offline", "Logout"])
def test_a_token_that_keycloak_calls_otherwise_is_never_an_id_token(typ: str) -> None:
    accept(claims(typ="ID"))
    assert refused(claims(typ=typ)).claim == "typ"


def test_a_logout_token_is_never_an_id_token_even_without_its_typ() -> None:
    assert refused(claims(events={"http://schemas.openid.net/event/backchannel-logout": {}})).claim == "events"


def test_claims_cannot_be_read_before_the_signature_is_good() -> None:
    other = generate_key("ES256")
    token = jwt.encode({"alg": "ES256", "kid": KEY.kid}, claims(), other)
    with pytest.raises(OAuthError, match="signature cannot be verified with these keys"):
        jwt.decode(token, {"keys": [KEY.public_jwk()]}, claims_cls=CodeIDToken)


def test_the_algorithm_comes_from_the_registration() -> None:
    token = jwt.encode({"alg": "ES256"}, claims(), KEY)
    assert JsonWebToken(["ES256"]).decode(token, KEY.public_jwk(), CodeIDToken).sub == "248289761001"
    with pytest.raises(OAuthError, match="alg is not the registered one"):
        JsonWebToken(["RS256"]).decode(token, KEY.public_jwk(), CodeIDToken)


@pytest.mark.parametrize("sub", ["248289761002", "", None, 248289761001, "248289761001 "])
def test_userinfo_sub_equals_that_of_the_id_token(sub: Any) -> None:
    UserInfo({"sub": "248289761001"}).check_sub("248289761001")
    with pytest.raises(OAuthError, match="another user"):
        UserInfo({"sub": sub}).check_sub("248289761001")
    with pytest.raises(OAuthError, match="another user"):
        UserInfo({"sub": sub}).check_sub("")
