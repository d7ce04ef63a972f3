"""Telling the server that a token will not be used again (RFC 7009)."""

import pytest

from doorkey.errors import InvalidResponse, ServerError, TemporarilyUnavailable, UnsupportedTokenType, UsageError
from doorkey.protocol.revocation import check_revocation, revocation_request
from doorkey.values import Secret
from doorkey.wire.messages import Request, Response

URL = "https://server.example.com/revoke"
TOKEN = Secret("45ghiukldjahdnhzdauz")


def test_the_request_is_that_of_rfc_7009_section_2_1() -> None:
    request = revocation_request(URL, TOKEN, "refresh_token")
    assert request == Request(
        "POST",
        URL,
        (("Accept", "application/json"),),
        (("token", "45ghiukldjahdnhzdauz"), ("token_type_hint", "refresh_token")),
    )
    assert request.content == b"token=45ghiukldjahdnhzdauz&token_type_hint=refresh_token"


def test_further_parameters_and_headers_are_added_and_override_nothing() -> None:
    request = revocation_request(URL, TOKEN, None, [("x", "1")], headers=[("X-Trace", "1")])
    assert request.content == b"token=45ghiukldjahdnhzdauz&x=1"
    assert request.header("x-trace") == "1"
    with pytest.raises(UsageError, match="'token_type_hint' is reserved: the revocation request"):
        revocation_request(URL, TOKEN, "access_token", [("token_type_hint", "refresh_token")])
    with pytest.raises(UsageError, match="revocation endpoint"):
        revocation_request("http://server.example.com/revoke", TOKEN)


@pytest.mark.parametrize("body", [b"", b"{}", b"OK", b"<html>", b"null", b'{"error": "invalid_token"}'])
@pytest.mark.parametrize("status", [200, 204])
def test_the_body_of_a_success_means_nothing(status: int, body: bytes) -> None:
    check_revocation(Response(status, (), body))


@pytest.mark.parametrize("status", [302, 400, 503])
def test_an_error_of_the_protocol_is_one_whatever_the_status(status: int) -> None:
    with pytest.raises(UnsupportedTokenType) as caught:
        check_revocation(Response(status, (), b'{"error": "unsupported_token_type"}'))
    assert caught.value.status == status


def test_a_busy_server_says_when_to_come_back() -> None:
    with pytest.raises(TemporarilyUnavailable) as caught:
        check_revocation(Response(503, (("Retry-After", "5"),), b"<html>"), 1_800_000_000.0)
    assert caught.value.retry_after == 5
    assert isinstance(caught.value, ServerError)


@pytest.mark.parametrize("status", [302, 404, 500])
def test_any_other_status_is_no_success(status: int) -> None:
    with pytest.raises(InvalidResponse):
        check_revocation(Response(status))
