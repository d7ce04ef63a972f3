"""From an issuer to its metadata: both well-known forms, one step at a time, and no further than that issuer."""

import json

import pytest

from doorkey.errors import InvalidClient, InvalidResponse, TemporarilyUnavailable, UsageError, VerificationError
from doorkey.protocol.discovery import fetch_metadata, issuer_of_document, well_known_urls
from doorkey.wire.messages import Request, Response

ISSUER = "https://example.com/issuer1"
OPENID = "https://example.com/issuer1/.well-known/openid-configuration"
OAUTH = "https://example.com/.well-known/oauth-authorization-server/issuer1"
MIXED = "https://example.com/.well-known/openid-configuration/issuer1"
METADATA = {"issuer": ISSUER, "token_endpoint": "https://example.com/issuer1/token"}


def ask(url: str) -> Request:
    return Request("GET", url, (("Accept", "application/json"),))


def found(members: object) -> Response:
    return Response(200, (), json.dumps(members).encode())


def test_the_places_are_those_of_rfc_8414_section_5_and_of_openid_connect_discovery_section_4() -> None:
    assert well_known_urls(ISSUER) == (OPENID, OAUTH, MIXED)


def test_an_issuer_without_a_path_has_one_place_less() -> None:
    places = (
        "https://example.com/.well-known/openid-configuration",
        "https://example.com/.well-known/oauth-authorization-server",
    )
    assert well_known_urls("https://example.com") == places
    assert well_known_urls("https://example.com/") == places


def test_a_slash_at_the_end_of_an_issuer_is_omitted_of_the_places() -> None:
    assert well_known_urls(ISSUER + "/") == well_known_urls(ISSUER)


@pytest.mark.parametrize("issuer", ["http://example.com", "https://example.com/?a=b", "https://example.com#f", "x", ""])
def test_a_value_that_is_not_an_issuer_is_a_usage_error_before_anything_is_sent(issuer: str) -> None:
    with pytest.raises(UsageError, match="issuer"):
        next(fetch_metadata(issuer))


def test_the_first_place_is_asked_and_enough() -> None:
    flow = fetch_metadata(ISSUER)
    assert next(flow) == ask(OPENID)
    with pytest.raises(StopIteration) as done:
        flow.send(found(METADATA))
    assert done.value.value.value.token_endpoint == "https://example.com/issuer1/token"


@pytest.mark.parametrize("status", [404, 405, 410])
def test_where_the_server_has_not_that_form_the_next_is_asked(status: int) -> None:
    flow = fetch_metadata(ISSUER)
    next(flow)
    assert flow.send(Response(status, (), b"<html>")) == ask(OAUTH)
    assert flow.send(Response(status)) == ask(MIXED)
    with pytest.raises(StopIteration) as done:
        flow.send(found(METADATA))
    assert done.value.value.value.issuer == ISSUER


def test_an_issuer_with_no_metadata_anywhere_says_so() -> None:
    flow = fetch_metadata("https://example.com")
    next(flow)
    flow.send(Response(404))
    with pytest.raises(InvalidResponse, match="spelled exactly") as caught:
        flow.send(Response(404))
    assert (caught.value.problem, caught.value.status) == ("not_found", 404)


@pytest.mark.parametrize("suffix", ["openid-configuration", "oauth-authorization-server"])
def test_an_issuer_that_is_given_with_a_well_known_suffix_is_told_to_omit_it(suffix: str) -> None:
    flow = fetch_metadata(f"https://example.com/t/.well-known/{suffix}")
    next(flow)
    flow.send(Response(404))
    flow.send(Response(404))
    with pytest.raises(InvalidResponse, match=r"without its /\.well-known/ suffix") as caught:
        flow.send(Response(404))
    assert (caught.value.problem, caught.value.status) == ("not_found", 404)


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (found({**METADATA, "issuer": "https://example.com"}), VerificationError),
        (found({**METADATA, "issuer": ISSUER + "/"}), VerificationError),
        (found({**METADATA, "token_endpoint": "http://example.com/token"}), InvalidResponse),
        (found({"error": "invalid_client"}), InvalidClient),
        (found([]), InvalidResponse),
        (Response(200, (), b"<html>"), InvalidResponse),
        (Response(500), InvalidResponse),
        (Response(503), TemporarilyUnavailable),
    ],
)
def test_anything_else_that_is_wrong_ends_the_search(response: Response, error: type[Exception]) -> None:
    flow = fetch_metadata(ISSUER)
    next(flow)
    with pytest.raises(error):
        flow.send(response)


def test_a_document_that_is_not_at_its_url_says_nothing_about_a_suffix() -> None:
    flow = fetch_metadata("https://example.com/.well-known/x", url="https://example.com/elsewhere")
    next(flow)
    with pytest.raises(InvalidResponse, match="spelled exactly"):
        flow.send(Response(404))


def test_the_document_of_an_issuer_may_be_elsewhere() -> None:
    flow = fetch_metadata(ISSUER, url="https://example.com/elsewhere")
    assert next(flow) == ask("https://example.com/elsewhere")
    with pytest.raises(StopIteration) as done:
        flow.send(found(METADATA))
    assert done.value.value.value.issuer == ISSUER


def test_an_issuer_may_have_another_name_in_its_metadata_where_the_program_knows_it() -> None:
    template = "https://example.com/{tenantid}"
    flow = fetch_metadata(ISSUER, known_as={template: ISSUER})
    next(flow)
    with pytest.raises(StopIteration) as done:
        flow.send(found({**METADATA, "issuer": template}))
    assert done.value.value.value.issuer == ISSUER
    flow = fetch_metadata(ISSUER, known_as={template: ISSUER})
    next(flow)
    with pytest.raises(VerificationError):
        flow.send(found({**METADATA, "issuer": "https://example.com/other"}))


@pytest.mark.parametrize(
    ("url", "issuer"),
    [
        (OPENID, ISSUER),
        (OAUTH, ISSUER),
        ("https://example.com/.well-known/openid-configuration", "https://example.com"),
        (f"{OPENID}?version=2", ISSUER),
    ],
)
def test_a_document_belongs_to_an_issuer(url: str, issuer: str) -> None:
    assert issuer_of_document(url) == issuer


@pytest.mark.parametrize(
    "url", ["https://example.com/metadata.json", "http://example.com/.well-known/openid-configuration"]
)
def test_a_url_that_no_issuer_belongs_to_is_a_usage_error(url: str) -> None:
    with pytest.raises(UsageError):
        issuer_of_document(url)
