"""What `doorkey doctor` says about CORS is for information: only clients in a browser need it."""

import pytest

from doorkey.cli.doctor.cors import ORIGIN
from doorkey.cli.doctor.finding import Finding, Severity
from doorkey.dev import Provider
from tests.cli.doctor.issuers import DATE, KEYS, PLACE, GoodIssuer, audited
from tests.support.hostile_server import Exchange, Hostile, reply


@pytest.fixture
def issuer(hostile: Hostile) -> GoodIssuer:
    made = GoodIssuer(hostile)
    made.publish()
    return made


def cors(url: str) -> Finding:
    """The one finding about CORS of an audit that finds nothing else."""
    done = audited(url)
    assert [one for one in done.findings if one.severity in (Severity.FAILURE, Severity.WARNING)] == []
    (found,) = [one for one in done.findings if one.code.startswith("cors")]
    return found


def test_a_server_without_cors_is_told_so_and_is_not_warned(issuer: GoodIssuer) -> None:
    found = cors(issuer.issuer)
    assert (found.severity, found.code, found.fix) == (Severity.INFO, "cors_absent", "")
    assert "cannot read the metadata and the keys" in found.what
    origins = [one.header("origin") for one in issuer.server.received if one.header("origin")]
    assert origins == [ORIGIN, ORIGIN]


@pytest.mark.parametrize("allowed", ["*", ORIGIN])
def test_documents_that_every_script_may_read_are_good(issuer: GoodIssuer, allowed: str) -> None:
    header = ("Access-Control-Allow-Origin", allowed)
    issuer.server.on(PLACE, reply(json=issuer.metadata, headers=(*DATE, header)))
    issuer.server.on(KEYS, reply(json={"keys": issuer.keys}, headers=(header,)))
    assert cors(issuer.issuer).severity is Severity.OK


@pytest.mark.parametrize("allowed", [("https://app.example",), ("null",), ("*", "*"), (f"{ORIGIN}, *",)])
def test_a_header_that_no_browser_accepts_is_none(issuer: GoodIssuer, allowed: tuple[str, ...]) -> None:
    headers = tuple(("Access-Control-Allow-Origin", one) for one in allowed)
    issuer.server.on(PLACE, reply(json=issuer.metadata, headers=(*DATE, ("Access-Control-Allow-Origin", "*"))))
    issuer.server.on(KEYS, reply(json={"keys": issuer.keys}, headers=headers))
    assert "cannot read the keys (CORS)" in cors(issuer.issuer).what


def test_a_server_that_rejects_an_unknown_origin_fails_no_other_check(issuer: GoodIssuer) -> None:
    def answer(exchange: Exchange) -> None:
        is_script = exchange.request.header("origin") is not None
        exchange.send(reply(403) if is_script else reply(json=issuer.metadata, headers=DATE))

    issuer.server.on(PLACE, answer)
    assert cors(issuer.issuer).code == "cors_absent"


def test_the_embedded_provider_lets_every_script_read_its_documents() -> None:
    with Provider() as provider:
        done = audited(provider.issuer)
    assert "cors" in [one.code for one in done.findings if one.severity is Severity.OK]
