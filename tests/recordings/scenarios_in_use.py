"""The questions that need a token: userinfo, introspection, revocation, logout, admin API, token shapes."""

from collections.abc import Mapping
from typing import Any

import requests

from tests.recordings import normalize
from tests.recordings.asking import scenario
from tests.recordings.realm import CLIENT, RESOURCE_SERVER, Realm

# ---------------------------------------------------------------- userinfo


@scenario
def userinfo(realm: Realm) -> requests.Response:
    return realm.get(realm.endpoint("userinfo"), realm.alice_tokens()["access_token"])


@scenario
def userinfo_by_post(realm: Realm) -> requests.Response:
    return realm.post("userinfo", {"access_token": realm.alice_tokens()["access_token"]})


@scenario
def userinfo_without_a_token(realm: Realm) -> requests.Response:
    return realm.get(realm.endpoint("userinfo"))


@scenario
def userinfo_with_a_bad_token(realm: Realm) -> requests.Response:
    return realm.get(realm.endpoint("userinfo"), "garbage")


@scenario
def userinfo_with_a_token_without_openid(realm: Realm) -> requests.Response:
    return realm.get(realm.endpoint("userinfo"), realm.alice_tokens("email")["access_token"])


@scenario
def userinfo_after_the_session_was_removed(realm: Realm) -> requests.Response:
    tokens, admin = realm.alice_tokens(), realm.admin_tokens()
    realm.admin("DELETE", f"sessions/{tokens['session_state']}", admin["access_token"])
    return realm.get(realm.endpoint("userinfo"), tokens["access_token"])


# ---------------------------------------------------------------- introspection


def _introspect(realm: Realm, token: str, client: Mapping[str, str], **more: str) -> requests.Response:
    return realm.post("token/introspect", {**client, "token": token, **more})


@scenario
def introspection_of_an_active_token(realm: Realm) -> requests.Response:
    token = realm.alice_tokens("openid scope-1")["access_token"]
    return _introspect(realm, token, RESOURCE_SERVER)


@scenario
def introspection_by_a_client_outside_the_audience(realm: Realm) -> requests.Response:
    return _introspect(realm, realm.alice_tokens()["access_token"], RESOURCE_SERVER)


@scenario
def introspection_by_the_client_it_was_issued_to(realm: Realm) -> requests.Response:
    return _introspect(realm, realm.alice_tokens()["access_token"], CLIENT)


@scenario
def introspection_of_a_refresh_token(realm: Realm) -> requests.Response:
    token = realm.alice_tokens()["refresh_token"]
    return _introspect(realm, token, CLIENT, token_type_hint="refresh_token")


@scenario
def introspection_of_garbage(realm: Realm) -> requests.Response:
    return _introspect(realm, "garbage", RESOURCE_SERVER)


@scenario
def introspection_after_the_session_was_removed(realm: Realm) -> requests.Response:
    tokens, admin = realm.alice_tokens("openid scope-1"), realm.admin_tokens()
    realm.admin("DELETE", f"sessions/{tokens['session_state']}", admin["access_token"])
    return _introspect(realm, tokens["access_token"], RESOURCE_SERVER)


@scenario
def introspection_by_a_public_client(realm: Realm) -> requests.Response:
    return _introspect(realm, realm.alice_tokens()["access_token"], {"client_id": "admin-cli"})


@scenario
def introspection_with_a_wrong_client_secret(realm: Realm) -> requests.Response:
    return _introspect(realm, "garbage", {**RESOURCE_SERVER, "client_secret": "wrong"})


@scenario
def introspection_without_a_client(realm: Realm) -> requests.Response:
    return _introspect(realm, "garbage", {})


@scenario
def introspection_without_a_token(realm: Realm) -> requests.Response:
    return realm.post("token/introspect", RESOURCE_SERVER)


# ---------------------------------------------------------------- revocation


@scenario
def revocation_of_a_refresh_token(realm: Realm) -> requests.Response:
    return realm.post("revoke", {**CLIENT, "token": realm.alice_tokens()["refresh_token"]})


@scenario
def refresh_after_the_token_was_revoked(realm: Realm) -> requests.Response:
    token = realm.alice_tokens()["refresh_token"]
    realm.post("revoke", {**CLIENT, "token": token})
    return realm.token({"grant_type": "refresh_token", **CLIENT, "refresh_token": token})


@scenario
def revocation_of_an_access_token(realm: Realm) -> requests.Response:
    return realm.post("revoke", {**CLIENT, "token": realm.alice_tokens()["access_token"]})


@scenario
def userinfo_after_the_token_was_revoked(realm: Realm) -> requests.Response:
    token = realm.alice_tokens()["access_token"]
    realm.post("revoke", {**CLIENT, "token": token})
    return realm.get(realm.endpoint("userinfo"), token)


@scenario
def revocation_of_an_unknown_token(realm: Realm) -> requests.Response:
    return realm.post("revoke", {**CLIENT, "token": "garbage"})


@scenario
def revocation_by_another_client(realm: Realm) -> requests.Response:
    return realm.post("revoke", {**RESOURCE_SERVER, "token": realm.alice_tokens()["refresh_token"]})


@scenario
def revocation_with_a_wrong_client_secret(realm: Realm) -> requests.Response:
    return realm.post("revoke", {**CLIENT, "client_secret": "wrong", "token": "garbage"})


@scenario
def revocation_by_an_unknown_client(realm: Realm) -> requests.Response:
    return realm.post("revoke", {"client_id": "no-such-client", "token": "garbage"})


@scenario
def revocation_without_a_token(realm: Realm) -> requests.Response:
    return realm.post("revoke", CLIENT)


# ---------------------------------------------------------------- logout


@scenario
def logout_with_a_refresh_token(realm: Realm) -> requests.Response:
    return realm.post("logout", {**CLIENT, "refresh_token": realm.alice_tokens()["refresh_token"]})


@scenario
def refresh_after_the_logout(realm: Realm) -> requests.Response:
    token = realm.alice_tokens()["refresh_token"]
    realm.post("logout", {**CLIENT, "refresh_token": token})
    return realm.token({"grant_type": "refresh_token", **CLIENT, "refresh_token": token})


@scenario
def logout_with_garbage(realm: Realm) -> requests.Response:
    return realm.post("logout", {**CLIENT, "refresh_token": "garbage"})


@scenario
def logout_with_a_wrong_client_secret(realm: Realm) -> requests.Response:
    token = realm.alice_tokens()["refresh_token"]
    return realm.post("logout", {**CLIENT, "client_secret": "wrong", "refresh_token": token})


# ---------------------------------------------------------------- the admin API


@scenario
def users_count(realm: Realm) -> requests.Response:
    return realm.admin("GET", "users/count", realm.admin_tokens()["access_token"])


@scenario
def users_count_without_a_token(realm: Realm) -> requests.Response:
    return realm.admin("GET", "users/count", None)


@scenario
def users_count_with_a_bad_token(realm: Realm) -> requests.Response:
    return realm.admin("GET", "users/count", "garbage")


@scenario
def users_count_without_the_right(realm: Realm) -> requests.Response:
    return realm.admin("GET", "users/count", realm.alice_tokens()["access_token"])


@scenario
def users_count_after_the_session_was_removed(realm: Realm) -> requests.Response:
    tokens = realm.admin_tokens()
    realm.admin("DELETE", f"sessions/{tokens['session_state']}", tokens["access_token"])
    return realm.admin("GET", "users/count", tokens["access_token"])


@scenario
def users_count_of_an_unknown_realm(realm: Realm) -> requests.Response:
    token = realm.admin_tokens()["access_token"]
    return Realm(realm.origin, "no-such-realm", realm.http).admin("GET", "users/count", token)


@scenario
def session_removed(realm: Realm) -> requests.Response:
    tokens = realm.admin_tokens()
    return realm.admin("DELETE", f"sessions/{tokens['session_state']}", tokens["access_token"])


@scenario
def session_removed_that_is_unknown(realm: Realm) -> requests.Response:
    return realm.admin("DELETE", "sessions/no-such-session", realm.admin_tokens()["access_token"])


@scenario
def session_removed_without_a_token(realm: Realm) -> requests.Response:
    return realm.admin("DELETE", f"sessions/{realm.alice_tokens()['session_state']}", None)


@scenario
def session_removed_without_the_right(realm: Realm) -> requests.Response:
    tokens = realm.alice_tokens()
    return realm.admin("DELETE", f"sessions/{tokens['session_state']}", tokens["access_token"])


# ---------------------------------------------------------------- what is in the tokens


@scenario
def access_token_of_the_administrator(realm: Realm) -> Mapping[str, Any]:
    return normalize.claims(realm.admin_tokens()["access_token"])


@scenario
def refresh_token_of_the_administrator(realm: Realm) -> Mapping[str, Any]:
    return normalize.claims(realm.admin_tokens()["refresh_token"])


@scenario
def access_token_by_password(realm: Realm) -> Mapping[str, Any]:
    return normalize.claims(realm.alice_tokens()["access_token"])


@scenario
def refresh_token_by_password(realm: Realm) -> Mapping[str, Any]:
    return normalize.claims(realm.alice_tokens()["refresh_token"])


@scenario
def id_token_by_password(realm: Realm) -> Mapping[str, Any]:
    return normalize.claims(realm.alice_tokens()["id_token"])


@scenario
def access_token_by_client_credentials(realm: Realm) -> Mapping[str, Any]:
    return normalize.claims(realm.tokens({"grant_type": "client_credentials", **CLIENT})["access_token"])


@scenario
def access_token_by_code(realm: Realm) -> Mapping[str, Any]:
    return normalize.claims(realm.tokens(realm.code_form())["access_token"])


@scenario
def refresh_token_by_code(realm: Realm) -> Mapping[str, Any]:
    return normalize.claims(realm.tokens(realm.code_form())["refresh_token"])


@scenario
def id_token_by_code(realm: Realm) -> Mapping[str, Any]:
    return normalize.claims(realm.tokens(realm.code_form())["id_token"])
