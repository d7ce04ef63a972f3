"""oidc-provider from npm: OpenID certified, nearly every feature on. Any user logs in, with any password.

Clients, and the settings it takes (`PROFILE=nonce|par|fapi2`, `TTL_ACCESS=2`, …): the head of
oidc_provider_app/server.mjs. Private keys that tests sign with: `client-keys.json` in the keys folder.
"""

import datetime
import ipaddress
import os
import shutil
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.servers.base import Launch, Server
from tests.servers.prerequisites import node, npm
from tests.servers.process import digest, locked, run
from tests.servers.signing_keys import ec_key

APP = Path(__file__).parent / "oidc_provider_app"


class OidcProvider(Server):
    """See the head of this file. With `tls`: https under a made-up CA, and client certificates (mTLS)."""

    name = "oidc-provider"
    megabytes = 2

    def fingerprint(self) -> str:
        """Other packages or another Node.js."""
        return digest(APP / "package-lock.json", str(node()))

    def install(self) -> None:
        """Exactly what the lock file names, no scripts of theirs."""
        for name in ("package.json", "package-lock.json"):
            shutil.copy(APP / name, self.home / name)
        quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
        path = os.pathsep.join([str(node().parent), os.environ.get("PATH", "")])
        run(*npm(), "ci", *quiet, cwd=self.home, env={**os.environ, "PATH": path})

    def prepare(self) -> Launch:
        """The script runs below the installed node_modules, where Node.js looks for them."""
        script = self.state / "server.mjs"
        shutil.copy(APP / "server.mjs", script)
        environment = {
            "PORT": str(self.port),
            "ISSUER": self.origin,
            "KEY_DIR": str(self.keys),
            "QUIET": "1",
        }
        if self.tls:
            folder = self.home / "tls"
            with locked(self.home / "lock"):
                make_certificates(folder)
            environment["TLS_DIR"], self.ca = str(folder), folder / "ca.crt"
        return Launch([node(), script], environment, self.state)


def make_certificates(folder: Path) -> None:
    """A CA, a server certificate for 127.0.0.1 and localhost, and a client certificate; made once."""
    if (folder / "client.crt").exists():
        return
    loopback = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    ca_key = ec_key(folder / "ca.key")
    ca = _certificate(folder / "ca.crt", "test CA", ca_key, None, [], None)
    ends: list[tuple[str, str, x509.ObjectIdentifier, list[x509.GeneralName]]] = [
        ("server", "127.0.0.1", ExtendedKeyUsageOID.SERVER_AUTH, [loopback, x509.DNSName("localhost")]),
        ("client", "client.example", ExtendedKeyUsageOID.CLIENT_AUTH, [x509.DNSName("client.example")]),
    ]
    for name, subject, usage, names in ends:
        key = ec_key(folder / f"{name}.key")
        _certificate(folder / f"{name}.crt", subject, key, (ca, ca_key), names, usage)


def _certificate(
    path: Path,
    subject: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None,
    names: list[x509.GeneralName],
    usage: x509.ObjectIdentifier | None,
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
    now = datetime.datetime.now(datetime.UTC)
    signer = issuer[1] if issuer else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer[0].subject if issuer else name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=issuer is not None,
                key_cert_sign=issuer is None,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    if usage:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    certificate = builder.sign(signer, hashes.SHA256())
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return certificate
