"""Requests that need the client's certificate (mutual TLS, RFC 8705), and HTTP clients that certainly have none.

No HTTP library reports whether an SSL context has a certificate. So a missing certificate is found before the request
is sent only on requests, whose sessions have the option `cert`, and on the clients that doorkey creates itself.
"""

from __future__ import annotations

from typing import Any, Final

from doorkey.errors import UsageError
from doorkey.wire.messages import Request
from doorkey.wire.urls import shown_url

MADE_HERE: Final = "http_client=, an HTTP client that has the certificate"
_OF_POOLS: Final = ("cert_file", "ssl_context")


def no_certificate(url: str, fix: str) -> UsageError:
    """Return the error for a client without a certificate; `fix` names the option for it."""
    return UsageError(
        f"{shown_url(url)} expects the client's certificate in the TLS connection (RFC 8705), and the HTTP client has "
        f"none: give it by {fix}"
    )


def may_have_certificate(session: Any, url: str) -> bool:
    """Return whether the transport adapter of a session of requests may have a certificate, or `url` needs none.

    An adapter of the program's own may have one, and so may an adapter whose pools have an SSL context. Plain http goes
    to a proxy on this machine, which may present the certificate in its own connection.
    """
    from requests.adapters import HTTPAdapter

    adapter = session.get_adapter(url)
    pools: Any = getattr(getattr(adapter, "poolmanager", None), "connection_pool_kw", {})
    return not url.startswith("https:") or type(adapter) is not HTTPAdapter or any(name in pools for name in _OF_POOLS)


def needs_another_client(request: Request) -> bool:
    """Return whether `request` needs a certificate. The clients that doorkey creates have none."""
    return request.needs_certificate and request.url.startswith("https:")
