"""Signers for a key in a KMS: client assertions and the assertions of service accounts, on every client."""

from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from doorkey import AsyncTokenSource, ClientCredentials, TokenSource
from doorkey.errors import TransportError, UsageError
from doorkey.jose.generation import generate_key
from doorkey.jose.verification import unsafe_header, verify
from doorkey.oauth2.rfc7523 import PrivateKeyJWT
from tests.support.every_adapter import Adapter
from tests.support.fake_clock import Clock
from tests.support.hostile_server import Hostile, reply, token
from tests.support.service_accounts import robot

KEY = ec.generate_private_key(ec.SECP256R1())


def kms(data: bytes) -> bytes:
    r, s = decode_dss_signature(KEY.sign(data, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32) + s.to_bytes(32)


async def akms(data: bytes) -> bytes:
    return kms(data)


def away(_: bytes) -> bytes:
    raise TimeoutError


def by(signer: Any) -> PrivateKeyJWT:
    return PrivateKeyJWT(signer=signer, alg="ES256", kid="kms-1")


def checked(assertion: str) -> dict[str, Any]:
    verified = verify(assertion, KEY.public_key(), algorithms=["ES256"])
    assert verified.header["kid"] == "kms-1"
    return dict(verified.claims)


def test_a_client_authenticates_at_every_endpoint_by_a_signer(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token(refresh_token="rt-1"))
    hostile.on("/introspect", reply(json={"active": True}))
    hostile.on("/revoke", reply(200))
    client = adapter.client(
        "c",
        token_endpoint=hostile.token_endpoint,
        introspection_endpoint=hostile.url("/introspect"),
        revocation_endpoint=hostile.url("/revoke"),
        token_endpoint_auth_method=by(adapter.function(kms)),
    )
    client.fetch_token()
    client.refresh_token()
    assert client.introspect_token().active
    client.revoke_token()
    claims = [checked(one.form["client_assertion"]) for one in hostile.received]
    assert [one["sub"] for one in claims] == ["c"] * 4
    assert len({one["jti"] for one in claims}) == 4
    assert all(one["exp"] - one["iat"] == 60 for one in claims)


def test_a_service_account_signs_by_a_signer(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    hostile.on("/token", token("at-1"), token("at-2"))
    options = {"signer": adapter.function(kms), "alg": "ES256", "kid": "kms-1", "clock": clock}
    client = robot(adapter, token_endpoint=hostile.token_endpoint, issuer="robots", **options)
    client.get(hostile.url())
    clock.advance(1000)
    client.get(hostile.url())
    first, second = (checked(one.form["assertion"]) for one in hostile.token_requests)
    assert first["jti"] != second["jti"]
    assert second["exp"] == int(clock()) + 60


def test_a_token_that_is_still_valid_is_used_while_the_kms_is_away(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    hostile.on("/token", token("at-1", expires_in=300))
    working = [True]

    def signer(data: bytes) -> bytes:
        return kms(data) if working.pop() else away(data)

    options = {"signer": adapter.function(signer), "alg": "ES256", "kid": "kms-1", "clock": clock}
    client = robot(adapter, token_endpoint=hostile.token_endpoint, issuer="robots", **options)
    client.get(hostile.url())
    clock.advance(270)
    working.append(False)
    client.get(hostile.url())
    assert [one.token for one in hostile.to("/api")] == ["at-1", "at-1"]
    clock.advance(270)
    working.append(False)
    with pytest.raises(TransportError, match="the signer failed with TimeoutError: nothing was signed"):
        client.get(hostile.url())
    assert len(hostile.token_requests) == 1


@pytest.mark.parametrize("adapter", ["requests", "httpx2"], indirect=True)
def test_an_asynchronous_signer_of_a_blocking_client_is_a_usage_error(adapter: Adapter, hostile: Hostile) -> None:
    client = adapter.client("c", token_endpoint=hostile.token_endpoint, token_endpoint_auth_method=by(akms))
    with pytest.raises(UsageError, match="asynchronous callable"):
        client.fetch_token()
    account = robot(adapter, token_endpoint=hostile.token_endpoint, issuer="i", signer=akms, alg="ES256")
    with pytest.raises(UsageError, match="asynchronous callable"):
        account.fetch_token()
    assert hostile.received == []


def test_a_source_authenticates_by_a_signer(hostile: Hostile) -> None:
    hostile.on("/token", token("at-1"))
    with TokenSource(ClientCredentials("c", auth_methods=(by(kms),)), token_endpoint=hostile.token_endpoint) as source:
        assert source.token().access_token.reveal() == "at-1"
    checked(hostile.token_requests[0].form["client_assertion"])


@pytest.mark.anyio
async def test_an_asynchronous_source_authenticates_by_an_asynchronous_signer(hostile: Hostile) -> None:
    hostile.on("/token", token("at-1"))
    credentials = ClientCredentials("c", auth_methods=(by(akms),))
    async with AsyncTokenSource(credentials, token_endpoint=hostile.token_endpoint) as source:
        assert (await source.token()).access_token.reveal() == "at-1"
    checked(hostile.token_requests[0].form["client_assertion"])


@pytest.mark.parametrize(("kind", "alg"), [("ES256", "ES256"), ("ES384", "ES384"), ("EdDSA", "EdDSA")])
def test_an_assertion_is_signed_by_the_algorithm_that_fits_its_key(
    adapter: Adapter, hostile: Hostile, kind: str, alg: str
) -> None:
    key = generate_key(kind)
    hostile.on("/token", token("at-1"))
    robot(adapter, token_endpoint=hostile.token_endpoint, issuer="robots", key=key).fetch_token()
    adapter.client("c", key, token_endpoint=hostile.token_endpoint).fetch_token()
    account, client = hostile.token_requests
    for assertion in (account.form["assertion"], client.form["client_assertion"]):
        assert verify(assertion, key.public_jwk(), algorithms=[alg]).header["alg"] == alg


def test_the_metadata_chooses_between_rs256_and_ps256(adapter: Adapter, hostile: Hostile) -> None:
    key = rsa.generate_private_key(65537, 2048)
    metadata = {
        "issuer": hostile.url(""),
        "token_endpoint": hostile.token_endpoint,
        "introspection_endpoint": hostile.url("/introspect"),
        "token_endpoint_auth_signing_alg_values_supported": ["PS256", "ES256"],
        "introspection_endpoint_auth_signing_alg_values_supported": ["RS256"],
    }
    hostile.on("/token", token("at-1"))
    hostile.on("/introspect", reply(json={"active": True}))
    client = adapter.client("c", key, metadata=metadata)
    client.fetch_token()
    client.introspect_token()
    with TokenSource(ClientCredentials("c", key), metadata=metadata) as source:
        source.token()
    assert [unsafe_header(one.form["client_assertion"])["alg"] for one in hostile.received] == [
        "PS256",
        "RS256",
        "PS256",
    ]


@pytest.fixture
def keys_read(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The keys in PEM that have been read, in order."""
    read = list[object]()

    def counting(*args: Any, **kwargs: Any) -> Any:
        read.append(args[0])
        return load_pem_private_key(*args, **kwargs)

    monkeypatch.setattr("doorkey.jose.key_reading.load_pem_private_key", counting)
    return read


def test_a_key_is_read_once_for_all_requests_of_a_session_or_source(
    adapter: Adapter, hostile: Hostile, keys_read: list[object]
) -> None:
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    hostile.on("/token", token("at-1", expires_in=1))
    account = robot(adapter, token_endpoint=hostile.token_endpoint, issuer="robots", key=pem)
    client = adapter.client("c", pem, token_endpoint=hostile.token_endpoint)
    for _ in range(3):
        account.fetch_token()
        client.fetch_token()
    assert len(keys_read) == 2
    now = [0.0]
    with TokenSource(
        ClientCredentials("c", pem), token_endpoint=hostile.token_endpoint, clock=lambda: now[0]
    ) as source:
        for now[0] in (0.0, 1000.0, 2000.0):
            source.token()
    assert len(keys_read) == 3
    assert len(hostile.token_requests) == 9
