"""Requests of an odd kind: other methods, other media types, paths that lead nowhere."""

import requests

from tests.recordings.asking import scenario
from tests.recordings.realm import ALICE, CLIENT, Realm

JSON = {"grant_type": "password", **CLIENT, **ALICE}


@scenario
def token_request_in_json(realm: Realm) -> requests.Response:
    return realm.post("token", {}, json=JSON)


@scenario
def revocation_in_json(realm: Realm) -> requests.Response:
    return realm.post("revoke", {}, json={**CLIENT, "token": "a-token"})


@scenario
def introspection_in_json(realm: Realm) -> requests.Response:
    return realm.post("token/introspect", {}, json={**CLIENT, "token": "a-token"})


@scenario
def token_request_by_put(realm: Realm) -> requests.Response:
    return realm.ask("PUT", realm.endpoint("token"))


@scenario
def keys_by_post(realm: Realm) -> requests.Response:
    return realm.post("certs", {})


@scenario
def userinfo_by_delete(realm: Realm) -> requests.Response:
    return realm.ask("DELETE", realm.endpoint("userinfo"))


@scenario
def introspection_by_get(realm: Realm) -> requests.Response:
    return realm.get(realm.endpoint("token/introspect"))


@scenario
def revocation_by_get(realm: Realm) -> requests.Response:
    return realm.get(realm.endpoint("revoke"))


@scenario
def discovery_document_by_post(realm: Realm) -> requests.Response:
    return realm.ask("POST", f"{realm.issuer}/.well-known/openid-configuration")


@scenario
def discovery_document_by_head(realm: Realm) -> requests.Response:
    return realm.ask("HEAD", f"{realm.issuer}/.well-known/openid-configuration")


@scenario
def unknown_endpoint(realm: Realm) -> requests.Response:
    return realm.get(realm.endpoint("no-such-endpoint"))


@scenario
def unknown_path(realm: Realm) -> requests.Response:
    return realm.get(f"{realm.origin}/no-such-path")


@scenario
def unknown_path_of_the_admin_api(realm: Realm) -> requests.Response:
    return realm.admin("GET", "no-such-path", realm.admin_tokens()["access_token"])
