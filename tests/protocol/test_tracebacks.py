"""Collectors of errors show local variables: no secret is among them (sentry-sdk does so by default)."""

import json
from collections.abc import Callable
from typing import Any, cast

import pytest

from doorkey.errors import OAuthError
from doorkey.jose.keys import import_key, import_keys
from doorkey.jose.signing import sign
from doorkey.jose.verification import unsafe_claims, verify
from doorkey.protocol.authorization import AuthorizationTransaction, authorization_url, parse_callback
from doorkey.protocol.client_assertion import PrivateKeyJWT
from doorkey.protocol.client_auth import METHODS, authenticate
from doorkey.protocol.client_identity import ClientAuthMethod, ClientIdentity, Headers, Signed
from doorkey.protocol.grants import PasswordGrant, RefreshTokenGrant
from doorkey.protocol.introspection import introspection_request, parse_introspection
from doorkey.protocol.pkce import challenge_of
from doorkey.protocol.revocation import check_revocation
from doorkey.protocol.token_endpoint import parse_token, token_request
from doorkey.tokens import OAuth2Token, OAuthToken
from doorkey.values import RedactedBytes, RedactedDict, Secret
from doorkey.wire.flow import run
from doorkey.wire.limits import BoundedReader, ExchangePolicy
from doorkey.wire.messages import Request, Response, body_bytes, form_encoded
from doorkey.wire.parameters import merged, pairs_of
from doorkey.wire.urls import check_endpoint
from tests.support.tracebacks import local_variables

S = "do-not-show-this"
AT = "https://as.example/token"


def answered(body: str, status: int = 200, url: str = AT) -> Response:
    asked = Request("POST", url, (("Authorization", f"Basic {S}"),), (("password", S),))
    return Response(status, (("Content-Type", "application/json"), ("Set-Cookie", S)), body.encode(), asked)


def token(**members: object) -> Response:
    return answered(json.dumps({"access_token": S, "refresh_token": S, "token_type": "Bearer", **members}))


def client(secret: object = Secret(S)) -> ClientIdentity:
    return ClientIdentity("app:x", secret, "aud", 0.0)


def asked(method: str = "POST", body: bytes | None = None) -> Request:
    return Request(method, AT, (("X-Secret", S),), (("refresh_token", S),), body)


def authenticated(request: Request, identity: ClientIdentity, method: ClientAuthMethod) -> Request:
    return run(authenticate(request, identity, method), pytest.fail)


def fed(*chunks: bytes) -> None:
    reader = BoundedReader(200, (("Content-Encoding", "gzip"),), ExchangePolicy(max_body=64))
    for chunk in chunks:
        reader.feed(RedactedBytes(chunk))
    reader.response()


def returns(signed: Any) -> Callable[[ClientIdentity, str, str, Headers, str], Signed]:
    def method(client: ClientIdentity, method: str, uri: str, headers: Headers, body: str) -> Signed:
        return cast("Signed", signed)

    return method


def raises(*_: object) -> Signed:
    raise ZeroDivisionError


PARSED: dict[str, Callable[[], object]] = {
    "not JSON": lambda: parse_token(answered(f'{{"access_token": "{S}"'), requested_at=0),
    "not an object": lambda: parse_token(answered(f'["{S}"]'), requested_at=0),
    "repeated": lambda: parse_token(answered(f'{{"a": "{S}", "a": "{S}"}}'), requested_at=0),
    "too deep": lambda: parse_token(answered(f'{{"a": "{S}", "b": {"[" * 99}{"]" * 99}}}'), requested_at=0),
    "NaN": lambda: parse_token(answered(f'{{"a": "{S}", "b": NaN}}'), requested_at=0),
    "token type": lambda: parse_token(token(token_type="no such"), requested_at=0),
    "access token": lambda: parse_token(token(access_token=[S]), requested_at=0),
    "refresh token": lambda: parse_token(token(refresh_token=[S]), requested_at=0),
    "ID token": lambda: parse_token(token(id_token=[S]), requested_at=0),
    "no ID token": lambda: parse_token(token(), requested_at=0, openid=True),
    "not bound": lambda: parse_token(token(), requested_at=0, bound=True),
    "error": lambda: parse_token(token(error="invalid_grant", error_description=f"no {S}"), requested_at=0),
    "status": lambda: parse_token(answered(f'{{"token": "{S}"}}', 403), requested_at=0),
    "busy": lambda: parse_token(answered(S, 503), requested_at=0),
    "introspection": lambda: parse_introspection(answered(f'{{"token": "{S}"}}')),
    "revocation": lambda: check_revocation(answered(f'{{"token": "{S}"}}', 400)),
    "callback": lambda: parse_callback(f"https://app/cb?code={S}&code={S}", state=None),
    "callback state": lambda: parse_callback(f"https://app/cb?code={S}&state=x", state=S),
    "callback URL": lambda: parse_callback(f"https://[app/cb?code={S}", state=S),
    "callback error": lambda: parse_callback(f"https://app/cb?error=access_denied&code={S}", state=None),
    "transaction": lambda: AuthorizationTransaction.from_json(json.dumps({"code_verifier": S})),
    "gzip": lambda: fed(S.encode()),
    "large": lambda: fed(S.encode() * 9),
    "claims": lambda: unsafe_claims(S),
    "signature": lambda: verify(f"{S}.{S}.{S}", Secret(S * 9), algorithms=["HS256"]),
    "restored token": lambda: OAuth2Token({"access_token": f"{S} ä"}),
    "restored type": lambda: OAuthToken.from_mapping({"access_token": S, "token_type": 1}, now=0),
}
BUILT: dict[str, Callable[[], object]] = {
    "endpoint": lambda: token_request("http://as.example", PasswordGrant("a", Secret(S))),
    "reserved": lambda: token_request(AT, PasswordGrant("a", Secret(S)), [("password", "other")]),
    "in the query": lambda: token_request(f"{AT}?refresh_token={S}", RefreshTokenGrant(Secret(S + S))),
    "method": lambda: token_request(AT, RefreshTokenGrant(Secret(S)), method="PUT"),
    "surrogate": lambda: form_encoded([("a", S), ("b", "\ud800")]),
    "body": lambda: body_bytes({"a": S}, "the body"),
    "form": lambda: pairs_of({"password": S, "other": {"a": S}}),
    "pairs": lambda: merged((("a", S),), [("a", S + "x")], "the request"),
    "URL": lambda: check_endpoint(f"https://user:{S}@as.example/"),
    "authorization": lambda: authorization_url("http://as.example", (("state", S),)),
    "introspection": lambda: introspection_request(AT, Secret(S + "\n")),
    "verifier": lambda: challenge_of(f"{S} ä"),
    "Basic": lambda: authenticated(asked(), client(f"{S}\ud800"), METHODS["client_secret_basic"]),
    "Basic with a colon": lambda: authenticated(asked(), client(), METHODS["client_secret_basic_unencoded"]),
    "post in GET": lambda: authenticated(asked("GET"), client(), METHODS["client_secret_post"]),
    "post twice": lambda: authenticated(asked(body=b"client_secret=x"), client(), METHODS["client_secret_post"]),
    "assertion": lambda: authenticated(asked(), client(), METHODS["private_key_jwt"]),
    "own key": lambda: authenticated(asked(), client(), PrivateKeyJWT(key=Secret(S))),
    "own method": lambda: authenticated(asked(), client(), raises),
    "own method's shape": lambda: authenticated(asked(), client(), returns((S, S))),
    "own method's URL": lambda: authenticated(asked(), client(), returns((f"http://e/?{S}", {"A": S}, S))),
    "signing": lambda: sign({"a": S, "b": {S}}, Secret(S * 9), alg="HS256"),
    "key": lambda: import_key(Secret(f"-----BEGIN PRIVATE KEY-----\n{S}")),
    "JWK": lambda: import_keys({"kty": "RSA", "n": S, "e": "AQAB"}),
}


@pytest.mark.parametrize("name", PARSED)
def test_an_error_about_a_response_leaves_no_secret_in_local_variables(name: str) -> None:
    with pytest.raises(OAuthError) as caught:
        PARSED[name]()
    assert S not in local_variables(caught.value)


@pytest.mark.parametrize("name", BUILT)
def test_an_error_about_a_request_leaves_no_secret_in_local_variables(name: str) -> None:
    with pytest.raises((OAuthError, ZeroDivisionError)) as caught:
        BUILT[name]()
    assert S not in local_variables(caught.value)


def test_an_error_of_a_programs_own_method_keeps_that_methods_frame() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        authenticated(asked(), client(), raises)
    assert caught.traceback[-1].name == "raises"


def test_values_that_hold_secrets_show_none_of_them() -> None:
    held: list[object] = [
        RedactedBytes(S.encode()),
        RedactedDict(a=S),
        token(),
        asked(body=S.encode()),
        OAuth2Token({"access_token": S}),
    ]
    for value in held:
        assert S not in repr(value) + str(value)
        assert S not in "".join(str(part) for part in getattr(value, "__rich_repr__", lambda: ())())
    assert repr(RedactedBytes(b"abc")) == "<3 bytes>"
    assert repr(RedactedDict(a=1)) == "<1 members>"
