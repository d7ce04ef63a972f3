"""Cross-origin requests of scripts, by the `web_origins` of the clients."""

from collections.abc import Iterator

import pytest
import requests

from doorkey.dev import Provider, client

APP, OTHER, EVIL = "https://app.example", "https://other.example", "https://evil.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
LOGIN = {"grant_type": "password", "client_id": "spa", "username": "alice", "password": "wonderland", "scope": "openid"}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    ours = [client("spa", web_origins=[APP]), client("other", web_origins=[OTHER]), client("any", web_origins="*")]
    with Provider(clients=ours) as provider:
        yield provider


def allowed(answer: requests.Response) -> str | None:
    return answer.headers.get("access-control-allow-origin")


def test_a_script_of_a_registered_origin_reads_the_response(provider: Provider, http: requests.Session) -> None:
    answer = http.post(provider.token_endpoint, LOGIN, headers={"Origin": APP})
    assert (answer.status_code, allowed(answer), answer.headers["vary"]) == (200, APP, "Origin")
    assert answer.headers["access-control-allow-credentials"] == "true"
    bearer = {"Authorization": f"Bearer {answer.json()['access_token']}", "Origin": APP}
    assert allowed(http.get(provider.userinfo_endpoint, headers=bearer)) == APP
    refused = http.post(provider.token_endpoint, {**LOGIN, "password": "wrong"}, headers={"Origin": APP})
    assert (refused.status_code, allowed(refused)) == (400, APP)


@pytest.mark.parametrize(
    "origin", [OTHER, EVIL, "null", "https://app.example:444", "http://app.example", "https://APP.example"]
)
def test_a_script_of_another_origin_reads_nothing(provider: Provider, http: requests.Session, origin: str) -> None:
    answer = http.post(provider.token_endpoint, LOGIN, headers={"Origin": origin})
    assert (allowed(answer), answer.headers["vary"]) == (None, "Origin")
    bearer = {"Authorization": f"Bearer {provider.token('alice', client_id='spa', scopes='openid')}", "Origin": origin}
    assert allowed(http.get(provider.userinfo_endpoint, headers=bearer)) is None


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "http://[x]:80"])
def test_an_origin_that_cannot_be_parsed_reads_nothing(provider: Provider, http: requests.Session, origin: str) -> None:
    answer = http.post(provider.token_endpoint, LOGIN, headers={"Origin": origin})
    assert (answer.status_code, allowed(answer)) == (200, None)
    assert http.options(provider.token_endpoint, headers={**PREFLIGHT, "Origin": origin}).status_code == 204


def test_every_origin_may_read_for_a_client_that_registered_it(provider: Provider, http: requests.Session) -> None:
    assert allowed(http.post(provider.token_endpoint, {**LOGIN, "client_id": "any"}, headers={"Origin": EVIL})) == EVIL


def test_the_port_of_a_loopback_origin_is_free_as_that_of_a_redirect_uri(
    provider: Provider, http: requests.Session
) -> None:
    form = {**LOGIN, "client_id": "public-native"}
    for origin, expected in (("http://localhost:5173", True), ("https://localhost:5173", False)):
        answer = http.post(provider.token_endpoint, form, headers={"Origin": origin})
        assert allowed(answer) == (origin if expected else None)


def test_metadata_and_keys_are_public(provider: Provider, http: requests.Session) -> None:
    for url in (provider.jwks_uri, f"{provider.issuer}/.well-known/openid-configuration"):
        assert allowed(http.get(url, headers={"Origin": EVIL})) == "*"
        assert allowed(http.get(url)) is None
        asked = http.options(url, headers={"Origin": EVIL, "Access-Control-Request-Method": "GET"})
        assert (asked.status_code, allowed(asked)) == (204, "*")


def test_a_preflight_request_is_answered_for_the_origins_of_the_realm(
    provider: Provider, http: requests.Session
) -> None:
    with Provider(clients=[client("spa", web_origins=[APP])]) as strict:
        asked = http.options(strict.token_endpoint, headers={**PREFLIGHT, "Origin": APP})
        assert (asked.status_code, allowed(asked)) == (204, APP)
        assert asked.headers["access-control-allow-methods"] == "POST"
        assert "Authorization" in asked.headers["access-control-allow-headers"]
        refused = http.options(strict.token_endpoint, headers={**PREFLIGHT, "Origin": EVIL})
        assert (refused.status_code, allowed(refused)) == (403, None)
        assert http.options(strict.token_endpoint).status_code == 405


@pytest.mark.parametrize("path", ["/auth", "/logout"])
def test_pages_are_for_no_script(provider: Provider, http: requests.Session, path: str) -> None:
    url = f"{provider.issuer}/protocol/openid-connect{path}"
    assert allowed(http.get(url, headers={"Origin": APP})) is None
    assert allowed(http.options(url, headers={**PREFLIGHT, "Origin": APP})) is None


def test_a_request_that_names_no_client_or_two_gets_no_cors_headers(provider: Provider, http: requests.Session) -> None:
    for form in ({"grant_type": "password"}, [("client_id", "spa"), ("client_id", "any")]):
        answer = http.post(provider.token_endpoint, form, headers={"Origin": APP})
        assert allowed(answer) is None
    garbage = http.get(provider.userinfo_endpoint, headers={"Authorization": "Bearer garbage", "Origin": APP})
    assert (garbage.status_code, allowed(garbage)) == (401, None)
