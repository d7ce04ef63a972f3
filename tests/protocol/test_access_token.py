"""What an access token must be: a token of this issuer, for this API, of the right kind, valid now (RFC 9068 §4)."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey.protocol.access_token import (
    check_binding,
    check_introspected,
    check_jwt,
    check_use,
    client_of,
    scopes_of,
)
from doorkey.protocol.rejections import InvalidAccessToken
from doorkey.protocol.token_profiles import AUTH0, ENTRA, KEYCLOAK, RFC9068, TokenProfile

ISSUER, API, NOW = "https://as.example", "https://api.example", 1_700_000_000
COMMON = {"iss": ISSUER, "aud": API, "exp": NOW + 300, "iat": NOW, "sub": "5ba552d67", "jti": "dbe39bf3a3ba4238"}

AT = {"typ": "at+jwt", "alg": "RS256"}
JWT = {"typ": "JWT", "alg": "RS256"}
GOOD: dict[str, tuple[TokenProfile, dict[str, str], dict[str, Any]]] = {
    "rfc9068": (RFC9068, AT, {**COMMON, "client_id": "s6BhdRkqt3", "scope": "read write"}),
    "keycloak": (KEYCLOAK, JWT, {**COMMON, "typ": "Bearer", "azp": "app", "aud": ["account", API], "scope": "email"}),
    "entra": (
        ENTRA,
        JWT,
        {**COMMON, "nbf": NOW, "tid": "t", "ver": "2.0", "azp": "app", "scp": "Orders.Read", "oid": "o"},
    ),
    "auth0": (AUTH0, JWT, {**COMMON, "azp": "app", "scope": "read:x", "aud": [API, "https://t.auth0.com/userinfo"]}),
}
ID_TOKENS: dict[str, tuple[TokenProfile, dict[str, str], dict[str, Any]]] = {
    "rfc9068": (RFC9068, JWT, {**COMMON, "client_id": "app", "nonce": "n"}),
    "keycloak": (KEYCLOAK, JWT, {**COMMON, "typ": "ID", "azp": "app", "at_hash": "h"}),
    "keycloak without at_hash": (KEYCLOAK, JWT, {**COMMON, "typ": "ID", "azp": "app"}),
    "entra": (ENTRA, JWT, {**COMMON, "nbf": NOW, "tid": "t", "nonce": "n", "azp": "app", "roles": ["r"]}),
    "entra without a nonce": (ENTRA, JWT, {**COMMON, "nbf": NOW, "tid": "t"}),
    "auth0": (AUTH0, JWT, {**COMMON, "nonce": "n", "azp": "app"}),
    "auth0 without a nonce": (AUTH0, JWT, COMMON),
}

each_good = pytest.mark.parametrize(("profile", "header", "claims"), GOOD.values(), ids=list(GOOD))


def check(
    profile: TokenProfile, header: dict[str, Any], claims: dict[str, Any], now: float = NOW, leeway: float = 60
) -> None:
    check_jwt(header, claims, profile, issuer=ISSUER, audience=(API, "orders"), now=now, leeway=leeway)


def rejected(*given: Any, **more: Any) -> InvalidAccessToken:
    with pytest.raises(InvalidAccessToken) as caught:
        check(*given, **more)
    return caught.value


@each_good
def test_a_token_of_each_server_is_accepted(profile: TokenProfile, header: Any, claims: dict[str, Any]) -> None:
    check(profile, header, claims)


@pytest.mark.parametrize(("profile", "header", "claims"), ID_TOKENS.values(), ids=list(ID_TOKENS))
def test_an_id_token_is_never_an_access_token(profile: TokenProfile, header: Any, claims: dict[str, Any]) -> None:
    rejected(profile, header, claims)


@each_good
@pytest.mark.parametrize("typ", ["logout+jwt", "dpop+jwt", "secevent+jwt", "id+jwt", "", 5, None, ["at+jwt"]])
def test_another_type_is_rejected(profile: TokenProfile, header: Any, claims: dict[str, Any], typ: object) -> None:
    error = rejected(profile, {**header, "typ": typ}, claims)
    assert error.claim == "typ"
    assert "profile=" in error.reason


@each_good
def test_the_type_may_have_any_case_and_the_prefix_of_a_media_type(
    profile: TokenProfile, header: Any, claims: dict[str, Any]
) -> None:
    check(profile, {**header, "typ": "application/" + header["typ"].upper()}, claims)


def test_a_header_without_a_type_is_that_of_a_jwt() -> None:
    profile, _, claims = GOOD["keycloak"]
    check(profile, {}, claims)
    profile, _, claims = GOOD["rfc9068"]
    assert rejected(profile, {}, claims).claim == "typ"


@each_good
def test_each_required_claim_is_required(profile: TokenProfile, header: Any, claims: dict[str, Any]) -> None:
    for name in profile.required:
        lacking = {key: value for key, value in claims.items() if key != name}
        assert rejected(profile, header, lacking).claim == name
        rejected(profile, header, {**claims, name: None})
        rejected(profile, header, {**claims, name: ""})
    for names in profile.required_any:
        lacking = {key: value for key, value in claims.items() if key not in names}
        assert rejected(profile, header, lacking).claim == names[0]


@each_good
def test_a_claim_of_another_kind_of_token_is_rejected(
    profile: TokenProfile, header: Any, claims: dict[str, Any]
) -> None:
    for name in profile.forbidden:
        assert rejected(profile, header, {**claims, name: "x"}).claim == name


@each_good
@pytest.mark.parametrize("issuer", ["https://as.example/", "https://AS.example", "https://as.exampl", 5, ""])
def test_another_issuer_is_rejected(profile: TokenProfile, header: Any, claims: dict[str, Any], issuer: object) -> None:
    error = rejected(profile, header, {**claims, "iss": issuer})
    assert error.claim == "iss"
    assert ("differ by a slash" in error.reason) == (issuer == f"{ISSUER}/")


@each_good
@pytest.mark.parametrize("audience", ["https://api.example/", "other", ["other", "another"], [], [5], {}, 5])
def test_a_token_for_another_api_is_rejected(
    profile: TokenProfile, header: Any, claims: dict[str, Any], audience: object
) -> None:
    assert rejected(profile, header, {**claims, "aud": audience}).claim == "aud"


@each_good
def test_an_expired_token_is_rejected_and_the_error_states_by_how_much(
    profile: TokenProfile, header: Any, claims: dict[str, Any]
) -> None:
    check(profile, header, claims, now=NOW + 359)
    error = rejected(profile, header, claims, now=NOW + 3900)
    assert (error.claim, error.status) == ("exp", 401)
    assert "3600 seconds ago" in error.reason


@each_good
@pytest.mark.parametrize("name", ["sub", "jti", "client_id", "azp"])
@pytest.mark.parametrize("value", [5, ["alice"], True])
def test_the_names_in_a_token_are_text(
    profile: TokenProfile, header: Any, claims: dict[str, Any], name: str, value: object
) -> None:
    assert rejected(profile, header, {**claims, name: value}).claim == name


def test_a_token_from_the_future_is_rejected() -> None:
    profile, header, claims = GOOD["rfc9068"]
    for name in ("iat", "nbf", "auth_time"):
        assert rejected(profile, header, {**claims, name: NOW + 61}).claim == name
        check(profile, header, {**claims, name: NOW + 60})


def test_a_profile_of_the_program_may_require_less() -> None:
    _, header, claims = GOOD["rfc9068"]
    lean = replace(RFC9068, required=("iss", "exp", "aud"))
    check(lean, header, {name: claims[name] for name in ("iss", "exp", "aud")})


def test_a_token_without_an_audience_is_accepted_only_where_it_is_not_required() -> None:
    use: dict[str, Any] = {"issuer": ISSUER, "audience": (API,), "now": NOW, "leeway": 0}
    check_use({"active": True}, **use, audience_required=False)
    with pytest.raises(InvalidAccessToken, match="aud is missing"):
        check_use({"active": True}, **use)
    with pytest.raises(InvalidAccessToken, match="aud does not contain"):
        check_use({"aud": "other"}, **use, audience_required=False)


@pytest.mark.parametrize("kind", ["Bearer", "bearer", "DPoP", "access_token"])
def test_introspection_may_name_the_type_of_the_token(kind: str) -> None:
    check_introspected({"active": True, "token_type": kind}, KEYCLOAK)
    check_introspected({"active": True}, KEYCLOAK)
    check_introspected({"active": True, "typ": "Bearer"}, KEYCLOAK)


@pytest.mark.parametrize("members", [{"token_type": "refresh_token"}, {"token_type": 5}, {"typ": "Refresh"}])
def test_a_refresh_token_that_is_active_is_no_access_token(members: dict[str, Any]) -> None:
    with pytest.raises(InvalidAccessToken):
        check_introspected({"active": True, **members}, KEYCLOAK)


def test_a_token_that_is_not_bound_needs_no_proof() -> None:
    check_binding({})
    with pytest.raises(InvalidAccessToken, match="send it as Bearer"):
        check_binding({}, scheme="DPoP", proven_key="k")


@pytest.mark.parametrize(("member", "proof"), [("x5t#S256", "certificate"), ("jkt", "proven_key")])
def test_a_bound_token_needs_the_proof_of_its_key(member: str, proof: str) -> None:
    claims = {"cnf": {member: "thumbprint"}}
    check_binding(claims, **{proof: "thumbprint"})
    for sent in ({}, {proof: "another"}, {proof: ""}):
        with pytest.raises(InvalidAccessToken) as caught:
            check_binding(claims, **sent)
        assert caught.value.claim == "cnf"


def test_a_token_with_two_bindings_needs_both_proofs() -> None:
    claims = {"cnf": {"x5t#S256": "c", "jkt": "k"}}
    check_binding(claims, certificate="c", proven_key="k", scheme="DPoP")
    with pytest.raises(InvalidAccessToken):
        check_binding(claims, certificate="c")


@pytest.mark.parametrize("cnf", [{}, None, "x", [], {"jwk": {}}, {"kid": "k"}, {"x5t#S256": 5}, {"jkt": None}])
def test_a_binding_that_cannot_be_checked_rejects_the_token(cnf: object) -> None:
    with pytest.raises(InvalidAccessToken) as caught:
        check_binding({"cnf": cnf}, certificate="c", proven_key="k")
    assert caught.value.claim == "cnf"


@pytest.mark.parametrize(
    ("claims", "names", "expected"),
    [
        ({"scope": "a b  a"}, ("scope",), ("a", "b")),
        ({"scp": ["a", "b", 5, None]}, ("scp",), ("a", "b")),
        ({"scope": "a", "scp": "b"}, ("scope", "scp"), ("a", "b")),
        ({"scope": 5}, ("scope",), ()),
        ({"scope": {"a": 1}}, ("scope",), ()),
        ({}, ("scope",), ()),
    ],
)
def test_scopes_are_text_or_a_list(claims: dict[str, Any], names: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert scopes_of(claims, names).tokens == expected


def test_the_client_is_in_the_first_claim_that_names_one() -> None:
    assert client_of({"azp": "a", "client_id": "b"}) == "b"
    assert client_of({"azp": "a", "client_id": 5}) == "a"
    assert client_of({"appid": "a"}) is None


NAMES = ["iss", "aud", "exp", "iat", "nbf", "sub", "jti", "client_id", "azp", "typ", "cnf", "auth_time", "scope"]
LEAVES = st.none() | st.booleans() | st.floats() | st.integers() | st.text()
JSON = st.recursive(LEAVES, lambda some: st.lists(some) | st.dictionaries(st.text(), some), max_leaves=5)


@given(st.dictionaries(st.sampled_from(NAMES), JSON), st.dictionaries(st.just("typ"), JSON))
def test_any_claims_are_accepted_or_rejected(claims: dict[str, Any], header: dict[str, Any]) -> None:
    for profile in (RFC9068, KEYCLOAK, ENTRA, AUTH0):
        with pytest.raises(InvalidAccessToken):
            check(profile, header, {**claims, "iss": "https://another.example"})
        assert len(scopes_of(claims)) >= 0
        assert client_of(claims) != ""
    with suppress(InvalidAccessToken):
        check_introspected(claims, KEYCLOAK)
        check_use(claims, issuer=ISSUER, audience=(API,), now=NOW, leeway=0)
        check_binding(claims)
