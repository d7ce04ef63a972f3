"""Every error of an exchange names the method, the URL without its query, the client ID and the status."""

from base64 import b64encode

import pytest

from doorkey.errors import (
    InvalidGrant,
    InvalidResponse,
    OAuthError,
    ServerError,
    TemporarilyUnavailable,
    TransportError,
    UsageError,
)
from doorkey.wire.error_context import client_id_of, in_exchange
from doorkey.wire.flow import Flow, run
from doorkey.wire.limits import BoundedReader, ExchangePolicy
from doorkey.wire.messages import Request, Response
from doorkey.wire.responses import json_answer

URL = "https://user:hunter2@as.example:8443/token?code=hunter2#hunter2"
NAMED = "POST https://as.example:8443/token, client 'app'"
REQUEST = Request("POST", URL, form=(("client_id", "app"), ("client_secret", "hunter2")))


def failed(outcome: Response | OAuthError) -> OAuthError:
    def flow() -> Flow[object]:
        return json_answer((yield from REQUEST), "token response")

    def perform(_: object) -> Response:
        if isinstance(outcome, OAuthError):
            raise outcome
        return outcome

    with pytest.raises(OAuthError) as caught:
        run(flow(), perform)
    return caught.value


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (Response(404, (), b'{"error": "Unable to find matching target resource method"}'), ServerError),
        (Response(404, (("Content-Type", "text/html"),), b"<h1>Not here</h1>"), InvalidResponse),
        (Response(400, (), b"{}"), InvalidResponse),
        (Response(200, (), b""), InvalidResponse),
    ],
)
def test_an_error_without_a_registered_code_names_the_exchange(response: Response, kind: type[OAuthError]) -> None:
    error = failed(response)
    assert type(error) is kind
    assert str(error).endswith(f" ({NAMED}, HTTP {response.status})")
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (Response(400, (), b'{"error": "invalid_grant", "error_description": "no"}'), InvalidGrant),
        (Response(503, (), b""), TemporarilyUnavailable),
    ],
)
def test_a_registered_code_reads_as_it_is_and_its_repr_names_the_exchange(
    response: Response, kind: type[OAuthError]
) -> None:
    error = failed(response)
    assert isinstance(error, kind)
    assert "POST" not in str(error)
    assert error.exchange == f"{NAMED}, HTTP {response.status}"
    assert f"({NAMED}, HTTP {response.status})" in repr(error)


def test_an_error_of_the_transport_names_the_exchange_too() -> None:
    assert str(failed(TransportError("connection refused"))) == f"connection refused ({NAMED})"


def test_a_redirect_names_its_target_without_secrets() -> None:
    with pytest.raises(InvalidResponse) as caught:
        BoundedReader(301, (("Location", "https://a:hunter2@new.example/token?x=hunter2"),), ExchangePolicy())
    text = str(failed(caught.value))
    assert "the server redirects to https://new.example/token;" in text
    assert text.endswith(f" ({NAMED}, HTTP 301)")
    assert "hunter2" not in text


def test_an_error_that_names_its_exchange_keeps_it_and_a_usage_error_names_none() -> None:
    first = in_exchange(TransportError("gone"), REQUEST)
    assert in_exchange(first, Request("GET", "https://other.example/")).exchange == NAMED
    assert in_exchange(UsageError("wrong"), REQUEST).exchange == ""
    assert in_exchange(TransportError("gone"), None).exchange == ""


@pytest.mark.parametrize(
    ("authorization", "body", "client_id"),
    [
        ("Basic " + b64encode(b"a%3Ab:s").decode(), b"", "a:b"),
        ("Basic !", b"client_id=c", "c"),
        ("Bearer t", b"client_id=c", "c"),
        ("", b"", "q"),
    ],
)
def test_the_client_id_is_found_wherever_it_is_sent(authorization: str, body: bytes, client_id: str) -> None:
    request = Request("POST", "https://as.example/?client_id=q", (("Authorization", authorization),), body=body)
    assert client_id_of(request) == client_id
