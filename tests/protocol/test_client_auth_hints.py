"""What an error says about a client that the server refused."""

from base64 import b64encode

import pytest

from doorkey.errors import InvalidClient, InvalidGrant, InvalidResponse, OAuthError, UnauthorizedClient
from doorkey.protocol.client_assertion import ClientSecretJWT
from doorkey.protocol.client_auth import authenticate, client_secret_basic, client_secret_post
from doorkey.protocol.client_auth_hints import explain_rejection
from doorkey.protocol.client_identity import ClientAuthMethod, ClientIdentity
from doorkey.values import Secret
from doorkey.wire.flow import run
from doorkey.wire.messages import Request

URL = "https://as.example/token"
LONG = Secret("a-secret-of-at-least-32-bytes-for-hs256")
ODD = Secret("aB/c+d==")
UNENCODED = "client_secret_basic_unencoded or client_secret_post"


def refused(request: Request, error: OAuthError, client_id: str = "c", credential: object = ODD) -> str:
    with pytest.raises(OAuthError) as caught, explain_rejection(request, client_id, credential):
        raise error
    assert caught.value is error
    return str(error)


def request_by(method: ClientAuthMethod, client_id: str = "c", credential: object = ODD) -> Request:
    identity = ClientIdentity(client_id, credential, "https://as.example", 1_800_000_000.0)
    request = Request("POST", URL, (), (("grant_type", "client_credentials"),))
    return run(authenticate(request, identity, method), pytest.fail)


def invalid_client() -> InvalidClient:
    return InvalidClient("invalid_client", "unknown client", status=401)


def test_the_error_names_the_audience_of_an_assertion_and_the_option_that_changes_it() -> None:
    request = request_by(ClientSecretJWT(), credential=LONG)
    for error in (invalid_client(), InvalidResponse("empty", "the body is empty", status=403)):
        told = refused(request, error, credential=LONG)
        assert "the audience https://as.example:" in told
        assert "PrivateKeyJWT(audience=…)" in told
        assert "token_endpoint_auth_method=" in told


@pytest.mark.parametrize("assertion", ["", "a", "a.b.c", "a.W10.c"])
def test_an_assertion_that_cannot_be_read_is_reported_anyway(assertion: str) -> None:
    request = Request("POST", URL, (), (("client_assertion", assertion),))
    assert "the audience None" in refused(request, invalid_client())


@pytest.mark.parametrize(("client_id", "credential"), [("c", ODD), ("a:b", Secret("s")), ("c", "ö")])
def test_an_error_after_encoding_changed_the_secret_names_the_other_methods(client_id: str, credential: object) -> None:
    request = request_by(client_secret_basic, client_id, credential)
    told = refused(request, invalid_client(), client_id, credential)
    assert told.startswith("invalid_client: unknown client; ")
    assert UNENCODED in told
    assert "aB/c" not in told


def test_a_refusal_without_words_is_explained_too() -> None:
    told = refused(request_by(client_secret_basic), InvalidClient("invalid_client", status=400))
    assert told.startswith("invalid_client: client_secret_basic form-encodes")


def test_nothing_is_added_where_the_client_is_not_the_fault() -> None:
    plain = request_by(client_secret_basic, credential=Secret("plain"))
    assert refused(plain, invalid_client(), credential=Secret("plain")) == "invalid_client: unknown client"
    assert refused(request_by(client_secret_post), invalid_client()) == "invalid_client: unknown client"
    own = Request("POST", URL, (("Authorization", "Basic " + b64encode(b"x:y").decode()),))
    assert refused(own, invalid_client()) == "invalid_client: unknown client"
    odd = request_by(client_secret_basic)
    assert refused(odd, InvalidGrant("invalid_grant", status=400)) == "invalid_grant"
    with explain_rejection(odd, "c", ODD):
        pass


def test_a_client_that_proves_a_certificate_is_asked_for_it() -> None:
    request = Request("POST", URL, (), (("client_id", "c"),), needs_certificate=True)
    told = refused(request, invalid_client(), credential=None)
    assert "does the HTTP client have the certificate that is registered for this client?" in told


@pytest.mark.parametrize("method", [client_secret_basic, client_secret_post])
@pytest.mark.parametrize("empty", ["", Secret("")])
def test_an_empty_secret_is_named_as_the_likely_cause(method: ClientAuthMethod, empty: object) -> None:
    told = refused(request_by(method, credential=empty), invalid_client(), credential=empty)
    assert told.startswith("invalid_client: unknown client; the client secret is empty")


def test_a_request_without_a_secret_is_named_as_the_likely_cause() -> None:
    request = Request("POST", URL, (), (("client_id", "c"),))
    assert "the request had no client secret" in refused(request, invalid_client(), credential=None)
    assert "the request had no client secret" in refused(
        request, UnauthorizedClient("unauthorized_client", status=401), credential=None
    )
    own = Request("POST", URL, (("Authorization", "Custom x"),), (("client_id", "c"),))
    assert refused(own, invalid_client(), credential=None) == "invalid_client: unknown client"
