"""Names of a test's own, and a server that proves to be one of them: its authority is in `trusted`."""

import datetime
import ipaddress
import socket
import ssl
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.hostile_server import Hostile

NAME = "as.example"

PLAIN_LOOKUP = socket.getaddrinfo
"""The system's, before any test has put something in its place."""


class Names:
    """Answers lookups as the test says; `asked` holds the names that were looked up, in order."""

    def __init__(self, others: Any) -> None:
        self._others = others
        self._answers: dict[str, deque[tuple[str, ...]]] = {}
        self.asked: list[str] = []

    def lead(self, name: str, *answers: str | Iterable[str]) -> None:
        """Answer lookups of `name` so, one after the other (an address, or several); the last answer stays."""
        self._answers[name] = deque((one,) if isinstance(one, str) else tuple(one) for one in answers)

    def lookup(self, host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        """Stand in for `socket.getaddrinfo`."""
        host = host.decode() if isinstance(host, bytes) else host
        if host not in self._answers:
            return self._others(host, port, *args, **kwargs)
        self.asked.append(host)
        left = self._answers[host]
        answer = left.popleft() if len(left) > 1 else left[0]
        return [found for one in answer for found in PLAIN_LOOKUP(one, port, type=socket.SOCK_STREAM)]


class Authority:
    """A certificate authority that no system trusts; `path` is its certificate, `trusted` a context that knows it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _named("doorkey's tests")
        made = self._certificate(self._name, self._key)
        made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        made = made.add_extension(_SIGNS, critical=True)
        self.path = folder / "authority.pem"
        self.path.write_bytes(made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    @property
    def trusted(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.path)

    def proof(self, name: str, *, days: tuple[int, int] = (-1, 1), clients: bool = False) -> ssl.SSLContext:
        """Return the context of a server that can prove to be `name` (a host, or an IP address), and no other.

        The certificate is valid between these `days` from now. With `clients`, clients need one too.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.identity(name, days=days))
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.path)
        return context

    def identity(self, name: str, *, days: tuple[int, int] = (-1, 1)) -> Path:
        """Return the file with a certificate for `name` and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        made = self._certificate(_named(name), key, days)
        made = made.add_extension(x509.SubjectAlternativeName([_general(name)]), critical=False)
        pem = self._folder / f"{name}.pem"
        pem.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            + made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        )
        return pem

    def _certificate(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, days: tuple[int, int] = (-1, 1)
    ) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        day = datetime.timedelta(days=1)
        own = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = x509.CertificateBuilder(self._name, subject, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now + days[0] * day).not_valid_after(now + days[1] * day)
        return builder.add_extension(own, critical=False).add_extension(issuer, critical=False)


_SIGNS = x509.KeyUsage(
    key_cert_sign=True,
    **dict.fromkeys(
        (
            *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
            *("crl_sign", "encipher_only", "decipher_only"),
        ),
        False,
    ),
)


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Proven(Hostile):
    """A `Hostile` behind TLS; `asked_for` holds the names that clients asked it to be (SNI), one for each handshake.

    `known_as` holds who the clients have proven to be.
    """

    def __init__(self, proof: ssl.SSLContext, name: str) -> None:
        self.asked_for: list[str | None] = []
        self.known_as: list[str | None] = []
        self._name, self._proof = name, proof
        proof.sni_callback = lambda _socket, name, _context: self.asked_for.append(name)
        super().__init__()

    def url(self, path: str = "/api", *, host: str | None = None) -> str:
        return f"https://{host or self._name}:{self.port}{path}"

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError), self._proof.wrap_socket(connection, server_side=True) as proven:
            self.known_as.append(_common_name(proven))
            with self._lock:
                self._connections.add(proven)
            super()._serve(proven)


def _common_name(proven: ssl.SSLSocket) -> str | None:
    """Return whose certificate the client has shown."""
    shown: Any = proven.getpeercert() or {}
    return next((value for part in shown.get("subject", ()) for key, value in part if key == "commonName"), None)
