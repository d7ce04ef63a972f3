"""One HTTP request to an address that the caller chooses, without redirects, cookies and proxies."""

from __future__ import annotations

import http.client
import ssl
from urllib.parse import urlsplit

from doorkey.errors import TransportError, scrubbed
from doorkey.wire.messages import Request, Response

MAX_RESPONSE = 1024 * 1024


def sent(request: Request, address: tuple[str, int], tls: ssl.SSLContext | None, timeout: float) -> Response:
    """Return the response to `request` from the server at `address`, a host and a port.

    The URL of the request only determines its `Host` and its path.

    tls: the TLS context; the certificate is checked for the host of the URL. None: no TLS.
    timeout: seconds for each step of the connection.

    Raises `TransportError` if there is no response, or if its body is longer than `MAX_RESPONSE` bytes.
    """
    parts = urlsplit(request.url)
    connection = http.client.HTTPConnection(*address, timeout=timeout)
    try:
        connection.connect()
        if tls is not None:
            connection.sock = tls.wrap_socket(connection.sock, server_hostname=parts.hostname)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {"Host": parts.netloc, "Connection": "close", **dict(request.headers)}
        connection.request(request.method, target, request.content or None, headers)
        answer = connection.getresponse()
        body = answer.read(MAX_RESPONSE + 1)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise TransportError(f"no response from {parts.netloc} ({type(error).__name__})") from scrubbed(error)
    finally:
        connection.close()
    if len(body) > MAX_RESPONSE:
        raise TransportError(f"the response from {parts.netloc} is too long")
    return Response(answer.status, tuple(answer.getheaders()), body)
