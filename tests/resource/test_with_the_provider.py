"""An API with the embedded provider, over sockets: JWTs in both styles, introspection, revocation and rotation."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from anyio.from_thread import BlockingPortal

from doorkey.integrations.requests_client import OAuth2Session
from doorkey.resource import (
    AccessTokenVerifier,
    AsyncAccessTokenVerifier,
    IntrospectionClient,
    InvalidAccessToken,
    TrustedIssuer,
)
from doorkey.testing import LocalIssuer, Provider
from tests.support.every_key_source import KINDS, World

API = "orders"
ASKING = IntrospectionClient(client_id="client-1", client_secret="my-secret", jwts=True)


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def verifier(provider: Provider, **options: Any) -> AccessTokenVerifier:
    how: dict[str, Any] = {"audience": API, "profile": "keycloak", "clock": provider.clock, **options}
    return AccessTokenVerifier(provider.issuer, **how)


def test_tokens_of_both_styles_are_verified_by_their_profile(provider: Provider) -> None:
    keycloak = provider.token("alice", audience=API, scopes="email")
    rfc9068 = provider.token("alice", audience=API, scopes="email", rfc9068=True)
    with verifier(provider) as one, verifier(provider, profile="rfc9068") as other:
        assert one.verify(keycloak, scopes="email").sub == other.verify(rfc9068, scopes="email").sub
        with pytest.raises(InvalidAccessToken) as caught:
            other.verify(keycloak)
        assert caught.value.claim == "typ"


def test_an_id_token_and_a_refresh_token_are_rejected(provider: Provider) -> None:
    session = OAuth2Session("client-1", "my-secret", clock=provider.clock)
    answer = session.fetch_token(provider.token_endpoint, username="alice", password="wonderland", scope="openid")
    with verifier(provider, audience=["client-1", API, provider.issuer]) as api:
        for name, claim in (("id_token", "at_hash"), ("refresh_token", "alg")):
            with pytest.raises(InvalidAccessToken) as caught:
                api.verify(answer[name])
            assert caught.value.claim == claim
    session.close()


@pytest.mark.parametrize("signed", [False, True])
def test_a_refresh_token_that_is_active_is_no_access_token(provider: Provider, signed: bool) -> None:
    session = OAuth2Session("client-1", "my-secret", clock=provider.clock)
    answer = session.fetch_token(provider.token_endpoint, username="alice", password="wonderland")
    names = ["client-1", provider.issuer]
    asking = IntrospectionClient(client_id="client-1", client_secret="my-secret", jwts=True, signed=signed)
    assert session.introspect_token(provider.introspection_endpoint, answer["refresh_token"]).json()["active"] is True
    with verifier(provider, audience=names, introspection=asking) as api, pytest.raises(InvalidAccessToken) as caught:
        api.verify(answer["refresh_token"])
    assert caught.value.claim == "token_type"
    session.close()


@pytest.mark.parametrize("signed", [False, True])
def test_a_token_that_was_revoked_is_rejected_by_introspection(signed: bool) -> None:
    asking = IntrospectionClient(client_id="client-1", client_secret="my-secret", jwts=True, signed=signed, cache_for=0)
    with Provider() as provider, verifier(provider, audience="client-1", introspection=asking) as api:
        text = provider.token("alice", audience="client-1")
        assert api.verify(text).client_id == "client-1"
        provider.expire_access_tokens()
        with pytest.raises(InvalidAccessToken) as caught:
            api.verify(text)
        assert caught.value.claim == "active"


def test_keys_are_followed_through_a_rotation() -> None:
    with Provider() as provider, verifier(provider) as api:
        api.verify(provider.token("alice", audience=API))
        provider.rotate_keys(withdraw=True)
        provider.advance(31)
        assert api.verify(provider.token("alice", audience=API)).client_id == "client-1"


@pytest.mark.anyio
async def test_the_asynchronous_verifier_does_the_same(provider: Provider) -> None:
    async with httpx2.AsyncClient() as http:
        trusted = TrustedIssuer(provider.issuer, audience="client-1", profile="keycloak", introspection=ASKING)
        async with AsyncAccessTokenVerifier(trusted, http_client=http, clock=provider.clock) as api:
            assert (await api.verify(provider.token("alice", audience="client-1"))).client_id == "client-1"
            with pytest.raises(InvalidAccessToken):
                await api.verify(provider.token("alice", audience="other"))


@pytest.mark.parametrize("kind", KINDS)
def test_every_http_client_of_a_program_serves_keys_and_introspection(
    kind: str, portals: dict[str, BlockingPortal]
) -> None:
    world, blocks = World(kind, portals), KINDS[kind][0] is None
    verifier_of_kind: Any = AccessTokenVerifier if blocks else AsyncAccessTokenVerifier
    with Provider() as provider:
        how: dict[str, Any] = {"audience": "client-1", "profile": "keycloak", "clock": provider.clock}
        how |= {"http_client": world.client, "cache_for": 0}
        by_signature = verifier_of_kind(provider.issuer, **how)
        asking = replace(ASKING, cache_for=0)
        by_introspection = verifier_of_kind(provider.issuer, introspection=asking, **how)
        text = provider.token("alice", audience="client-1")
        assert world.call(by_signature.verify, text).sub == world.call(by_introspection.verify, text).sub
        provider.expire_access_tokens()
        assert world.call(by_signature.verify, text).client_id == "client-1"
        with pytest.raises(InvalidAccessToken) as caught:
            world.call(by_introspection.verify, text)
        assert caught.value.claim == "active"
        world.call(by_signature.close if blocks else by_signature.aclose)
        world.close(by_introspection)


def test_a_unit_test_needs_no_network() -> None:
    issuer = LocalIssuer()
    api = AccessTokenVerifier(issuer, audience=API, profile="keycloak", clock=issuer.clock)
    old = issuer.token("alice", audience=API)
    assert api.verify(old).issuer == issuer.issuer
    issuer.rotate_keys(withdraw=True)
    assert api.verify(issuer.token("alice", audience=API)).issuer == issuer.issuer
    with pytest.raises(InvalidAccessToken):
        AccessTokenVerifier(issuer, audience=API, profile="keycloak", clock=issuer.clock).verify(old)
