"""Runs an audit: sends its requests within bounds, and opens its TLS connections."""

from __future__ import annotations

import socket
import ssl
from typing import Any, Final, TypeVar

from cryptography import x509

from doorkey.cli.doctor.fetching import Connect, Connection
from doorkey.errors import UsageError
from doorkey.runtime.deadline import within
from doorkey.transport.made_clients import own_tls_context
from doorkey.transport.senders import Sender
from doorkey.transport.tls_errors import why_tls_failed
from doorkey.wire.flow import Flow, run
from doorkey.wire.limits import ExchangePolicy
from doorkey.wire.messages import Request

T = TypeVar("T")

DEADLINE: Final = 10.0
_AUTHORITY: Final = "the environment variable SSL_CERT_FILE"
_CERTIFICATE: Final = "another program, because doorkey doctor cannot send one"


class Auditor:
    """Performs the effects of an audit.

    http_client: sends the requests; None creates a client.
    deadline: seconds for each request, and for each step of a TLS connection, whose total limit is three times that.
    tls: verifies the certificate of the TLS connection; None: the trusted authorities of clients that doorkey creates.
    """

    def __init__(self, http_client: Any = None, deadline: float = DEADLINE, tls: ssl.SSLContext | None = None) -> None:
        self._deadline, self._tls = deadline, tls
        self._sender = Sender(http_client, ExchangePolicy(deadline=deadline))

    def run(self, flow: Flow[T]) -> T:
        """Run `flow`, close a client that was created here, and return the result. Raises the errors of the flow."""
        try:
            return run(flow, self._perform)
        finally:
            self._sender.close()

    def _perform(self, effect: Any) -> Any:
        match effect:
            case Request():
                return self._sender.send(effect)
            case Connect():
                tls = own_tls_context() if self._tls is None else self._tls
                seconds = self._deadline
                return within(3 * seconds, lambda: connection(effect.host, effect.port, tls, seconds))
            case _:
                raise UsageError(f"an audit cannot perform {type(effect).__name__}")


def connection(host: str, port: int, tls: ssl.SSLContext, deadline: float) -> Connection:
    """Return the facts about a TLS connection that `tls` verifies. `deadline`: seconds for each step of it."""
    try:
        return _connected(host, port, tls, deadline)
    except ssl.SSLCertVerificationError as error:
        problem = why_tls_failed(error, _AUTHORITY, _CERTIFICATE)
        unverified = _unverified(host, port, deadline)
        return Connection(unverified.version, unverified.expires, problem)
    except ssl.SSLError as error:
        return Connection(problem=why_tls_failed(error, _AUTHORITY, _CERTIFICATE))
    except UnicodeError:  # Python does not look up a name with an empty or a too long label
        return Connection(problem="it cannot be reached (no host has this name)")
    except OSError as error:
        return Connection(problem=f"it cannot be reached ({error.strerror or type(error).__name__})")


def _unverified(host: str, port: int, deadline: float) -> Connection:
    """Return the facts about a connection without verification. No request is sent over it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # only to read the expiry of the rejected certificate
    try:
        return _connected(host, port, context, deadline)
    except OSError:
        return Connection()


def _connected(host: str, port: int, tls: ssl.SSLContext, deadline: float) -> Connection:
    with (
        socket.create_connection((host, port), timeout=deadline) as plain,
        tls.wrap_socket(plain, server_hostname=host) as secured,
    ):
        return _facts(secured.getpeercert(binary_form=True), secured.version())


def _facts(der: bytes | None, version: str | None) -> Connection:
    if der is None:
        return Connection(version)
    try:
        certificate = x509.load_der_x509_certificate(der)
        expires = certificate.not_valid_after_utc.timestamp()
    except ValueError:  # a certificate that OpenSSL accepts, and this library does not
        return Connection(version)
    return Connection(version, expires)
