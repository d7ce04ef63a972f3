"""The reason why there is no response, as text: the HTTP libraries keep it several exceptions deep."""

from __future__ import annotations

import errno
import socket
import ssl
from typing import Final

from doorkey.transport.causes import all_in
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
"""The names that requests, httpx2 and httpx share, and those of aiohttp."""


def tls_error_in(error: BaseException) -> ssl.SSLError | None:
    """Return the TLS error that `error` comes from, if there is one."""
    pending = (ssl.SSLWantReadError, ssl.SSLWantWriteError)  # no failure: asyncio and trio wait after them
    return next((one for one in all_in(error) if isinstance(one, ssl.SSLError) and not isinstance(one, pending)), None)


def reason_of(error: Exception, authority: str, certificate: str, *, needs_certificate: bool = False) -> str:
    """Return why `error` occurred, to follow the server's name: ``: connection refused…``, or its type in parentheses.

    `authority` and `certificate` are as for `why_tls_failed`. `needs_certificate`: the client had to prove its
    certificate; a server that gets none may close the connection.
    """
    failed = tls_error_in(error)
    asks = _IS_IT_THE_CERTIFICATE + certificate if needs_certificate else ""
    if failed is not None:
        told = asks if isinstance(failed, ssl.SSLEOFError) else ""
        return f": {why_tls_failed(failed, authority, certificate)}{told}"
    through = " through the proxy" if any(type(one).__name__ == "ProxyError" for one in all_in(error)) else ""
    words = next((found for one in all_in(error) if (found := _words_of(one))), None)
    told = f"{through} ({type(error).__name__})" if words is None else f"{through}: {words}"
    return told + asks if words in _CLOSED else told


def _words_of(error: BaseException) -> str | None:
    named = _BY_NAME.get(type(error).__name__)
    if named is not None:
        return named
    if isinstance(error, OSError) and error.errno in _BY_NUMBER:
        return _BY_NUMBER[error.errno]
    return next((words for kind, words in _BY_TYPE if isinstance(error, kind)), None)
