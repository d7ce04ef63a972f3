import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorkey.errors import InsufficientScope, InvalidResponse, InvalidToken, OAuthError, ServerError, UsageError
from doorkey.protocol.userinfo import parse_userinfo, userinfo_request
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.wire.messages import Response

ENDPOINT = "https://as.example/userinfo"
TOKEN = OAuthToken(Secret("at-1"))
JSON = (("Content-Type", "application/json"),)
JWT = (("Content-Type", "application/jwt"),)


def test_the_token_goes_in_the_header() -> None:
    request = userinfo_request(ENDPOINT, TOKEN)
    assert (request.method, request.url, request.content) == ("GET", ENDPOINT, b"")
    assert request.header("authorization") == "Bearer at-1"
    assert request.header("accept") == "application/json, application/jwt"


def test_the_token_goes_in_a_form_where_the_program_wants_that() -> None:
    request = userinfo_request(ENDPOINT, TOKEN, "body")
    assert (request.method, request.content) == ("POST", b"access_token=at-1")
    assert request.header("authorization") is None
    assert request.header("content-type") == "application/x-www-form-urlencoded"


def test_the_token_never_goes_in_the_url() -> None:
    assert userinfo_request(ENDPOINT, TOKEN, "uri").url == ENDPOINT


def test_a_token_that_is_bound_to_a_key_is_not_sent_as_bearer() -> None:
    with pytest.raises(UsageError, match="bound to a key"):
        userinfo_request(ENDPOINT, OAuthToken(Secret("at-1"), token_type="DPoP"))


def test_an_endpoint_is_https_except_on_loopback_and_hosts_that_are_named() -> None:
    with pytest.raises(UsageError, match="https"):
        userinfo_request("http://as.example/userinfo", TOKEN)
    userinfo_request("http://as.example/userinfo", TOKEN, http_hosts=("as.example",))


def test_json_is_claims() -> None:
    assert parse_userinfo(Response(200, JSON, b'{"sub": "a"}')) == {"sub": "a"}


def test_a_jwt_is_text_that_nothing_has_verified() -> None:
    for text in (b"h.p.s", b"h.p.s\n", b"h.k.i.c.t", b"h.p."):
        token = parse_userinfo(Response(200, JWT, text))
        assert isinstance(token, Secret)
        assert token.reveal() == text.decode().strip()


@pytest.mark.parametrize("body", [b"", b"h", b"h.p", b"h p s", b'{"sub": "a"}', b"h.p.s.x.y.z", "hé.p.s".encode()])
def test_a_body_declared_as_a_jwt_that_is_none_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidResponse) as error:
        parse_userinfo(Response(200, JWT, body))
    assert error.value.problem == "not_a_jwt"


def test_an_access_token_that_the_server_rejects_is_its_own_error() -> None:
    challenge = ("WWW-Authenticate", 'Bearer error="invalid_token"')
    with pytest.raises(InvalidToken) as error:
        parse_userinfo(Response(401, (challenge, *JSON), b"{}"))
    assert error.value.status == 401


def test_a_token_that_lacks_a_scope_is_explained_by_the_challenge_of_an_empty_response() -> None:
    challenge = ("WWW-Authenticate", 'Bearer realm="a", error="insufficient_scope"')
    with pytest.raises(InsufficientScope, match="was the scope openid requested at the login") as error:
        parse_userinfo(Response(403, (challenge,), b""))
    assert error.value.status == 403
    with pytest.raises(InvalidResponse):
        parse_userinfo(Response(403, (("WWW-Authenticate", "Bearer"),), b""))


def test_an_error_response_is_an_error() -> None:
    with pytest.raises(ServerError, match="insufficient_scope"):
        parse_userinfo(Response(403, JSON, b'{"error": "insufficient_scope"}'))
    with pytest.raises(InvalidResponse):
        parse_userinfo(Response(500, JWT, b"h.p.s"))


@settings(deadline=None)
@given(st.integers(200, 599), st.sampled_from([JSON, JWT, ()]), st.binary())
def test_no_builtin_error_comes_of_any_response(status: int, headers: tuple[tuple[str, str], ...], body: bytes) -> None:
    with contextlib.suppress(OAuthError):
        parse_userinfo(Response(status, headers, body))
