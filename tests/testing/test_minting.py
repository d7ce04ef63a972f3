"""Tokens that a test orders from the provider."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from doorkey.errors import UsageError, VerificationError
from doorkey.jose.generation import generate_key
from doorkey.jose.verification import unsafe_claims, unsafe_header, verify
from doorkey.oidc.core.hashes import half_hash
from doorkey.protocol.grants import ACCESS_TOKEN_TYPE, TOKEN_EXCHANGE
from doorkey.testing import Provider, Settings, client, user

OURS = client(
    "api-client", "s", access_token_claims={"tenant": "t1"}, id_token_claims={"seen": 1}, audiences={"orders": "api"}
)
HERS = user("carol", "pwd", access_token_claims={"tenant": "t2"}, userinfo_claims={"locale": "de"})


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    realms = {"strict": Settings(rfc9068=True, signing_alg="ES256")}
    with Provider(clients=[OURS, client("api", "api-secret")], users=[HERS], realms=realms) as provider:
        yield provider


@pytest.fixture(scope="module")
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


def claims_of(
    provider: Provider, http: requests.Session, token: str, *, typ: str = "JWT", realm: str = "master"
) -> Any:
    keys = http.get(f"{provider.issuer_of(realm)}/protocol/openid-connect/certs").json()
    return verify(token, keys, algorithms=["RS256", "ES256"], typ=typ).claims


def status(provider: Provider, http: requests.Session, token: str) -> int:
    return http.get(provider.userinfo_endpoint, headers={"Authorization": f"Bearer {token}"}).status_code


def test_a_token_for_a_user_is_signed_and_counts_at_the_provider(provider: Provider, http: requests.Session) -> None:
    token = provider.token("alice", scopes=["openid", "orders:read"])
    claims = claims_of(provider, http, token)
    assert (claims["iss"], claims["scope"], claims["azp"]) == (provider.issuer, "openid orders:read", "client-1")
    assert claims["sub"] == provider.users["alice"].sub
    assert status(provider, http, token) == 200


def test_a_token_without_a_user_is_for_the_client_itself(provider: Provider, http: requests.Session) -> None:
    claims = claims_of(provider, http, provider.token(client_id="api-client"))
    assert (claims["client_id"], claims["preferred_username"]) == ("api-client", "service-account-api-client")


def test_claims_of_the_client_the_user_and_the_order_in_that_order(provider: Provider, http: requests.Session) -> None:
    def tenant(username: str, **order: Any) -> object:
        return claims_of(provider, http, provider.token(username, client_id="api-client", **order)).get("tenant")

    assert (tenant("alice"), tenant("carol"), tenant("carol", claims={"tenant": "t3"})) == ("t1", "t2", "t3")
    assert tenant("carol", claims={"tenant": None}) is None
    minted = provider.id_token("carol", client_id="api-client", claims={"seen": 2, "iss": "https://other.example"})
    assert (unsafe_claims(minted)["seen"], unsafe_claims(minted)["iss"]) == (2, "https://other.example")


def test_the_audience_is_what_the_test_names(provider: Provider) -> None:
    assert unsafe_claims(provider.token("alice", audience="api"))["aud"] == "api"
    assert unsafe_claims(provider.token("alice", audience=["api", "other"]))["aud"] == ["api", "other"]
    assert unsafe_claims(provider.token("alice", client_id="api-client", scopes="orders"))["aud"] == ["api", "account"]


def test_a_token_may_have_expired_already(provider: Provider, http: requests.Session) -> None:
    token = provider.token("alice", scopes="openid", expires_in=-1)
    claims = unsafe_claims(token)
    assert claims["iat"] < claims["exp"] <= provider.clock()
    assert status(provider, http, token) == 401
    longer = unsafe_claims(provider.token("alice", expires_in=7200))
    assert longer["exp"] - longer["iat"] == 7200


@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "HS256"])
def test_a_token_may_be_signed_with_a_foreign_key(provider: Provider, http: requests.Session, alg: str) -> None:
    key = generate_key(alg)
    for token in (provider.token("alice", scopes="openid", key=key), provider.id_token("alice", key=key)):
        assert unsafe_header(token)["alg"] == alg
        assert status(provider, http, token) == 401
        with pytest.raises(VerificationError):
            claims_of(provider, http, token)
        verify(token, key, algorithms=[alg])


def test_the_form_of_rfc_9068_is_an_option_of_a_realm_and_of_a_token(
    provider: Provider, http: requests.Session
) -> None:
    for token, realm in (
        (provider.token("alice", realm="strict"), "strict"),
        (provider.token("alice", rfc9068=True), "master"),
    ):
        claims = claims_of(provider, http, token, typ="at+jwt", realm=realm)
        assert {"iss", "exp", "aud", "sub", "client_id", "iat", "jti"} <= set(claims)
        assert {"typ", "azp"}.isdisjoint(claims)
    assert unsafe_header(provider.token("alice", realm="strict", rfc9068=False))["typ"] == "JWT"


def test_tokens_of_rfc_9068_work_at_the_provider(provider: Provider, http: requests.Session) -> None:
    base = f"{provider.issuer_of('strict')}/protocol/openid-connect"
    form = {"grant_type": "password", "client_id": "api-client", "client_secret": "s", "scope": "openid"}
    token = http.post(f"{base}/token", {**form, "username": "carol", "password": "pwd"}).json()["access_token"]
    told = http.get(f"{base}/userinfo", headers={"Authorization": f"Bearer {token}"}).json()
    assert told == {"sub": provider.users["carol"].sub, "preferred_username": "carol", "locale": "de"}
    ours = {"client_id": "api", "client_secret": "api-secret"}
    minted = provider.token("carol", audience="api", realm="strict")
    assert http.post(f"{base}/token/introspect", {**ours, "token": minted}).json()["active"] is True


def test_an_id_token_has_the_hashes_of_what_it_comes_with(provider: Provider) -> None:
    claims = unsafe_claims(provider.id_token("alice", nonce="n", access_token="a", code="c"))
    assert (claims["nonce"], claims["at_hash"], claims["c_hash"]) == (
        "n",
        half_hash("a", "RS256"),
        half_hash("c", "RS256"),
    )


def test_a_key_rotation_signs_with_a_new_key(http: requests.Session) -> None:
    with Provider() as provider:
        before = provider.token("alice", scopes="openid")
        provider.rotate_keys()
        after = provider.token("alice", scopes="openid")
        assert unsafe_header(before)["kid"] != unsafe_header(after)["kid"]
        assert [status(provider, http, one) for one in (before, after)] == [200, 200]
        provider.rotate_keys(withdraw=True)
        assert [status(provider, http, one) for one in (before, after)] == [401, 401]


def test_access_tokens_expire_now_and_later_ones_count(http: requests.Session) -> None:
    with Provider() as provider:
        form = {"grant_type": "password", "client_id": "client-1", "client_secret": "my-secret", "scope": "openid"}
        answer = http.post(provider.token_endpoint, {**form, "username": "alice", "password": "wonderland"}).json()
        minted = provider.token("alice", scopes="openid")
        provider.expire_access_tokens()
        assert [status(provider, http, one) for one in (answer["access_token"], minted)] == [401, 401]
        refresh = {**form, "grant_type": "refresh_token", "refresh_token": answer["refresh_token"]}
        again = http.post(provider.token_endpoint, refresh).json()["access_token"]
        assert [status(provider, http, one) for one in (again, provider.token("alice", scopes="openid"))] == [200, 200]


def test_refresh_tokens_are_refused_on_demand_and_later_ones_work(http: requests.Session) -> None:
    with Provider() as provider:
        form = {"client_id": "client-1", "client_secret": "my-secret"}
        login = {**form, "grant_type": "password", "username": "alice", "password": "wonderland", "scope": "openid"}

        def refreshed(token: str) -> tuple[int, str]:
            refresh = {**form, "grant_type": "refresh_token", "refresh_token": token}
            answer = http.post(provider.token_endpoint, refresh)
            return answer.status_code, answer.json().get("error", "")

        tokens = http.post(provider.token_endpoint, login).json()
        assert refreshed(tokens["refresh_token"]) == (200, "")
        provider.reject_refresh_tokens()
        assert refreshed(tokens["refresh_token"]) == (400, "invalid_grant")
        told = http.post(f"{provider.introspection_endpoint}", {**form, "token": tokens["refresh_token"]}).json()
        assert told == {"active": False}
        assert status(provider, http, tokens["access_token"]) == 200
        assert refreshed(http.post(provider.token_endpoint, login).json()["refresh_token"]) == (200, "")


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ({"username": "alic"}, "no user 'alic': did you mean 'alice'"),
        ({"client_id": "client-11"}, "no client 'client-11': did you mean"),
        ({"realm": "mastr"}, "no realm 'mastr': did you mean 'master'"),
        ({"claims": {"a": object()}}, "claims must be JSON values"),
        ({"expires_in": "soon"}, "expires_in must be a number of seconds"),
        ({"key": "-----BEGIN PUBLIC KEY-----"}, "the key"),
        ({"key": generate_key("ES384").public_jwk()}, "signing needs a private key; this one is public"),
        ({"key": {**generate_key("ES256").as_dict(is_private=True), "use": "enc"}}, "`use` is not `sig`"),
        ({"key": X25519PrivateKey.generate()}, "no algorithm signs with a key on X25519: use P-256, or Ed25519"),
        ({"key": "short"}, "HS256 needs a secret of at least 32 bytes"),
        ({"claims": {"\ud800": 1}}, "claims must be JSON values"),
        ({"scopes": 5}, "scopes must be text"),
        ({"rfc9068": "yes"}, "rfc9068 must be True, False or None"),
    ],
)
def test_an_order_that_cannot_be_met_is_refused(provider: Provider, order: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        provider.token(**order)


def test_a_provider_that_has_not_started_mints_nothing() -> None:
    with pytest.raises(UsageError, match="has not started"):
        Provider(port=8080).token("alice")


WRONG_MEMBERS: list[dict[str, Any]] = [
    *({"exp": None}, {"exp": "x"}, {"exp": True}, {"exp": 1e300}, {"iat": None}, {"iat": "x"}),
    *({"jti": None}, {"jti": 5}, {"azp": None}, {"azp": 5}, {"azp": []}, {"sub": None}, {"sub": 5}, {"sub": []}),
    *({"sid": 5}, {"sid": "unknown"}, {"scope": None}, {"scope": 5}, {"aud": 5}, {"aud": []}, {"aud": [5]}),
    *({"realm_access": None}, {"email_verified": None}),
]


@pytest.mark.parametrize("username", [None, "alice"])
@pytest.mark.parametrize("claims", WRONG_MEMBERS)
def test_a_token_whose_claims_are_missing_or_of_a_wrong_type_never_crashes_an_endpoint(
    provider: Provider, http: requests.Session, claims: dict[str, Any], username: str | None
) -> None:
    for rfc9068 in (False, True):
        order: Any = {"claims": claims, "scopes": "openid", "audience": ["resource-server", "client-1"]}
        token = provider.token(username, rfc9068=rfc9068, **order)
        answers = [http.get(provider.userinfo_endpoint, headers={"Authorization": f"Bearer {token}"})]
        own, other = ("client-1", "my-secret"), ("resource-server", "resource-server-secret")
        answers.append(http.post(provider.introspection_endpoint, {"token": token}, auth=other))
        form = {"grant_type": TOKEN_EXCHANGE, "subject_token": token, "subject_token_type": ACCESS_TOKEN_TYPE}
        answers.append(http.post(provider.token_endpoint, form, auth=own))
        answers.append(http.post(provider.revocation_endpoint, {"token": token}, auth=own))
        hint = provider.id_token("alice", claims=claims)
        answers.append(http.get(provider.end_session_endpoint, params={"id_token_hint": hint}))
        assert [answer.status_code for answer in answers if answer.status_code >= 500] == []
