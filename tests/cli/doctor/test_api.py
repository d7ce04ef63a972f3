"""The audit of an API: its challenge, and its metadata as a protected resource."""

import json
from typing import Any

import pytest

from doorkey.cli.doctor.finding import Severity
from tests.cli.doctor.issuers import DATE, GoodIssuer, audited, codes, failures
from tests.support.hostile_server import Exchange, Hostile, Reply, reply

RESOURCE = "/.well-known/oauth-protected-resource/api"


class GoodApi:
    """An API about which there is nothing to say; its attributes are what a test breaks."""

    def __init__(self, server: Hostile) -> None:
        self.server, self.url = server, server.url("/api")
        self.issuer = GoodIssuer(server)
        self.issuer.publish()
        self.without: bytes | None = None
        self.wrong: bytes = reply(401, headers=[("WWW-Authenticate", 'Bearer error="invalid_token"')])
        self.changed: dict[str, Any] = {}

    def challenge(self, parameters: str) -> None:
        """Answer a request without a token with a challenge of these parameters."""
        self.without = reply(401, headers=[("WWW-Authenticate", f"Bearer {parameters}"), *DATE])

    def publish(self) -> None:
        """Publish the API and its metadata as they are now."""
        document = {"resource": self.url, "authorization_servers": [self.issuer.issuer], **self.changed}
        self.server.on(RESOURCE, reply(json={k: v for k, v in document.items() if v is not None}))
        if self.without is None:
            self.challenge(f'resource_metadata="{self.server.url(RESOURCE)}"')

        def answer(exchange: Exchange) -> None:
            assert self.without is not None
            exchange.send(self.without if exchange.request.token is None else self.wrong)

        self.server.on("/api", answer)


@pytest.fixture
def api(hostile: Hostile) -> GoodApi:
    return GoodApi(hostile)


def test_nothing_is_wrong_with_a_good_api(api: GoodApi) -> None:
    api.publish()
    done = audited(api.url)
    assert done.kind == "api"
    assert codes(done) == []
    assert {"challenge", "wrong_token", "resource_matches", "authorization_server", "clock"} <= set(
        codes(done, Severity.OK)
    )


def test_the_metadata_of_an_api_is_found_without_its_name_in_the_challenge(api: GoodApi) -> None:
    api.challenge('realm="api"')
    api.publish()
    done = audited(api.url)
    assert codes(done) == ["no_resource_metadata"]
    assert "resource_matches" in codes(done, Severity.OK)


CHALLENGES: dict[str, tuple[bytes, list[str]]] = {
    "no challenge": (reply(401), ["no_challenge"]),
    "another scheme": (reply(401, headers={"WWW-Authenticate": "Basic realm=x"}), ["no_challenge"]),
    "a login page": (reply(302, headers={"Location": "/login"}), ["api_redirects"]),
    "not allowed": (reply(403), ["api_not_401"]),
    "open": (reply(200, json={}), ["api_not_401"]),
}


@pytest.mark.parametrize("name", CHALLENGES)
def test_a_wrong_response_to_a_request_without_a_token_is_named(api: GoodApi, name: str) -> None:
    api.without, expected = CHALLENGES[name]
    api.publish()
    assert codes(audited(api.url, kind="api")) == expected


def test_an_error_without_a_token_is_a_warning(api: GoodApi) -> None:
    api.challenge(f'error="invalid_token", resource_metadata="{api.server.url(RESOURCE)}"')
    api.publish()
    assert codes(audited(api.url)) == ["error_without_token"]


@pytest.mark.parametrize(
    ("wrong", "code", "severity"),
    [
        (reply(200, json={}), "any_token_accepted", Severity.FAILURE),
        (reply(403), "wrong_token_status", Severity.WARNING),
        (reply(401), "wrong_token_status", Severity.WARNING),
        (reply(500), "wrong_token_status", Severity.WARNING),
        (reply(401, headers={"WWW-Authenticate": "Bearer"}), "wrong_token_error", Severity.WARNING),
    ],
)
def test_a_wrong_response_to_an_invented_token_is_named(
    api: GoodApi, wrong: bytes, code: str, severity: Severity
) -> None:
    api.wrong = wrong
    api.publish()
    assert codes(audited(api.url), severity) == [code]


DOCUMENTS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "another resource": ({"resource": "https://other.example/api"}, ["resource_mismatch"]),
    "another path": ({"resource": "SERVER/ap"}, ["resource_mismatch"]),
    "no resource": ({"resource": None}, ["resource_mismatch"]),
    "no authorization server": ({"authorization_servers": []}, ["no_authorization_servers"]),
    "an authorization server of plain http": (
        {"authorization_servers": ["http://as.example"]},
        ["authorization_server"],
    ),
    "an authorization server without metadata": ({"authorization_servers": ["SERVER/none"]}, ["no_metadata"]),
    "the whole server": ({"resource": "SERVER"}, []),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_fault_in_the_metadata_of_an_api_is_named(api: GoodApi, name: str) -> None:
    changed, expected = DOCUMENTS[name]
    api.changed = json.loads(json.dumps(changed).replace("SERVER", api.server.url("")))
    for place in ("/.well-known/oauth-authorization-server/none", "/none/.well-known/openid-configuration"):
        api.server.on(place, reply(404))
    api.server.on("/.well-known/openid-configuration/none", reply(404))
    api.publish()
    assert codes(audited(api.url)) == expected


def test_an_issuer_under_another_name_than_the_api_says_is_named(api: GoodApi) -> None:
    api.issuer.changed = {"issuer": "https://other.example"}
    api.issuer.publish()
    api.publish()
    assert failures(audited(api.url)) == ["issuer_mismatch"]


@pytest.mark.parametrize(
    ("response", "expected"),
    [(reply(404), ["resource_metadata"]), (reply(200, "<html>", {"Content-Type": "text/html"}), ["resource_metadata"])],
)
def test_metadata_that_is_not_where_the_challenge_says_is_a_failure(
    api: GoodApi, response: Reply, expected: list[str]
) -> None:
    api.publish()
    api.server.on(RESOURCE, response)
    assert failures(audited(api.url)) == expected


def test_metadata_at_a_url_of_plain_http_is_not_fetched(api: GoodApi) -> None:
    api.challenge('resource_metadata="http://as.example/metadata"')
    api.publish()
    assert failures(audited(api.url)) == ["resource_metadata"]
