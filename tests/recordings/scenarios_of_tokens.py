"""The questions to metadata and to the token endpoint, but for codes."""

import requests

from tests.recordings.asking import scenario
from tests.recordings.realm import ALICE, CLIENT, RESOURCE_SERVER, Realm
from tests.servers.browser import Browser

PASSWORD = {"grant_type": "password", **CLIENT, **ALICE}

# ---------------------------------------------------------------- metadata


@scenario
def discovery_document(realm: Realm) -> requests.Response:
    return realm.get(f"{realm.issuer}/.well-known/openid-configuration")


@scenario
def discovery_of_an_unknown_realm(realm: Realm) -> requests.Response:
    return realm.get(f"{realm.origin}/realms/no-such-realm/.well-known/openid-configuration")


@scenario
def keys(realm: Realm) -> requests.Response:
    return realm.get(realm.endpoint("certs"))


# ---------------------------------------------------------------- the token endpoint, for any grant


@scenario
def token_request_to_an_unknown_realm(realm: Realm) -> requests.Response:
    return Realm(realm.origin, "no-such-realm", realm.http).token(PASSWORD)


@scenario
def token_request_by_get(realm: Realm) -> requests.Response:
    return realm.get(realm.endpoint("token"))


@scenario
def token_request_without_a_grant_type(realm: Realm) -> requests.Response:
    return realm.token(CLIENT)


@scenario
def token_request_with_an_unsupported_grant_type(realm: Realm) -> requests.Response:
    return realm.token({**CLIENT, "grant_type": "no-such-grant"})


@scenario
def token_request_without_a_client(realm: Realm) -> requests.Response:
    return realm.token({"grant_type": "password", **ALICE})


@scenario
def token_request_of_an_unknown_client(realm: Realm) -> requests.Response:
    return realm.token({**PASSWORD, "client_id": "no-such-client"})


@scenario
def token_request_with_a_wrong_client_secret(realm: Realm) -> requests.Response:
    return realm.token({**PASSWORD, "client_secret": "wrong"})


@scenario
def token_request_with_a_wrong_client_secret_by_basic(realm: Realm) -> requests.Response:
    return realm.token({"grant_type": "password", **ALICE}, auth=("client-1", "wrong"))


@scenario
def token_request_without_the_client_secret(realm: Realm) -> requests.Response:
    return realm.token({"grant_type": "password", "client_id": "client-1", **ALICE})


@scenario
def token_request_with_a_repeated_parameter(realm: Realm) -> requests.Response:
    pairs = [*PASSWORD.items(), ("scope", "openid"), ("scope", "email")]
    return realm.http.post(realm.endpoint("token"), data=pairs, allow_redirects=False, timeout=30)


@scenario
def token_request_with_an_unknown_scope(realm: Realm) -> requests.Response:
    return realm.token({**PASSWORD, "scope": "no-such-scope"})


# ---------------------------------------------------------------- password


@scenario
def password_grant(realm: Realm) -> requests.Response:
    return realm.token({"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"})


@scenario
def password_grant_with_openid(realm: Realm) -> requests.Response:
    return realm.token({**PASSWORD, "scope": "openid"})


@scenario
def password_grant_with_an_optional_scope(realm: Realm) -> requests.Response:
    return realm.token({**PASSWORD, "scope": "scope-1"})


@scenario
def password_grant_with_the_client_by_basic(realm: Realm) -> requests.Response:
    return realm.token({"grant_type": "password", **ALICE}, auth=("client-1", "my-secret"))


@scenario
def password_grant_with_a_wrong_password(realm: Realm) -> requests.Response:
    return realm.token({**PASSWORD, "password": "wrong"})


@scenario
def password_grant_of_an_unknown_user(realm: Realm) -> requests.Response:
    return realm.token({**PASSWORD, "username": "nobody"})


@scenario
def password_grant_without_a_username(realm: Realm) -> requests.Response:
    return realm.token({"grant_type": "password", **CLIENT, "password": "wonderland"})


@scenario
def password_grant_without_a_password(realm: Realm) -> requests.Response:
    return realm.token({"grant_type": "password", **CLIENT, "username": "alice"})


# ---------------------------------------------------------------- client credentials


@scenario
def client_credentials(realm: Realm) -> requests.Response:
    return realm.token({"grant_type": "client_credentials", **CLIENT})


@scenario
def client_credentials_by_basic(realm: Realm) -> requests.Response:
    return realm.token({"grant_type": "client_credentials"}, auth=("client-1", "my-secret"))


@scenario
def client_credentials_with_openid(realm: Realm) -> requests.Response:
    return realm.token({"grant_type": "client_credentials", "scope": "openid", **CLIENT})


@scenario
def client_credentials_of_a_public_client(realm: Realm) -> requests.Response:
    return realm.token({"grant_type": "client_credentials", "client_id": "admin-cli"})


# ---------------------------------------------------------------- refresh


def _refresh(realm: Realm, token: str, **changes: str) -> requests.Response:
    form = {"grant_type": "refresh_token", **CLIENT, "refresh_token": token}
    return realm.token({**form, **changes})


@scenario
def refresh(realm: Realm) -> requests.Response:
    return _refresh(realm, realm.alice_tokens()["refresh_token"])


@scenario
def refresh_twice_with_the_same_token(realm: Realm) -> requests.Response:
    token = realm.alice_tokens()["refresh_token"]
    _refresh(realm, token)
    return _refresh(realm, token)


@scenario
def refresh_with_less_scope(realm: Realm) -> requests.Response:
    return _refresh(realm, realm.alice_tokens("openid scope-1")["refresh_token"], scope="openid")


@scenario
def refresh_with_more_scope(realm: Realm) -> requests.Response:
    return _refresh(realm, realm.alice_tokens()["refresh_token"], scope="openid scope-1")


@scenario
def refresh_by_another_client(realm: Realm) -> requests.Response:
    return _refresh(realm, realm.alice_tokens()["refresh_token"], **RESOURCE_SERVER)


@scenario
def refresh_with_garbage(realm: Realm) -> requests.Response:
    return _refresh(realm, "garbage")


@scenario
def refresh_with_an_access_token(realm: Realm) -> requests.Response:
    return _refresh(realm, realm.alice_tokens()["access_token"])


@scenario
def refresh_without_a_token(realm: Realm) -> requests.Response:
    return realm.token({"grant_type": "refresh_token", **CLIENT})


@scenario
def refresh_after_the_session_was_removed(realm: Realm) -> requests.Response:
    tokens = realm.admin_tokens()
    realm.admin("DELETE", f"sessions/{tokens['session_state']}", tokens["access_token"])
    form = {"grant_type": "refresh_token", "client_id": "admin-cli"}
    return realm.token({**form, "refresh_token": tokens["refresh_token"]})


# ---------------------------------------------------------------- refresh where a token works once


def _rotating(realm: Realm) -> tuple[Realm, str, str]:
    """The realm `rotating` at the same origin, with a refresh token that is used and the one it was used for."""
    rotating = Realm(realm.origin, "rotating", realm.http)
    used = rotating.alice_tokens()["refresh_token"]
    answer = _refresh(rotating, used)
    assert answer.status_code == 200, answer.text
    return rotating, used, answer.json()["refresh_token"]


@scenario
def rotating_refresh(realm: Realm) -> requests.Response:
    rotating, _, fresh = _rotating(realm)
    return _refresh(rotating, fresh)


@scenario
def rotating_refresh_with_a_used_token(realm: Realm) -> requests.Response:
    rotating, used, _ = _rotating(realm)
    return _refresh(rotating, used)


@scenario
def rotating_refresh_with_a_used_token_twice(realm: Realm) -> requests.Response:
    rotating, used, _ = _rotating(realm)
    _refresh(rotating, used)
    return _refresh(rotating, used)


@scenario
def rotating_refresh_after_one_with_an_unknown_scope(realm: Realm) -> requests.Response:
    rotating, _, fresh = _rotating(realm)
    assert _refresh(rotating, fresh, scope="no-such-scope").status_code == 400
    return _refresh(rotating, fresh)


@scenario
def rotating_refresh_with_a_used_token_by_another_client(realm: Realm) -> requests.Response:
    rotating, used, _ = _rotating(realm)
    return _refresh(rotating, used, **RESOURCE_SERVER)


@scenario
def rotating_refresh_after_another_client_brought_a_used_token(realm: Realm) -> requests.Response:
    rotating, used, fresh = _rotating(realm)
    _refresh(rotating, used, **RESOURCE_SERVER)
    return _refresh(rotating, fresh)


@scenario
def userinfo_with_the_latest_token_after_a_used_refresh_token_came_back(realm: Realm) -> requests.Response:
    rotating = Realm(realm.origin, "rotating", realm.http)
    used = rotating.alice_tokens()["refresh_token"]
    latest = _refresh(rotating, used).json()["access_token"]
    _refresh(rotating, used)
    return rotating.get(rotating.endpoint("userinfo"), latest)


@scenario
def rotating_refresh_of_another_client_of_the_session(realm: Realm) -> requests.Response:
    rotating = Realm(realm.origin, "rotating", realm.http)
    latest: dict[str, str] = {}
    with Browser("keycloak", ALICE["username"], ALICE["password"]) as browser:
        for client_id in ("client-1", "client-2"):
            form = rotating.code_form(client_id, browser, client_secret="my-secret")
            latest[client_id] = rotating.tokens(form)["refresh_token"]
    _refresh(rotating, latest["client-1"])
    assert _refresh(rotating, latest["client-1"]).status_code == 400
    return _refresh(rotating, latest["client-2"], client_id="client-2")


@scenario
def rotating_refresh_after_a_used_token_came_back(realm: Realm) -> requests.Response:
    rotating, used, fresh = _rotating(realm)
    _refresh(rotating, used)
    return _refresh(rotating, fresh)
