"""The questions: each asks one thing of a realm with Keycloak's face and returns the answer, or the shape of a token.

They run against the real Keycloak and against our embedded provider alike, and need there: the administrator
`admin`/`admin` with the public client `admin-cli`; the user `alice`/`wonderland` without rights; the confidential client
`client-1`/`my-secret` (all grants, optional scope `scope-1` that puts `resource-server` in the audience); the
confidential `resource-server`/`resource-server-secret`; the public `public-native`, PKCE required; all with the redirect
URI `http://127.0.0.1:9499/cb`. A scenario leaves nothing behind that another would notice.
"""

from collections.abc import Callable, Mapping
from typing import Any

import requests

from tests.recordings import normalise
from tests.recordings.realm import ALICE, CLIENT, RESOURCE_SERVER, Realm
from tests.servers.browser import forms
from tests.servers.handle import CALLBACK

Scenario = Callable[[Realm], "requests.Response | Mapping[str, Any]"]
SCENARIOS: dict[str, Scenario] = {}
PASSWORD = {"grant_type": "password", **CLIENT, **ALICE}


def scenario(ask: Scenario) -> Scenario:
    """Give a scenario its name: the function's, with spaces."""
    SCENARIOS[ask.__name__.replace("_", " ")] = ask
    return ask


def run(name: str, realm: Realm) -> dict[str, Any]:
    """Ask, and take out what differs from run to run."""
    told = SCENARIOS[name](realm)
    if isinstance(told, requests.Response):
        return normalise.answer(told, realm.origin)
    return dict(told)


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


# ---------------------------------------------------------------- the token endpoint, whatever the grant


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
    return realm.token(
        {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}
    )


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


# ---------------------------------------------------------------- the authorization endpoint


def _ask_to_authorize(realm: Realm, **changes: str | None) -> requests.Response:
    return realm.get(realm.authorization_url(**changes))


@scenario
def login_page(realm: Realm) -> Mapping[str, Any]:
    page = _ask_to_authorize(realm)
    form = next(f for f in forms(page.text, page.url) if f.method == "post")
    told = normalise.answer(page, realm.origin)
    return {**told, "form": {"fields": sorted(set(form.fields) & {"username", "password"})}}


@scenario
def login_page_after_a_wrong_password(realm: Realm) -> requests.Response:
    page = _ask_to_authorize(realm)
    form = next(f for f in forms(page.text, page.url) if f.method == "post")
    fields = {**form.fields, "username": "alice", "password": "wrong"}
    # as a browser does on loopback: a Secure cookie goes over http
    cookies = {cookie.name: cookie.value or "" for cookie in page.cookies}
    return requests.post(form.action, data=fields, cookies=cookies, allow_redirects=False, timeout=30)


@scenario
def callback_after_the_login(realm: Realm) -> Mapping[str, Any]:
    return normalise.location(realm.callback(), realm.origin)


@scenario
def callback_without_a_state(realm: Realm) -> Mapping[str, Any]:
    return normalise.location(realm.callback(state=None), realm.origin)


@scenario
def callback_by_fragment(realm: Realm) -> Mapping[str, Any]:
    return normalise.location(realm.callback(response_mode="fragment"), realm.origin)


@scenario
def authorization_request_of_an_unknown_client(realm: Realm) -> requests.Response:
    return _ask_to_authorize(realm, client_id="no-such-client")


@scenario
def authorization_request_without_a_client(realm: Realm) -> requests.Response:
    return _ask_to_authorize(realm, client_id=None)


@scenario
def authorization_request_with_an_unregistered_redirect_uri(realm: Realm) -> requests.Response:
    return _ask_to_authorize(realm, redirect_uri="https://elsewhere.example/cb")


@scenario
def authorization_request_without_a_redirect_uri(realm: Realm) -> requests.Response:
    return _ask_to_authorize(realm, redirect_uri=None)


@scenario
def authorization_request_without_a_response_type(realm: Realm) -> requests.Response:
    return _ask_to_authorize(realm, response_type=None)


@scenario
def authorization_request_with_an_unknown_response_type(realm: Realm) -> requests.Response:
    return _ask_to_authorize(realm, response_type="no-such-type")


@scenario
def authorization_request_with_an_unsupported_response_type(realm: Realm) -> requests.Response:
    return _ask_to_authorize(realm, response_type="token")


@scenario
def authorization_request_with_an_unknown_scope(realm: Realm) -> requests.Response:
    return _ask_to_authorize(realm, scope="openid no-such-scope")


@scenario
def authorization_request_without_pkce_where_it_is_required(realm: Realm) -> requests.Response:
    return _ask_to_authorize(realm, code_challenge=None, code_challenge_method=None)


@scenario
def authorization_request_with_plain_pkce_where_s256_is_required(realm: Realm) -> requests.Response:
    return _ask_to_authorize(realm, code_challenge_method="plain")


@scenario
def authorization_request_with_a_malformed_challenge(realm: Realm) -> requests.Response:
    return _ask_to_authorize(realm, code_challenge="short")


@scenario
def authorization_request_without_a_page_and_without_a_login(realm: Realm) -> requests.Response:
    return _ask_to_authorize(realm, prompt="none")


# ---------------------------------------------------------------- authorization code


@scenario
def code_redeemed(realm: Realm) -> requests.Response:
    return realm.token(realm.code_form())


@scenario
def code_redeemed_twice(realm: Realm) -> requests.Response:
    form = realm.code_form()
    realm.token(form)
    return realm.token(form)


@scenario
def refresh_after_its_code_was_redeemed_twice(realm: Realm) -> requests.Response:
    form = realm.code_form()
    token = realm.tokens(form)["refresh_token"]
    realm.token(form)
    public = {"grant_type": "refresh_token", "client_id": "public-native"}
    return realm.token({**public, "refresh_token": token})


@scenario
def code_with_a_wrong_verifier(realm: Realm) -> requests.Response:
    return realm.token(realm.code_form(code_verifier="w" * 43))


@scenario
def code_with_a_malformed_verifier(realm: Realm) -> requests.Response:
    return realm.token(realm.code_form(code_verifier="short"))


@scenario
def code_without_a_verifier(realm: Realm) -> requests.Response:
    form = realm.code_form()
    del form["code_verifier"]
    return realm.token(form)


@scenario
def code_with_another_redirect_uri(realm: Realm) -> requests.Response:
    return realm.token(realm.code_form(redirect_uri=CALLBACK + "/other"))


@scenario
def code_without_its_redirect_uri(realm: Realm) -> requests.Response:
    form = realm.code_form()
    del form["redirect_uri"]
    return realm.token(form)


@scenario
def code_of_another_client(realm: Realm) -> requests.Response:
    return realm.token(realm.code_form(**CLIENT))


@scenario
def code_that_is_garbage(realm: Realm) -> requests.Response:
    form = {"grant_type": "authorization_code", **CLIENT, "redirect_uri": CALLBACK}
    return realm.token({**form, "code": "garbage"})


@scenario
def code_that_is_missing(realm: Realm) -> requests.Response:
    return realm.token({"grant_type": "authorization_code", **CLIENT, "redirect_uri": CALLBACK})
