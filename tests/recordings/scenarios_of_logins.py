"""The questions to the authorization endpoint, and about the codes it gives."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from tests.recordings import normalize
from tests.recordings.asking import scenario
from tests.recordings.realm import CLIENT, Realm
from tests.servers.browser import forms
from tests.servers.handle import CALLBACK

# ---------------------------------------------------------------- the authorization endpoint


def _ask_to_authorize(realm: Realm, **changes: str | None) -> requests.Response:
    return realm.get(realm.authorization_url(**changes))


@scenario
def login_page(realm: Realm) -> Mapping[str, Any]:
    page = _ask_to_authorize(realm)
    form = next(f for f in forms(page.text, page.url) if f.method == "post")
    told = normalize.answer(page, realm.origin)
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
    return normalize.location(realm.callback(), realm.origin)


@scenario
def callback_without_a_state(realm: Realm) -> Mapping[str, Any]:
    return normalize.location(realm.callback(state=None), realm.origin)


@scenario
def callback_by_fragment(realm: Realm) -> Mapping[str, Any]:
    return normalize.location(realm.callback(response_mode="fragment"), realm.origin)


def _fields(realm: Realm, pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the fields that a form posts, in any order, without the additional button of Keycloak's page."""
    return {name: normalize.value(text, realm.origin, name) for name, text in pairs if name != "continue"}


@scenario
def callback_by_form_post(realm: Realm) -> Mapping[str, Any]:
    return _fields(realm, parse_qsl(urlsplit(realm.callback(response_mode="form_post")).query))


@scenario
def callback_by_form_post_with_an_error(realm: Realm) -> Mapping[str, Any]:
    answer = realm.get(realm.authorization_url(response_mode="form_post", prompt="none"))
    (form,) = forms(answer.text, answer.url)
    told = {"status": answer.status_code, "method": form.method, "action": form.action}
    return {**told, "fields": _fields(realm, form.fields.items())}


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
