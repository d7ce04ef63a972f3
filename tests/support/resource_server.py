"""An authorization server of the tests, and an API that verifies its tokens: wire in, wire out, without sockets."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from anyio.from_thread import BlockingPortal

from doorkey.errors import OAuthError, UsageError
from doorkey.jose.generation import generate_key
from doorkey.jose.signing import sign
from doorkey.resource import (
    AccessToken,
    AccessTokenVerifier,
    AsyncAccessTokenVerifier,
    IntrospectionClient,
    RequestRejected,
)
from tests.support.fake_clock import START, Clock

ISSUER, API = "https://as.example", "https://api.example"
KEY, OTHER_KEY = generate_key("ES256"), generate_key("ES256")
OPAQUE = "2YotnFZFEjr1zCsicMWpAA"
ACTIVE: dict[str, Any] = {"active": True, "aud": API, "scope": "orders:read", "client_id": "app", "sub": "alice"}
ASKING = IntrospectionClient(client_id="api", client_secret="api-secret")

Answer = Callable[[Any], Any]


def public_jwk(key: Any, kid: str) -> dict[str, Any]:
    return {**key.public_jwk(), "kid": kid}


def claims(issuer: str = ISSUER, **more: Any) -> dict[str, Any]:
    """The claims of an access token as RFC 9068 §2.2 has them; one that is None is not there."""
    all_claims = {
        "iss": issuer,
        "aud": API,
        "sub": "alice",
        "client_id": "app",
        "jti": "1",
        "iat": int(START),
        "exp": int(START) + 300,
        "scope": "orders:read",
        **more,
    }
    return {name: value for name, value in all_claims.items() if value is not None}


def token(key: Any = KEY, kid: str = "1", typ: str | None = "at+jwt", issuer: str = ISSUER, **more: Any) -> str:
    header = {"kid": kid, **({"typ": typ} if typ else {})}
    return sign(claims(issuer, **more), key, alg="ES256", header=header)


class Server:
    """An authorization server: what it publishes, what it says of tokens, and which of its URLs were requested."""

    def __init__(self, issuer: str = ISSUER) -> None:
        self.issuer = issuer
        self.keys = [public_jwk(KEY, "1")]
        self.tokens: dict[str, dict[str, Any]] = {}
        self.instead: dict[str, Answer] = {}
        self.requests: list[httpx2.Request] = []

    @property
    def asked(self) -> list[str]:
        """The tokens that it was asked about."""
        return [form_of(one)["token"] for one in self.requests if one.url.path == "/introspect"]

    @property
    def paths(self) -> list[str]:
        return [request.url.path for request in self.requests]

    def __call__(self, request: httpx2.Request) -> Any:
        self.requests.append(request)
        path = request.url.path
        if path in self.instead:
            return self.instead[path](request)
        if "well-known" in path:
            return page({name: f"{self.issuer}/{name}" for name in ("token_endpoint", "jwks_uri")} | self._metadata())
        if path == "/jwks_uri":
            return page({"keys": self.keys})
        if path == "/introspect":
            return page(self.tokens.get(form_of(request)["token"], {"active": False}))
        return httpx2.Response(404)

    def _metadata(self) -> dict[str, str]:
        return {"issuer": self.issuer, "introspection_endpoint": f"{self.issuer}/introspect"}


def form_of(request: httpx2.Request) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(request.content.decode()).items()}


def page(members: object, status: int = 200, **headers: str) -> httpx2.Response:
    return httpx2.Response(status, content=json.dumps(members).encode(), headers=headers)


class Net:
    """The servers that can be reached, by host; a request to any other one fails the test."""

    def __init__(self, *servers: Server) -> None:
        self.servers = {httpx2.URL(server.issuer).host: server for server in servers}

    def __call__(self, request: httpx2.Request) -> Any:
        return self.servers[request.url.host](request)


class Api:
    """A verifier of one kind, whose every call blocks; `native` is the verifier itself."""

    def __init__(self, portal: BlockingPortal | None, net: Net, clock: Clock, *args: Any, **options: Any) -> None:
        self._portal, self.clock = portal, clock
        transport: Any = httpx2.MockTransport(net)
        http = httpx2.Client if portal is None else httpx2.AsyncClient
        kind: Any = AccessTokenVerifier if portal is None else AsyncAccessTokenVerifier
        self.native: Any = kind(*args, http_client=http(transport=transport), clock=clock, **options)

    def verify(self, text: Any, **options: Any) -> AccessToken:
        found: AccessToken = self.call(self.native.verify, text, **options)
        return found

    def call(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        if self._portal is None:
            return function(*args, **options)

        async def awaited() -> Any:
            return await function(*args, **options)

        return self._portal.call(awaited)


Apis = Callable[..., Api]
"""Makes a verifier of the kind under test: ``api(issuer, audience=…)``."""


def unchecked(api: Any, text: str = OPAQUE) -> OAuthError:
    """The error of a verification that could not be made."""
    with pytest.raises(OAuthError) as caught:
        api.verify(text)
    assert not isinstance(caught.value, RequestRejected | UsageError)
    return caught.value
