"""The questions about an assertion of a trusted issuer that is exchanged for a token (RFC 7523 §2.1)."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

import requests

from doorkey.jose.generation import generate_key
from tests.recordings.asking import scenario
from tests.recordings.realm import ASSERTION_CLIENT, CLIENT, Realm
from tests.recordings.scenarios_of_exchanges import exchange, introspected, token_claims

BEARER = {"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer"}


def _bring(
    realm: Realm, assertion: str | None = None, client: Mapping[str, str] = ASSERTION_CLIENT, **more: str
) -> requests.Response:
    return realm.token({**BEARER, **client, "assertion": assertion or realm.assertion(), **more})


def _without_signature(assertion: str) -> str:
    header = urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).rstrip(b"=").decode()
    return f"{header}.{assertion.split('.')[1]}."


@scenario
def jwt_bearer(realm: Realm) -> requests.Response:
    return _bring(realm)


@scenario
def jwt_bearer_with_the_client_by_basic(realm: Realm) -> requests.Response:
    form = {**BEARER, "assertion": realm.assertion()}
    return realm.token(form, auth=("assertion-client", "assertion-secret"))


@scenario
def jwt_bearer_with_openid(realm: Realm) -> requests.Response:
    return _bring(realm, scope="openid")


@scenario
def jwt_bearer_with_an_optional_scope(realm: Realm) -> requests.Response:
    return _bring(realm, scope="scope-1")


@scenario
def jwt_bearer_with_an_unknown_scope(realm: Realm) -> requests.Response:
    return _bring(realm, scope="no-such-scope")


@scenario
def jwt_bearer_twice_with_the_same_assertion(realm: Realm) -> requests.Response:
    assertion = realm.assertion()
    _bring(realm, assertion)
    return _bring(realm, assertion)


@scenario
def jwt_bearer_without_an_assertion(realm: Realm) -> requests.Response:
    return realm.token({**BEARER, **ASSERTION_CLIENT})


@scenario
def jwt_bearer_with_garbage(realm: Realm) -> requests.Response:
    return _bring(realm, "garbage")


@scenario
def jwt_bearer_of_a_client_without_the_right(realm: Realm) -> requests.Response:
    return _bring(realm, None, CLIENT)


@scenario
def jwt_bearer_of_a_public_client(realm: Realm) -> requests.Response:
    return _bring(realm, None, {"client_id": "admin-cli"})


@scenario
def jwt_bearer_with_a_wrong_client_secret(realm: Realm) -> requests.Response:
    return _bring(realm, None, {**ASSERTION_CLIENT, "client_secret": "wrong"})


@scenario
def jwt_bearer_of_an_unknown_issuer(realm: Realm) -> requests.Response:
    return _bring(realm, realm.assertion(iss="https://evil.example"))


@scenario
def jwt_bearer_without_an_issuer(realm: Realm) -> requests.Response:
    return _bring(realm, realm.assertion(iss=None))


@scenario
def jwt_bearer_of_an_unknown_subject(realm: Realm) -> requests.Response:
    return _bring(realm, realm.assertion(sub="robot-8"))


@scenario
def jwt_bearer_without_a_subject(realm: Realm) -> requests.Response:
    return _bring(realm, realm.assertion(sub=None))


@scenario
def jwt_bearer_for_the_token_endpoint(realm: Realm) -> requests.Response:
    return _bring(realm, realm.assertion(aud=realm.endpoint("token")))


@scenario
def jwt_bearer_for_another_endpoint(realm: Realm) -> requests.Response:
    return _bring(realm, realm.assertion(aud=realm.endpoint("token/introspect")))


@scenario
def jwt_bearer_for_another_server(realm: Realm) -> requests.Response:
    return _bring(realm, realm.assertion(aud="https://other.example"))


@scenario
def jwt_bearer_for_several_servers(realm: Realm) -> requests.Response:
    return _bring(realm, realm.assertion(aud=[realm.issuer, "https://other.example"]))


@scenario
def jwt_bearer_for_nobody(realm: Realm) -> requests.Response:
    return _bring(realm, realm.assertion(aud=None))


@scenario
def jwt_bearer_that_is_expired(realm: Realm) -> requests.Response:
    return _bring(realm, realm.assertion(exp=int(time.time()) - 1))


@scenario
def jwt_bearer_that_never_expires(realm: Realm) -> requests.Response:
    return _bring(realm, realm.assertion(exp=None))


@scenario
def jwt_bearer_that_lives_long(realm: Realm) -> requests.Response:
    return _bring(realm, realm.assertion(exp=int(time.time()) + 3600))


@scenario
def jwt_bearer_that_lives_long_from_an_unknown_moment(realm: Realm) -> requests.Response:
    return _bring(realm, realm.assertion(exp=int(time.time()) + 3600, iat=None))


@scenario
def jwt_bearer_from_long_ago(realm: Realm) -> requests.Response:
    return _bring(realm, realm.assertion(iat=int(time.time()) - 400))


@scenario
def jwt_bearer_from_the_future(realm: Realm) -> requests.Response:
    return _bring(realm, realm.assertion(iat=int(time.time()) + 100))


@scenario
def jwt_bearer_that_is_not_active_yet(realm: Realm) -> requests.Response:
    return _bring(realm, realm.assertion(nbf=int(time.time()) + 100))


@scenario
def jwt_bearer_without_an_id(realm: Realm) -> requests.Response:
    return _bring(realm, realm.assertion(jti=None))


@scenario
def jwt_bearer_signed_by_somebody_else(realm: Realm) -> requests.Response:
    return _bring(realm, realm.assertion(generate_key("RS256")))


@scenario
def jwt_bearer_signed_by_another_algorithm(realm: Realm) -> requests.Response:
    return _bring(realm, realm.assertion(alg="RS512"))


@scenario
def jwt_bearer_signed_by_an_unknown_key(realm: Realm) -> requests.Response:
    return _bring(realm, realm.assertion(header={"kid": "no-such-key"}))


@scenario
def jwt_bearer_signed_by_a_shared_secret(realm: Realm) -> requests.Response:
    return _bring(realm, realm.assertion("s" * 32, "HS256"))


@scenario
def jwt_bearer_not_signed_at_all(realm: Realm) -> requests.Response:
    return _bring(realm, _without_signature(realm.assertion()))


@scenario
def claims_of_a_token_by_assertion(realm: Realm) -> Mapping[str, Any]:
    return token_claims(_bring(realm))


@scenario
def claims_of_an_id_token_by_assertion(realm: Realm) -> Mapping[str, Any]:
    return token_claims(_bring(realm, scope="openid"), "id_token")


@scenario
def userinfo_with_a_token_by_assertion(realm: Realm) -> requests.Response:
    return realm.get(realm.endpoint("userinfo"), _bring(realm, scope="openid").json()["access_token"])


@scenario
def introspection_of_a_token_by_assertion(realm: Realm) -> requests.Response:
    return introspected(realm, _bring(realm, scope="openid scope-1").json()["access_token"])


@scenario
def token_exchange_of_a_token_by_assertion(realm: Realm) -> requests.Response:
    return exchange(realm, _bring(realm).json()["access_token"], ASSERTION_CLIENT)
