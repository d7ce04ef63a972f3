"""The certificates of a provider that serves HTTPS: an authority and a server certificate, new for each start."""

from __future__ import annotations

import datetime
import ipaddress
import shutil
import ssl
import tempfile
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from doorkey.errors import UsageError, printable

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
DAYS = 30

_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "doorkey test authority")])


class Certificates:
    """A new certificate authority, and a server certificate that it issued.

    names: the DNS names and IP addresses of the server.

    The attribute `ca_file` is the path of the authority's certificate in PEM. The file exists until `close`. The
    authority's private key is in no file, and the server's only while Python loads it. The validity follows the clock
    of the machine, because TLS libraries use that clock. Raises `UsageError` for a name that a certificate cannot
    contain.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="doorkey-"))  # mode 0700
        try:
            authority = ec.generate_private_key(ec.SECP256R1())
            own = ec.generate_private_key(ec.SECP256R1())
            root = _authority(authority)
            self.ca_file = str(self._folder / "ca.pem")
            Path(self.ca_file).write_bytes(root.public_bytes(serialization.Encoding.PEM))
            self._server = self._context_of(_server(own, list(dict.fromkeys(names)), authority), own)
        except BaseException:
            self.close()
            raise

    @property
    def server_context(self) -> ssl.SSLContext:
        """The TLS context of the server."""
        return self._server

    def client_context(self, *, system: bool = False) -> ssl.SSLContext:
        """Return a TLS context that trusts only this authority, or with `system` also those of the machine."""
        context = ssl.create_default_context(cafile=self.ca_file)
        if system:
            context.load_default_certs()
        return context

    def close(self) -> None:
        """Remove `ca_file`."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _context_of(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        pem = self._folder / "server.pem"
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        try:
            pem.touch(mode=0o600)
            pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
            context.load_cert_chain(pem)  # Python can load a key only from a file
        finally:
            pem.unlink(missing_ok=True)
        return context


def _authority(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    return (
        _builder(_NAME, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _server(
    key: ec.EllipticCurvePrivateKey, names: list[str], authority: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "doorkey test provider")])
    return (
        _builder(subject, key.public_key())
        .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(identifier, critical=False)
        .sign(authority, hashes.SHA256())
    )


def _builder(subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(_NAME)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=DAYS))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        return x509.DNSName(name)
    except ValueError:
        raise UsageError(f"{printable(name, 80)!r} is not a host name that a certificate can contain") from None
