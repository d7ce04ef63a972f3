"""Assertion sessions that know their authorization server by its issuer, and the plain http that they may use."""

from typing import Any

import pytest

from doorkey import Issuer
from doorkey.errors import UsageError
from doorkey.jose.generation import generate_key
from doorkey.jose.verification import unsafe_claims
from doorkey.wire.limits import ExchangePolicy
from tests.support.every_adapter import Adapter
from tests.support.hostile_server import Hostile, reply, token
from tests.support.named_servers import Names
from tests.support.service_accounts import robot

KEY = generate_key("ES256")
CONFIGURATION = "/.well-known/openid-configuration"


@pytest.fixture
def issuer(hostile: Hostile) -> str:
    """An authorization server that publishes its metadata."""
    issuer = hostile.url("")
    hostile.on(CONFIGURATION, reply(json={"issuer": issuer, "token_endpoint": hostile.url("/here")}))
    hostile.on("/here", token("at-1", expires_in=0), token("at-2"))
    return issuer


def claims_sent(hostile: Hostile) -> dict[str, Any]:
    return dict(unsafe_claims(hostile.to("/here")[-1].form["assertion"]))


def test_the_server_is_discovered_once_on_first_use(adapter: Adapter, hostile: Hostile, issuer: str) -> None:
    client = robot(adapter, issuer=issuer, client_id="robot-7", subject="robot-7", key=KEY)
    assert hostile.received == []
    client.get(hostile.url())
    assert client.fetch_token()["access_token"] == "at-2"
    assert [one.path for one in hostile.received] == [CONFIGURATION, "/here", "/api", "/here"]
    claims = claims_sent(hostile)
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("robot-7", "robot-7", issuer)


def test_the_issuer_of_the_assertion_may_be_another(adapter: Adapter, hostile: Hostile, issuer: str) -> None:
    client = robot(adapter, issuer=issuer, assertion_issuer="https://robots.example", key=KEY)
    client.fetch_token()
    assert (claims_sent(hostile)["iss"], claims_sent(hostile)["aud"]) == ("https://robots.example", issuer)
    assert "client_id" not in hostile.to("/here")[0].form


def test_an_issuer_that_the_program_shares_is_discovered_once_for_all(
    adapter: Adapter, hostile: Hostile, issuer: str
) -> None:
    shared = Issuer(issuer)
    for options in ({"client_id": "robot-7"}, {"assertion_issuer": "robot-7"}):
        robot(adapter, issuer=shared, key=KEY, **options).fetch_token()
        assert (claims_sent(hostile)["iss"], claims_sent(hostile)["aud"]) == ("robot-7", issuer)
    assert len(hostile.to(CONFIGURATION)) == 1


def test_the_document_that_describes_the_server_may_be_named(adapter: Adapter, hostile: Hostile, issuer: str) -> None:
    robot(adapter, issuer="robots", server_metadata_url=issuer + CONFIGURATION, key=KEY).fetch_token()
    assert (claims_sent(hostile)["iss"], claims_sent(hostile)["aud"]) == ("robots", issuer)


def test_a_token_endpoint_makes_the_issuer_that_of_the_assertion(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/here", token("at-1"))
    endpoint = hostile.url("/here")
    for options in ({"token_endpoint": endpoint}, {"token_url": endpoint}, {"metadata": {"token_endpoint": endpoint}}):
        robot(adapter, issuer="https://robots.example", key=KEY, **options).fetch_token()
        assert (claims_sent(hostile)["iss"], claims_sent(hostile)["aud"]) == ("https://robots.example", endpoint)


def test_beside_metadata_the_issuer_may_be_that_of_the_server(adapter: Adapter, hostile: Hostile, issuer: str) -> None:
    metadata = {"issuer": issuer, "token_endpoint": hostile.url("/here")}
    robot(adapter, issuer=issuer, metadata=metadata, client_id="robot-7", key=KEY).fetch_token()
    assert (claims_sent(hostile)["iss"], claims_sent(hostile)["aud"]) == ("robot-7", issuer)
    robot(adapter, issuer="https://robots.example", metadata=metadata, key=KEY).fetch_token()
    assert (claims_sent(hostile)["iss"], claims_sent(hostile)["aud"]) == ("https://robots.example", issuer)


def test_beside_the_issuer_of_the_assertion_both_endpoint_and_server_may_be_named(
    adapter: Adapter, hostile: Hostile, issuer: str
) -> None:
    known = {"token_endpoint": hostile.url("/here"), "issuer": issuer, "assertion_issuer": "robots"}
    robot(adapter, **known, key=KEY).fetch_token()
    assert (claims_sent(hostile)["iss"], claims_sent(hostile)["aud"]) == ("robots", issuer)
    assert hostile.to(CONFIGURATION) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({}, "token_endpoint=.* or the server's URL as issuer="),
        ({"issuer": "robot@project.example"}, "token_endpoint=.* or the server's URL as issuer="),
        ({"issuer": "https://as.example"}, "give assertion_issuer="),
        ({"token_endpoint": "https://as.example/token"}, "give assertion_issuer="),
        ({"issuer": "http://as.example", "client_id": "c"}, "must be https"),
    ],
)
def test_a_server_or_an_issuer_that_is_missing_is_named(adapter: Adapter, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        robot(adapter, **options, key=KEY)


@pytest.mark.parametrize("way", ["token_endpoint", "issuer"])
def test_plain_http_reaches_the_hosts_that_the_policy_names_and_no_other(
    adapter: Adapter, hostile: Hostile, names: Names, way: str
) -> None:
    names.lead("keycloak", "127.0.0.1")
    issuer, endpoint = (hostile.url(path, host="keycloak") for path in ("", "/here"))
    hostile.on(CONFIGURATION, reply(json={"issuer": issuer, "token_endpoint": endpoint}))
    hostile.on("/here", token("at-1"))
    server = {"token_endpoint": endpoint} if way == "token_endpoint" else {"issuer": issuer}
    options = {**server, "assertion_issuer": "robots", "key": KEY}
    for policy in (None, ExchangePolicy(), ExchangePolicy(http_hosts={"another"})):
        with pytest.raises(UsageError, match="http_hosts"):
            robot(adapter, **options, exchange=policy)
    assert hostile.received == []
    client = robot(adapter, **options, exchange=ExchangePolicy(http_hosts={"keycloak"}))
    assert client.fetch_token()["access_token"] == "at-1"
