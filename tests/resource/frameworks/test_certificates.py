"""Tokens that are bound to a client certificate, with the certificate of the server or of a proxy (RFC 8705 §3)."""

from __future__ import annotations

import secrets
from base64 import b64encode
from urllib.parse import quote

import pytest

from doorkey.protocol.certificate_binding import certificate_thumbprint
from doorkey.resource.client_certificates import certificate_header
from tests.resource.frameworks.conftest import Make
from tests.support.framework_requests import Call, bearer
from tests.support.guarded_apis import Api
from tests.support.resource_server import token

DER, OTHER = secrets.token_bytes(300), secrets.token_bytes(300)
"""Only the bytes of a certificate count: the TLS server has verified it."""


def pem(der: bytes) -> str:
    text = b64encode(der).decode()
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"


def bound() -> str:
    return token(cnf={"x5t#S256": certificate_thumbprint(DER)})


def test_the_certificate_of_the_connection_is_used_on_request(make: Make) -> None:
    api = make(client_certificate="tls")
    assert api(bearer(bound(), certificate=pem(DER))).status == 200
    assert api(bearer(bound(), certificate=pem(OTHER))).status == 401
    assert api(bearer(bound())).status == 401
    assert api(bearer(token())).status == 200


def test_no_certificate_is_looked_for_by_default(make: Make) -> None:
    assert make()(bearer(bound(), certificate=pem(DER))).status == 401


def with_header(value: str, name: str = "X-Client-Cert") -> Call:
    return Call("/any", headers=(("Authorization", f"Bearer {bound()}"), (name, value)))


def test_the_certificate_comes_from_the_header_of_a_proxy_on_request(make: Make) -> None:
    api = make(client_certificate=certificate_header("X-Client-Cert"))
    assert api(with_header(quote(pem(DER)))).status == 200
    assert api(with_header(quote(pem(OTHER)))).status == 401
    assert api(with_header("garbage")).status == 401
    assert api(with_header(quote(pem(DER)), "X-Other")).status == 401


@pytest.mark.parametrize(
    "value",
    [
        quote(pem(DER)),
        quote(pem(DER), safe=""),
        pem(DER).replace("\n", " "),
        f":{b64encode(DER).decode()}:",
        b64encode(DER).decode(),
    ],
    ids=["nginx escaped", "all escaped", "blanks", "RFC 9440", "base64"],
)
def test_the_forms_of_proxies_are_read(value: str) -> None:
    assert certificate_header()((("Accept", "*/*"), ("client-cert", value))) == DER


@pytest.mark.parametrize("value", ["", "  "])
def test_an_empty_header_is_no_certificate(value: str) -> None:
    assert certificate_header()((("Client-Cert", value),)) is None
    assert certificate_header()(()) is None


def test_a_malformed_header_and_one_that_is_there_twice_name_no_certificate_of_a_token() -> None:
    read = certificate_header()
    good = b64encode(DER).decode()
    assert read((("Client-Cert", "%%%"),)) == b""
    assert read((("Client-Cert", "é" * 40),)) == b""
    assert read((("Client-Cert", good), ("client-cert", good))) == b""


def test_a_function_of_the_program_reads_its_own_header(make: Make) -> None:
    def der(headers: tuple[tuple[str, str], ...]) -> bytes | None:
        return DER if {name.lower(): value for name, value in headers}.get("x-verified") == "yes" else None

    api: Api = make(client_certificate=der)
    assert api(with_header("yes", "X-Verified")).status == 200
    assert api(with_header("no", "X-Verified")).status == 401
