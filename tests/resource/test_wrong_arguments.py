"""Arguments of every kind for `doorkey.resource`: they raise an `OAuthError` or nothing."""

import json
from functools import partial
from typing import Any

import httpx2
import pytest
from anyio.from_thread import BlockingPortal

from doorkey.resource import (
    AccessTokenVerifier,
    ApiRequest,
    AsyncAccessTokenVerifier,
    Guard,
    IntrospectionClient,
    InvalidAccessToken,
    ProtectedResource,
    Requirement,
    TokenProfile,
    TrustedIssuer,
)
from tests.support.fake_clock import Clock
from tests.support.resource_server import ACTIVE, API, ASKING, ISSUER, OPAQUE, Net, Server, token
from tests.support.wrong_values import failures, parameters_of, refused

BOUND = token(cnf={"x5t#S256": "t"})


@pytest.fixture
def world() -> Server:
    server = Server()
    server.tokens[OPAQUE] = ACTIVE
    return server


@pytest.fixture
def good(world: Server) -> dict[str, Any]:
    client = httpx2.Client(transport=httpx2.MockTransport(Net(world)))
    return {"issuer": ISSUER, "audience": API, "introspection": ASKING, "http_client": client, "clock": Clock()}


def test_verifiers(good: dict[str, Any], world: Server, portal: BlockingPortal) -> None:
    def used(**given: Any) -> None:
        verifier = AccessTokenVerifier(**given)
        for text in (token(), OPAQUE):
            verifier.verify(text)
        verifier.close()

    async def awaited(**given: Any) -> None:
        async with AsyncAccessTokenVerifier(**given) as verifier:
            for text in (token(), OPAQUE):
                await verifier.verify(text)

    def on_a_loop(**given: Any) -> None:
        portal.call(partial(awaited, **given))

    names = [name for name in parameters_of(AccessTokenVerifier) if name != "http_client"]
    client = httpx2.AsyncClient(transport=httpx2.MockTransport(Net(world)))
    refused(failures(used, good, names), failures(on_a_loop, {**good, "http_client": client}, names))


@pytest.mark.parametrize("text", [token(), BOUND, OPAQUE], ids=["jwt", "bound", "opaque"])
def test_one_verification(good: dict[str, Any], text: str) -> None:
    verify = AccessTokenVerifier(**good).verify
    refused(failures(verify, {"token": text}), failures(verify, {"token": text, "scheme": "DPoP", "proven_key": "k"}))


def test_issuers_and_introspection(good: dict[str, Any]) -> None:
    def trusted(**given: Any) -> None:
        verifier = AccessTokenVerifier(TrustedIssuer(**given), http_client=good["http_client"], clock=good["clock"])
        verifier.verify(token())

    def asked(**given: Any) -> None:
        options: dict[str, Any] = {**good, "introspection": IntrospectionClient(**given)}
        verifier = AccessTokenVerifier(**options)
        verifier.verify(OPAQUE)

    def profile(**given: Any) -> None:
        options: dict[str, Any] = {**good, "profile": TokenProfile(**given)}
        verifier = AccessTokenVerifier(**options)
        verifier.verify(token())

    refused(
        failures(trusted, {"issuer": ISSUER, "audience": API}, parameters_of(TrustedIssuer)),
        failures(asked, {"client_id": "api", "client_secret": "s"}, parameters_of(IntrospectionClient)),
        failures(profile, {"name": "own", "types": ("at+jwt",)}, parameters_of(TokenProfile)),
    )


def test_requirements(good: dict[str, Any]) -> None:
    verifier = AccessTokenVerifier(**good)

    def needed(**given: Any) -> None:
        request = ApiRequest("GET", "/", [("Authorization", f"Bearer {token()}")])
        Guard(verifier).check(request, Requirement(**given))

    refused(failures(needed, {}, parameters_of(Requirement)))


def test_guards_and_requests(good: dict[str, Any]) -> None:
    verifier = AccessTokenVerifier(**good)
    request = ApiRequest("GET", "/orders", [("Authorization", f"Bearer {BOUND}")], certificate=b"der")

    def guarded(**given: Any) -> None:
        guard = Guard(**given)
        guard.check(request)
        guard.metadata_reply(request)

    def requested(**given: Any) -> None:
        guard, sent = Guard(verifier, resource="https://api.example"), ApiRequest(**given)
        guard.check(sent)
        guard.metadata_reply(sent)

    refused(
        failures(guarded, {"verifier": verifier}, parameters_of(Guard)),
        failures(requested, {"method": "GET", "url": "/", "headers": request.headers, "certificate": b"der"}),
        failures(requested, {"method": "GET", "url": "/", "headers": ()}, parameters_of(ApiRequest)),
        failures(Guard(verifier).check, {"request": request}),
        failures(Guard(verifier).metadata_reply, {"request": request}),
    )


def test_metadata_and_challenges() -> None:
    def described(**given: Any) -> None:
        resource = ProtectedResource(**given)
        json.dumps(resource.document(), default=repr)
        assert resource.metadata_url

    refused(
        failures(described, {"resource": API}, parameters_of(ProtectedResource)),
        failures(InvalidAccessToken("c", "r").challenge, {}),
    )
