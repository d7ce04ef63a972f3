"""The questions about a token that is exchanged for another one (RFC 8693)."""

from collections.abc import Mapping
from typing import Any

import requests

from tests.recordings import normalize
from tests.recordings.asking import scenario
from tests.recordings.realm import CLIENT, RESOURCE_SERVER, Realm

KIND = "urn:ietf:params:oauth:token-type:"
EXCHANGE = {
    "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
    "subject_token_type": KIND + "access_token",
}


def exchange(
    realm: Realm, token: str | None = None, client: Mapping[str, str] = CLIENT, **changes: str
) -> requests.Response:
    """Ask with this subject token, or with one of alice's."""
    return realm.token({**EXCHANGE, **client, "subject_token": token or _alice(realm), **changes})


def _alice(realm: Realm, scope: str = "openid") -> str:
    return str(realm.alice_tokens(scope)["access_token"])


def token_claims(answer: requests.Response, name: str = "access_token") -> Mapping[str, Any]:
    assert answer.status_code == 200, answer.text
    return normalize.claims(answer.json()[name])


@scenario
def tokenexchange(realm: Realm) -> requests.Response:
    return exchange(realm)


@scenario
def token_exchange_of_a_token_without_openid(realm: Realm) -> requests.Response:
    return exchange(realm, _alice(realm, "email"))


@scenario
def token_exchange_with_openid(realm: Realm) -> requests.Response:
    return exchange(realm, scope="openid")


@scenario
def token_exchange_with_another_scope(realm: Realm) -> requests.Response:
    return exchange(realm, scope="scope-1")


@scenario
def token_exchange_with_an_unknown_scope(realm: Realm) -> requests.Response:
    return exchange(realm, scope="no-such-scope")


@scenario
def token_exchange_loses_a_scope_that_is_not_asked_for(realm: Realm) -> requests.Response:
    return exchange(realm, _alice(realm, "openid scope-1"))


@scenario
def token_exchange_by_whom_the_token_is_meant_for(realm: Realm) -> requests.Response:
    return exchange(realm, _alice(realm, "openid scope-1"), RESOURCE_SERVER)


@scenario
def token_exchange_by_whom_the_token_is_not_meant_for(realm: Realm) -> requests.Response:
    return exchange(realm, None, RESOURCE_SERVER)


@scenario
def token_exchange_of_a_clients_own_token(realm: Realm) -> requests.Response:
    return exchange(realm, realm.tokens({"grant_type": "client_credentials", **CLIENT})["access_token"])


@scenario
def token_exchange_of_an_exchanged_token(realm: Realm) -> requests.Response:
    return exchange(realm, exchange(realm).json()["access_token"])


@scenario
def token_exchange_without_a_subject_token(realm: Realm) -> requests.Response:
    return realm.token({**EXCHANGE, **CLIENT})


@scenario
def token_exchange_without_a_subject_token_type(realm: Realm) -> requests.Response:
    return realm.token({"grant_type": EXCHANGE["grant_type"], **CLIENT, "subject_token": _alice(realm)})


@scenario
def token_exchange_of_garbage(realm: Realm) -> requests.Response:
    return exchange(realm, "garbage")


@scenario
def token_exchange_of_an_id_token(realm: Realm) -> requests.Response:
    return exchange(realm, realm.alice_tokens()["id_token"])


@scenario
def token_exchange_of_an_id_token_as_such(realm: Realm) -> requests.Response:
    return exchange(realm, realm.alice_tokens()["id_token"], subject_token_type=KIND + "id_token")


@scenario
def token_exchange_of_a_refresh_token(realm: Realm) -> requests.Response:
    return exchange(realm, realm.alice_tokens()["refresh_token"])


@scenario
def token_exchange_of_a_token_of_another_realm(realm: Realm) -> requests.Response:
    return exchange(realm, _alice(Realm(realm.origin, "rotating", realm.http)))


@scenario
def token_exchange_of_a_revoked_token(realm: Realm) -> requests.Response:
    token = _alice(realm)
    realm.post("revoke", {**CLIENT, "token": token})
    return exchange(realm, token)


@scenario
def token_exchange_after_the_session_was_removed(realm: Realm) -> requests.Response:
    tokens, admin = realm.alice_tokens(), realm.admin_tokens()
    realm.admin("DELETE", f"sessions/{tokens['session_state']}", admin["access_token"])
    return exchange(realm, tokens["access_token"])


@scenario
def token_exchange_of_a_public_client(realm: Realm) -> requests.Response:
    return exchange(realm, realm.admin_tokens()["access_token"], {"client_id": "admin-cli"})


@scenario
def token_exchange_with_a_wrong_client_secret(realm: Realm) -> requests.Response:
    return exchange(realm, None, {**CLIENT, "client_secret": "wrong"})


@scenario
def token_exchange_for_an_access_token(realm: Realm) -> requests.Response:
    return exchange(realm, requested_token_type=KIND + "access_token")


@scenario
def token_exchange_for_an_id_token(realm: Realm) -> requests.Response:
    return exchange(realm, requested_token_type=KIND + "id_token")


@scenario
def token_exchange_for_a_refresh_token(realm: Realm) -> requests.Response:
    return exchange(realm, requested_token_type=KIND + "refresh_token")


@scenario
def token_exchange_for_a_token_type_nobody_knows(realm: Realm) -> requests.Response:
    return exchange(realm, requested_token_type="no-such-type")


@scenario
def token_exchange_for_another_subject(realm: Realm) -> requests.Response:
    return exchange(realm, requested_subject="user")


@scenario
def token_exchange_with_an_audience(realm: Realm) -> requests.Response:
    return exchange(realm, audience="resource-server", scope="scope-1")


@scenario
def token_exchange_with_an_audience_beyond_the_scope(realm: Realm) -> requests.Response:
    return exchange(realm, _alice(realm, "openid scope-1"), audience="resource-server")


@scenario
def token_exchange_with_an_unknown_audience(realm: Realm) -> requests.Response:
    return exchange(realm, audience="no-such-client")


def _with_pairs(realm: Realm, *pairs: tuple[str, str]) -> requests.Response:
    form = [*EXCHANGE.items(), *CLIENT.items(), ("subject_token", _alice(realm)), *pairs]
    return realm.http.post(realm.endpoint("token"), data=form, allow_redirects=False, timeout=30)


@scenario
def token_exchange_with_two_audiences(realm: Realm) -> requests.Response:
    return _with_pairs(realm, ("audience", "account"), ("audience", "resource-server"), ("scope", "scope-1"))


@scenario
def token_exchange_with_two_audiences_beyond_the_scope(realm: Realm) -> requests.Response:
    return _with_pairs(realm, ("audience", "client-3"), ("audience", "client-2"))


@scenario
def token_exchange_with_two_resources(realm: Realm) -> requests.Response:
    return _with_pairs(realm, ("resource", "https://a.example"), ("resource", "https://b.example"))


@scenario
def token_exchange_with_a_repeated_scope(realm: Realm) -> requests.Response:
    return _with_pairs(realm, ("scope", "openid"), ("scope", "email"))


@scenario
def password_grant_with_two_audiences(realm: Realm) -> requests.Response:
    form = [("grant_type", "password"), *CLIENT.items(), ("audience", "account"), ("audience", "client-2")]
    return realm.http.post(realm.endpoint("token"), data=form, allow_redirects=False, timeout=30)


@scenario
def claims_of_an_exchanged_token(realm: Realm) -> Mapping[str, Any]:
    return token_claims(exchange(realm))


@scenario
def claims_of_an_exchanged_token_of_a_login(realm: Realm) -> Mapping[str, Any]:
    form = realm.code_form("client-1", client_secret="my-secret")
    return token_claims(exchange(realm, realm.tokens(form)["access_token"]))


@scenario
def claims_of_an_exchanged_token_with_an_audience(realm: Realm) -> Mapping[str, Any]:
    return token_claims(exchange(realm, audience="resource-server", scope="scope-1"))


@scenario
def claims_of_an_exchanged_token_of_a_client(realm: Realm) -> Mapping[str, Any]:
    token = realm.tokens({"grant_type": "client_credentials", **CLIENT})["access_token"]
    return token_claims(exchange(realm, token))


@scenario
def claims_of_an_id_token_byexchange(realm: Realm) -> Mapping[str, Any]:
    return token_claims(exchange(realm, requested_token_type=KIND + "id_token"))


@scenario
def claims_of_an_id_token_beside_an_exchanged_token(realm: Realm) -> Mapping[str, Any]:
    return token_claims(exchange(realm, scope="openid"), "id_token")


@scenario
def userinfo_with_an_exchanged_token(realm: Realm) -> requests.Response:
    return realm.get(realm.endpoint("userinfo"), exchange(realm, scope="openid").json()["access_token"])


def introspected(realm: Realm, token: str) -> requests.Response:
    return realm.post("token/introspect", {**RESOURCE_SERVER, "token": token})


@scenario
def introspection_of_an_exchanged_token(realm: Realm) -> requests.Response:
    return introspected(realm, exchange(realm, scope="openid scope-1").json()["access_token"])


@scenario
def introspection_of_an_exchanged_token_once_the_grant_is_revoked(realm: Realm) -> requests.Response:
    tokens = realm.alice_tokens()
    exchanged = exchange(realm, tokens["access_token"], scope="scope-1").json()["access_token"]
    realm.post("revoke", {**CLIENT, "token": tokens["refresh_token"]})
    return introspected(realm, exchanged)
