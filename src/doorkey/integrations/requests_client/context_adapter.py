"""`verify=` as an `ssl.SSLContext`. requests does not support this, but its transport adapters do."""

from __future__ import annotations

import ssl
from typing import Any

from requests.adapters import HTTPAdapter


class ContextAdapter(HTTPAdapter):
    """A transport adapter whose TLS connections use `context`, with its CA certificates and no others.

    Only ``verify=False`` of a request disables the verification.
    """

    __attrs__ = (*HTTPAdapter.__attrs__, "context")

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context = context
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Create the pools of direct connections, with the context."""
        super().init_poolmanager(*args, **{**options, "ssl_context": self.context})

    def proxy_manager_for(self, proxy: Any, **options: Any) -> Any:
        """Create the pools of connections through a proxy, with the context."""
        return super().proxy_manager_for(proxy, **{**options, "ssl_context": self.context})

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Set the client certificate. The context verifies the certificate of the server."""
        own: Any = super()
        own.cert_verify(conn, url, verify, cert)
        if verify is not False:  # a path may come from an environment variable, which requests prefers
            conn.ca_certs = conn.ca_cert_dir = None
            conn.cert_reqs = self.context.verify_mode
