"""An issuer without a network, wherever an `Issuer` is accepted."""

import socket

import pytest

from doorkey import Issuer, KeySource, VerificationError
from doorkey.errors import UsageError
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.jose import jwt
from doorkey.jose.generation import generate_key
from doorkey.resource import AccessTokenVerifier, AsyncAccessTokenVerifier
from doorkey.testing import LocalIssuer, Settings, client, user

CALLBACK = "https://app.example/callback"


@pytest.fixture(autouse=True)
def no_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a unit test needs no network")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)


def test_its_tokens_verify_with_its_keys(doorkey_issuer: LocalIssuer) -> None:
    assert isinstance(doorkey_issuer, Issuer)
    token = doorkey_issuer.token("alice", scopes="orders:read", audience="api")
    claims = doorkey_issuer.keys.verify(token, algorithms=["RS256"]).claims
    assert (claims["iss"], claims["aud"], claims["scope"]) == ("https://issuer.example", "api", "orders:read")
    other = doorkey_issuer.token("alice", key=generate_key("ES256"))
    with pytest.raises(VerificationError):
        doorkey_issuer.keys.verify(other, algorithms=["RS256", "ES256"])


@pytest.mark.anyio
async def test_its_keys_work_in_programs_that_await(doorkey_issuer: LocalIssuer) -> None:
    verified = await doorkey_issuer.akeys.verify(doorkey_issuer.token("alice"), algorithms=["RS256"])
    assert verified.claims["preferred_username"] == "alice"
    assert (await doorkey_issuer.ametadata()).issuer == "https://issuer.example"


def test_it_follows_its_own_rotation_at_once(doorkey_issuer: LocalIssuer) -> None:
    before = doorkey_issuer.token("alice")
    doorkey_issuer.keys.verify(before, algorithms=["RS256"])
    doorkey_issuer.rotate_keys()
    for token in (before, doorkey_issuer.token("alice")):
        doorkey_issuer.keys.verify(token, algorithms=["RS256"])
    doorkey_issuer.rotate_keys(withdraw=True)
    with pytest.raises(VerificationError):
        doorkey_issuer.keys.verify(before, algorithms=["RS256"])


def test_its_metadata_names_its_own_url() -> None:
    issuer = LocalIssuer("https://as.example/tenant")
    metadata = issuer.metadata()
    assert metadata.issuer == issuer.issuer == "https://as.example/tenant"
    assert (metadata.token_endpoint or "").startswith("https://as.example/tenant/")
    with issuer as same:
        assert same is issuer


def test_its_users_clients_settings_and_clock_are_the_tests_own() -> None:
    issuer = LocalIssuer(
        clients=[client("mine", "s", id_token_signed_response_alg="ES256")],
        users=[user("zoe", "pwd", id_token_claims={"vip": True})],
        settings=Settings(signing_alg="EdDSA", rfc9068=True, access_token_lifetime=5),
        clock=lambda: 1_000.0,
    )
    access = issuer.keys.verify(issuer.token("zoe", client_id="mine"), algorithms=["EdDSA"], typ="at+jwt").claims
    assert (access["client_id"], access["iat"], access["exp"]) == ("mine", 1000, 1005)
    issuer.advance(60)
    identity = issuer.keys.verify(issuer.id_token("zoe", client_id="mine"), algorithms=["ES256"]).claims
    assert (identity["vip"], identity["iat"], issuer.clock()) == (True, 1060, 1060.0)


def test_jwt_decode_takes_it_as_keys(doorkey_issuer: LocalIssuer) -> None:
    claims = jwt.decode(doorkey_issuer.id_token("alice", nonce="n"), doorkey_issuer)
    assert claims["nonce"] == "n"
    assert isinstance(doorkey_issuer.keys, KeySource)


def test_a_session_and_a_verifier_take_it_as_their_issuer(doorkey_issuer: LocalIssuer) -> None:
    with OAuth2Session("client-1", "my-secret", issuer=doorkey_issuer, redirect_uri=CALLBACK) as session:
        url, _ = session.create_authorization_url()
        claims = session.verify_id_token(doorkey_issuer.id_token("alice", nonce="n"), nonce="n")
    assert url.startswith("https://issuer.example/protocol/openid-connect/auth?")
    assert claims["preferred_username"] == "alice"
    verifier = AccessTokenVerifier(doorkey_issuer, audience="api", profile="keycloak")
    assert verifier.verify(doorkey_issuer.token("alice", audience="api")).sub == claims["sub"]
    doorkey_issuer.rotate_keys(withdraw=True)
    assert verifier.verify(doorkey_issuer.token("alice", audience="api")).sub == claims["sub"]


@pytest.mark.anyio
async def test_a_verifier_that_awaits_takes_it_as_its_issuer() -> None:
    issuer = LocalIssuer(settings=Settings(rfc9068=True, signing_alg="ES256"))
    verifier = AsyncAccessTokenVerifier(issuer, audience="api")
    verified = await verifier.verify(issuer.token("alice", scopes="orders:read", audience="api"), scopes="orders:read")
    assert verified.issuer == issuer.issuer


@pytest.mark.parametrize("url", ["http://as.example", "https://as.example/#x", "nothing", 5])
def test_a_url_that_cannot_be_an_issuer_is_refused(url: str) -> None:
    with pytest.raises(UsageError):
        LocalIssuer(url)


def test_a_misspelled_option_suggests_the_nearest() -> None:
    with pytest.raises(UsageError, match="did you mean 'settings'"):
        LocalIssuer(setings=None)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
