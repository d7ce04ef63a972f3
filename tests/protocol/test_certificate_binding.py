"""The thumbprint of a client certificate (RFC 8705 §3.1)."""

import datetime
import hashlib
from base64 import urlsafe_b64encode
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from doorkey.errors import UsageError
from doorkey.protocol.certificate_binding import certificate_thumbprint


@pytest.fixture(scope="module")
def certificate() -> x509.Certificate:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "client")])
    begin = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(begin).not_valid_after(begin + datetime.timedelta(days=1))
    return builder.sign(key, hashes.SHA256())


def test_it_is_the_hash_of_the_der_form_whatever_form_is_given(certificate: x509.Certificate) -> None:
    der = certificate.public_bytes(serialization.Encoding.DER)
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    expected = urlsafe_b64encode(hashlib.sha256(der).digest()).decode().rstrip("=")
    chain = pem + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    assert {certificate_thumbprint(form) for form in (der, pem, pem.decode(), chain)} == {expected}
    assert len(expected) == 43


@pytest.mark.parametrize(
    "given",
    [
        "",
        "x",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----\nA=A\n-----END CERTIFICATE-----",
        b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
    ],
)
def test_text_that_is_no_certificate_is_an_error(given: Any) -> None:
    with pytest.raises(UsageError, match="client certificate"):
        certificate_thumbprint(given)
