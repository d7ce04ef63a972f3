"""The reason for a missing response, as text. The HTTP libraries nest it in several exceptions."""

from __future__ import annotations

import errno
import socket
import ssl
from typing import Final

from doorkey.transport.scrubbed_causes import all_in
from doorkey.transport.tls_errors import why_tls_failed

_BY_TYPE: Final = (
    (socket.gaierror, "the host name cannot be resolved: check its spelling, and the DNS of this machine"),
    (ConnectionRefusedError, "connection refused: no server listens at this address and port"),
    (ConnectionResetError, "the server closed the connection before its response was complete"),
    (BrokenPipeError, "the server closed the connection before the request was sent"),
)
_CLOSED: Final = (
    None,
    *(words for kind, words in _BY_TYPE if issubclass(kind, ConnectionResetError | BrokenPipeError)),
)
_IS_IT_THE_CERTIFICATE: Final = "; does the client have a certificate that the server accepts? It is given by "
_BY_NUMBER: Final = {
    errno.ENETUNREACH: "the network is unreachable from this machine",
    errno.EHOSTUNREACH: "the host is unreachable from this machine",
}
_BY_NAME: Final = {
    "ConnectTimeout": "no connection within the timeout",
    "ReadTimeout": "no response within the timeout",
    "WriteTimeout": "the request could not be sent within the timeout",
    "PoolTimeout": "no connection of the client's pool became free within the timeout",
    "RemoteProtocolError": "the server closed the connection, or its response is not HTTP",
    "ServerDisconnectedError": "the server closed the connection before its response was complete",
    "ClientPayloadError": "the server closed the connection before its response was complete",
    "ClientResponseError": "the response is not HTTP",
    "ConnectionTimeoutError": "no connection within the timeout",
    "SocketTimeoutError": "no response within the timeout",
}
"""By the names of exceptions that requests, httpx2 and httpx share, and those of aiohttp."""


def tls_error_in(error: BaseException) -> ssl.SSLError | None:
    """Return the TLS error that caused `error`, or None."""
    pending = (ssl.SSLWantReadError, ssl.SSLWantWriteError)  # not failures: asyncio and trio wait and try again
    return next((one for one in all_in(error) if isinstance(one, ssl.SSLError) and not isinstance(one, pending)), None)


def reason_of(error: Exception, authority: str, certificate: str, *, needs_certificate: bool = False) -> str:
    """Return the reason of `error`, to follow the server's name: ``: connection refused…``, or its type in parentheses.

    authority, certificate: as for `why_tls_failed`.
    needs_certificate: True if the client had to present its certificate. A server that gets none may close the
        connection, so the message then mentions the certificate.
    """
    failed = tls_error_in(error)
    hint = _IS_IT_THE_CERTIFICATE + certificate if needs_certificate else ""
    if failed is not None:
        tls_hint = hint if isinstance(failed, ssl.SSLEOFError) else ""
        return f": {why_tls_failed(failed, authority, certificate)}{tls_hint}"
    through = " through the proxy" if any(type(one).__name__ == "ProxyError" for one in all_in(error)) else ""
    words = next((found for one in all_in(error) if (found := _words_of(one))), None)
    reason = f"{through} ({type(error).__name__})" if words is None else f"{through}: {words}"
    return reason + hint if words in _CLOSED else reason


def _words_of(error: BaseException) -> str | None:
    named = _BY_NAME.get(type(error).__name__)
    if named is not None:
        return named
    if isinstance(error, OSError) and error.errno in _BY_NUMBER:
        return _BY_NUMBER[error.errno]
    return next((words for kind, words in _BY_TYPE if isinstance(error, kind)), None)
