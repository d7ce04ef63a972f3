"""Service accounts: sessions that sign their own assertions, and get their token by themselves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from doorkey.dev import Provider
from doorkey.errors import InvalidGrant, UsageError
from doorkey.integrations.requests_client import AssertionSession
from doorkey.jose.signing import sign
from doorkey.jose.verification import unsafe_claims, unsafe_header
from tests.servers.handle import RealServer
from tests.support.every_adapter import Adapter, Client
from tests.support.fake_clock import Clock
from tests.support.hostile_server import Hostile, token
from tests.support.service_accounts import ISSUER, KEY, robot

JWT_BEARER = AssertionSession.JWT_BEARER_GRANT_TYPE


def test_the_documents_service_account_just_works(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    hostile.on("/token", token("at-1"))
    client = robot(
        adapter,
        grant_type=AssertionSession.JWT_BEARER_GRANT_TYPE,
        token_url=hostile.token_endpoint,
        issuer=ISSUER,
        audience=hostile.token_endpoint,
        claims={"scope": "https://api.example/read"},
        subject=None,
        key=KEY,
        header={"alg": "RS256", "kid": "key-1"},
        clock=clock,
    )
    assert client.get(hostile.url()).status_code == 200
    assert hostile.to("/api")[0].token == "at-1"
    asked = hostile.to("/token")[0].form
    assert asked["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    assert set(asked) == {"grant_type", "assertion"}, "nothing is said of a client"
    assert unsafe_header(asked["assertion"])["kid"] == "key-1"
    claims = unsafe_claims(asked["assertion"])
    assert (claims["iss"], claims["aud"], claims["scope"]) == (
        ISSUER,
        hostile.token_endpoint,
        "https://api.example/read",
    )
    assert "sub" not in claims


def test_each_renewal_signs_a_fresh_assertion(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    hostile.on("/token", token("at-1"), token("at-2"))
    client = robot(adapter, token_endpoint=hostile.token_endpoint, issuer=ISSUER, subject="s", key=KEY, clock=clock)
    client.get(hostile.url())
    clock.advance(100_000)
    client.get(hostile.url())
    assert [one.token for one in hostile.to("/api")] == ["at-1", "at-2"]
    first, second = (unsafe_claims(one.form["assertion"]) for one in hostile.to("/token"))
    assert first["jti"] != second["jti"]
    assert second["iat"] == first["iat"] + 100_000


@pytest.fixture
def signatures(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The claims of what has been signed, in order."""
    signed = list[Any]()

    def counting(claims: Any, *args: Any, **kwargs: Any) -> str:
        signed.append(claims)
        return sign(claims, *args, **kwargs)

    monkeypatch.setattr("doorkey.jose.signers.sign", counting)
    return signed


def self_signed(adapter: Adapter, hostile: Hostile, clock: Clock, **options: Any) -> Client:
    return robot(adapter, token_endpoint=hostile.token_endpoint, issuer=ISSUER, key=KEY, clock=clock, **options)


def asked(hostile: Hostile) -> list[tuple[str, str]]:
    """The grant of each token request, and its scope."""
    return [(one.form["grant_type"], one.form.get("scope", "")) for one in hostile.token_requests]


def test_a_token_that_is_fetched_is_asked_for_by_the_assertion(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    hostile.on("/token", token("at-1"), token("at-2"))
    client = self_signed(adapter, hostile, clock, scope="read")
    assert client.fetch_token().access_token == "at-1"
    assert client.fetch_token(hostile.token_endpoint, scope="write", audience="api").access_token == "at-2"
    assert asked(hostile) == [(JWT_BEARER, "read"), (JWT_BEARER, "write")]
    assert hostile.token_requests[1].form["audience"] == "api"
    clock.advance(100_000)
    client.get(hostile.url())
    assert asked(hostile)[2] == (JWT_BEARER, "write"), "it is renewed as it was asked for"


def test_an_assertion_session_takes_an_assertion_and_other_grants_that_a_call_names(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    hostile.on("/token", token("at-1"))
    client = self_signed(adapter, hostile, clock)
    client.fetch_token(assertion="made.by.hand")
    client.fetch_token(grant_type="client_credentials")
    client.fetch_token(username="u", password="p")
    assert [one[0] for one in asked(hostile)] == [JWT_BEARER, "client_credentials", "password"]
    assert hostile.token_requests[0].form["assertion"] == "made.by.hand"


def test_a_refresh_by_hand_signs_another_assertion_where_there_is_no_refresh_token(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    hostile.on("/token", token("at-1"), token("at-2", refresh_token="rt-2"), token("at-3"))
    saved = list[Any]()

    def save(token: Any, **old: str) -> None:
        saved.append(old)

    client = self_signed(adapter, hostile, clock, update_token=adapter.function(save))
    assert client.refresh_token().access_token == "at-1"
    assert client.refresh_token(headers={"X-Tenant": "7"}).access_token == "at-2"
    assert client.refresh_token().access_token == "at-3"
    assert [one[0] for one in asked(hostile)] == [JWT_BEARER, JWT_BEARER, "refresh_token"]
    assert hostile.token_requests[1].header("x-tenant") == "7"
    assert saved == [{}, {"access_token": "at-1"}, {"refresh_token": "rt-2"}]


def test_looking_at_the_token_signs_nothing(
    adapter: Adapter, hostile: Hostile, clock: Clock, signatures: list[Any]
) -> None:
    hostile.on("/token", token("at-1"))
    client = self_signed(adapter, hostile, clock)
    client.get(hostile.url())
    assert len(signatures) == 1
    clock.advance(270)  # stale: every caller checks whether it can be renewed
    core = client.native._oauth
    for _ in range(5):
        core.slot.decide(clock())
        assert core.renewable(core.slot.token)
    assert len(signatures) == 1


def test_nothing_is_signed_while_a_refresh_token_works(
    adapter: Adapter, hostile: Hostile, clock: Clock, signatures: list[Any]
) -> None:
    hostile.on("/token", token("at-1", refresh_token="rt-1"), token("at-2"))
    client = self_signed(adapter, hostile, clock)
    client.get(hostile.url())
    clock.advance(300)
    client.get(hostile.url())
    assert [one[0] for one in asked(hostile)] == [JWT_BEARER, "refresh_token"]
    assert len(signatures) == 1


@pytest.mark.parametrize("wrong", [{"header": 7}, {"claims": "x"}, {"token_endpoint": "http://as.example/token"}])
def test_an_option_of_the_assertion_that_cannot_be_is_a_usage_error(adapter: Adapter, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        robot(adapter, **{"token_endpoint": "https://as.example/token", "issuer": ISSUER, "key": KEY, **wrong})


def test_an_assertion_session_without_a_key_is_a_usage_error(adapter: Adapter) -> None:
    with pytest.raises(UsageError, match="key"):
        robot(adapter, token_endpoint="https://as.example/token", issuer=ISSUER)


def test_the_embedded_provider_knows_its_robot(adapter: Adapter) -> None:
    public = {name: value for name, value in json.loads(KEY).items() if name in ("kty", "n", "e")}
    jwks = {"keys": [{**public, "kid": "rs256", "alg": "RS256"}]}
    with Provider(trusted_issuers={"https://robots.example": jwks}) as provider:
        client = robot(
            adapter, **_of_the_realm(provider.issuer, provider.token_endpoint), key=KEY, clock=provider.clock
        )
        assert client.get(provider.echo).status_code == 200


def test_keycloak_knows_its_robot(adapter: Adapter, keycloak: RealServer) -> None:
    endpoint = keycloak.issuer + "/protocol/openid-connect/token"
    key = (keycloak.keys / "rs256.pem").read_text()
    client = robot(adapter, **_of_the_realm(keycloak.issuer, endpoint), key=key)
    client.ensure_active_token()
    assert client.access_token
    stranger = robot(adapter, **{**_of_the_realm(keycloak.issuer, endpoint), "subject": "robot-8"}, key=key)
    with pytest.raises(InvalidGrant):
        stranger.ensure_active_token()


def _of_the_realm(issuer: str, endpoint: str) -> dict[str, Any]:
    return {
        "token_endpoint": endpoint,
        "issuer": "https://robots.example",
        "subject": "robot-7",
        "audience": issuer,
        "header": {"alg": "RS256", "kid": "rs256"},
        "client_id": "assertion-client",
        "client_secret": "assertion-secret",
    }


def claims_sent(hostile: Hostile) -> dict[str, Any]:
    return dict(unsafe_claims(hostile.token_requests[-1].form["assertion"]))


@pytest.mark.parametrize(
    ("options", "iat", "exp"),
    [
        ({}, 0, 60),
        ({"expires_in": 300}, 0, 300),
        ({"issued_at": -30}, -30, 30),
        ({"issued_at": -30, "expires_in": 3600}, -30, 3570),
        ({"expires_at": 120}, 0, 120),
        ({"issued_at": -30, "expires_at": 120.5}, -30, 120),
    ],
)
def test_the_times_of_an_assertion_are_options(
    adapter: Adapter, hostile: Hostile, clock: Clock, options: dict[str, float], iat: int, exp: int
) -> None:
    hostile.on("/token", token("at-1"))
    now = clock()
    moments = {name: value + (0 if name == "expires_in" else now) for name, value in options.items()}
    client = robot(adapter, token_endpoint=hostile.token_endpoint, issuer=ISSUER, key=KEY, clock=clock, **moments)
    client.fetch_token()
    claims = claims_sent(hostile)
    assert (claims["iat"], claims["exp"]) == (int(now + iat), int(now + exp))


def test_each_assertion_counts_its_lifetime_from_its_own_request(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    hostile.on("/token", token("at-1"))
    client = robot(adapter, token_endpoint=hostile.token_endpoint, issuer=ISSUER, key=KEY, clock=clock, expires_in=60)
    client.fetch_token()
    clock.advance(1000)
    client.fetch_token()
    assert claims_sent(hostile)["exp"] == int(clock()) + 60


def test_no_assertion_is_sent_after_its_fixed_expiry(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    hostile.on("/token", token("at-1"))
    options = {"token_endpoint": hostile.token_endpoint, "issuer": ISSUER, "key": KEY, "clock": clock}
    client = robot(adapter, **options, expires_at=clock() + 10)
    clock.advance(10)
    with pytest.raises(UsageError, match="expires_in="):
        client.fetch_token()
    assert hostile.received == []


@pytest.mark.parametrize(
    "wrong",
    [{"issued_at": "now"}, {"expires_at": True}, {"expires_in": 0}, {"expires_in": float("nan")}, {"expires_at": -1}],
)
def test_a_time_of_an_assertion_that_is_no_number_is_a_usage_error(adapter: Adapter, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        robot(adapter, token_endpoint="https://as.example/token", issuer=ISSUER, key=KEY, **wrong)


def test_two_ways_to_say_when_an_assertion_expires_are_a_usage_error(adapter: Adapter) -> None:
    with pytest.raises(UsageError, match="expires_at= and expires_in="):
        robot(adapter, token_endpoint="https://as.example/token", issuer=ISSUER, key=KEY, expires_at=1e9, expires_in=60)
