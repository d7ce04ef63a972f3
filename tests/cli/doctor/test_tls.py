"""The audit of a TLS connection: which certificate is wrong, why, and since when."""

import ssl
import time
from collections.abc import Generator
from contextlib import contextmanager

import httpx2
import pytest

from doorkey.cli.doctor.connection import check_connection
from doorkey.cli.doctor.fetching import Connection
from doorkey.cli.doctor.finding import Severity
from tests.cli.doctor.issuers import NOW, GoodIssuer, audited, codes, failures
from tests.support.named_servers import Authority, Proven


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@contextmanager
def serving(authority: Authority, days: tuple[int, int] = (-1, 90), name: str = "localhost") -> Generator[Proven]:
    server = Proven(authority.proof(name, days=days), "localhost")
    try:
        yield server
    finally:
        server.close()


def test_a_server_with_a_good_certificate_is_audited_over_tls(authority: Authority) -> None:
    with serving(authority) as server, httpx2.Client(verify=authority.trusted) as client:
        issuer = GoodIssuer(server)
        done = issuer.audited(http_client=client, tls=authority.trusted)
    assert codes(done) == []
    (tls,) = [one for one in done.findings if one.code == "tls"]
    assert "TLSv1.3" in tls.what


def test_an_expired_certificate_is_named_with_the_time_of_its_expiry(authority: Authority) -> None:
    with serving(authority, days=(-10, -2)) as server:
        done = audited(server.url(""), clock=time.time, tls=authority.trusted)
        assert server.received == [], "nothing is sent over a connection that is not proven"
    (finding,) = [one for one in done.findings if one.severity is Severity.FAILURE]
    assert finding.code == "certificate_expired"
    assert "expired 2 days ago: 20" in finding.what


def test_a_certificate_that_expires_soon_is_a_warning(authority: Authority) -> None:
    with serving(authority, days=(-1, 5)) as server, httpx2.Client(verify=authority.trusted) as client:
        issuer = GoodIssuer(server)
        issuer.publish()
        done = audited(issuer.issuer, clock=time.time, http_client=client, tls=authority.trusted)
    assert "certificate_expires_soon" in codes(done, Severity.WARNING)


@pytest.mark.parametrize(
    ("trusts", "name", "words"),
    [(False, "localhost", "not trusted"), (True, "other.example", "for another host name")],
)
def test_a_certificate_that_this_machine_does_not_accept_is_named_with_the_reason(
    authority: Authority, trusts: bool, name: str, words: str
) -> None:
    with serving(authority, name=name) as server:
        done = audited(server.url(""), tls=authority.trusted if trusts else ssl.create_default_context())
    assert failures(done) == ["tls_failed"]
    assert words in "".join(one.what for one in done.findings)


def test_a_port_on_which_nothing_listens_is_named(authority: Authority) -> None:
    with serving(authority) as server:
        url = server.url("")
    done = audited(url, tls=authority.trusted)
    assert failures(done) == ["tls_failed"]
    assert "cannot be reached" in done.findings[0].what


def test_an_old_version_of_tls_is_a_failure() -> None:
    found = check_connection("https://as.example", Connection("TLSv1.1", NOW + 1e7), NOW)
    assert [one.code for one in found if one.severity is Severity.FAILURE] == ["tls_old"]
