"""From an identifier that a user typed to the issuer: what is asked, where, and which response names an issuer."""

import json
from typing import Any

import pytest

from doorkey.errors import InvalidResponse, TemporarilyUnavailable, UsageError
from doorkey.protocol.webfinger import Resource, issuer_request, parse_issuer, resource_of
from doorkey.wire.messages import Response

RELATION = "http://openid.net/specs/connect/1.0/issuer"
ISSUER = "https://login.example.com"


@pytest.mark.parametrize(
    ("typed", "name", "host_url"),
    [
        ("joe@example.com", "acct:joe@example.com", "https://example.com"),
        ("acct:joe@example.com", "acct:joe@example.com", "https://example.com"),
        ("ACCT:joe@example.com", "acct:joe@example.com", "https://example.com"),
        ("acct:juliet%40capulet.example@shopping.example.com",) * 2 + ("https://shopping.example.com",),
        ("https://example.com/joe", "https://example.com/joe", "https://example.com"),
        ("https://example.com:8080/", "https://example.com:8080/", "https://example.com:8080"),
        ("https://example.com/joe#fragment", "https://example.com/joe", "https://example.com"),
        ("example.com/joe", "https://example.com/joe", "https://example.com"),
        ("example.com:8080", "https://example.com:8080", "https://example.com:8080"),
        (" joe@example.com\n", "acct:joe@example.com", "https://example.com"),
    ],
)
def test_an_identifier_is_normalized_as_openid_connect_discovery_section_2_1_says(
    typed: str, name: str, host_url: str
) -> None:
    assert resource_of(typed) == Resource(name, host_url)


@pytest.mark.parametrize(
    "typed",
    [
        "=joe",
        "@example",
        "!!1002",
        "",
        "#x",
        "a" * 3000,
        "mailto:joe@example.com",
        "ftp://example.com",
        "joe:password@example.com",
        "joe\ud800@example.com",
        "joe\0@example.com",
    ],
)
def test_another_identifier_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match="identifier"):
        resource_of(typed)


@pytest.mark.parametrize("typed", ["acct:example.com", "acct:@example.com", "acct:joe@example.com/path", "acct:a@b?c"])
def test_an_acct_uri_without_a_name_or_with_a_path_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match="acct:NAME@HOST"):
        resource_of(typed)


@pytest.mark.parametrize(
    "typed", ["https://joe:password@example.com", "joe@example.com:80", "acct:joe@evil .example", "acct:joe@a:b@:x"]
)
def test_no_host_with_user_information_or_blanks_is_asked(typed: str) -> None:
    with pytest.raises(UsageError) as caught:
        resource_of(typed)
    assert "password" not in str(caught.value).replace("user name or password", "")


def test_plain_http_is_for_loopback_and_for_hosts_that_are_named() -> None:
    assert resource_of("acct:joe@127.0.0.1:8080").host_url == "http://127.0.0.1:8080"
    assert resource_of("joe@keycloak", {"keycloak"}).host_url == "http://keycloak"
    assert resource_of("joe@keycloak").host_url == "https://keycloak"
    with pytest.raises(UsageError, match="must be https"):
        resource_of("http://example.com/joe")


def test_the_request_names_the_resource_and_the_relation() -> None:
    request = issuer_request(resource_of("joe+x@example.com"))
    assert request.url == (
        "https://example.com/.well-known/webfinger?resource=acct%3Ajoe%2Bx%40example.com"
        "&rel=http%3A%2F%2Fopenid.net%2Fspecs%2Fconnect%2F1.0%2Fissuer"
    )
    assert (request.method, request.headers) == ("GET", (("Accept", "application/jrd+json"),))


def found(links: Any, status: int = 200) -> Response:
    return Response(status, (), json.dumps({"subject": "acct:joe@example.com", "links": links}).encode())


def test_the_first_link_of_the_relation_is_the_issuer() -> None:
    other = {"rel": "http://webfinger.net/rel/avatar", "href": "https://evil.example"}
    links = ["text", other, {"rel": RELATION, "href": ISSUER}, {"rel": RELATION, "href": "https://second.example"}]
    assert parse_issuer(found(links)) == ISSUER


@pytest.mark.parametrize("links", [[], None, {"rel": RELATION, "href": ISSUER}, [{"rel": "other", "href": ISSUER}]])
def test_a_document_without_an_issuer_says_whom_to_ask(links: Any) -> None:
    with pytest.raises(InvalidResponse, match="has no issuer: ask the administrator of its host"):
        parse_issuer(found(links))


@pytest.mark.parametrize(
    "href",
    [None, 7, ["https://a.example"], "", "http://evil.example", f"{ISSUER}?a=b", f"{ISSUER}?", f"{ISSUER}#f", "x y"],
)
def test_an_issuer_that_cannot_be_is_refused(href: object) -> None:
    with pytest.raises(InvalidResponse, match="not an https URL") as caught:
        parse_issuer(found([{"rel": RELATION, "href": href}]))
    assert (caught.value.problem, caught.value.status) == ("webfinger", 200)


def test_an_issuer_at_a_host_that_is_named_may_be_plain_http() -> None:
    links = [{"rel": RELATION, "href": "http://keycloak/realms/x"}]
    assert parse_issuer(found(links), {"keycloak"}) == "http://keycloak/realms/x"


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b'{"links": [], "links": []}'])
def test_a_response_that_is_no_document_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidResponse, match="WebFinger document"):
        parse_issuer(Response(200, (), body))


def test_a_host_without_webfinger_and_a_host_that_is_busy_are_told_apart() -> None:
    with pytest.raises(InvalidResponse) as caught:
        parse_issuer(Response(404, (), b"not here"))
    assert caught.value.status == 404
    with pytest.raises(TemporarilyUnavailable):
        parse_issuer(Response(503, (("Retry-After", "5"),), b"{}"))
