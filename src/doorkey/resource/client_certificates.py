"""The client certificate of a request, from the header of a proxy that terminates TLS (RFC 9440)."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from urllib.parse import unquote

from doorkey.arguments import text
from doorkey.wire.messages import Pairs

__all__ = ["certificate_header"]

_BEGIN, _END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_NO_CERTIFICATE = b""
"""Returned for an invalid header. No certificate has the thumbprint of empty bytes, so bound tokens are rejected."""


def certificate_header(name: str = "Client-Cert") -> Callable[[Pairs], bytes | None]:
    """Return the function that reads the client certificate from a header, for `client_certificate=` of a guard.

    name: the name of the header. The proxy must remove this header from the requests of clients, who could send any
        certificate in it. For WSGI, it must also remove the name with underscores instead of hyphens, because WSGI does
        not distinguish the two names.

    The value may be a byte sequence (`Client-Cert`, RFC 9440 §2.1), PEM that is percent-encoded (nginx
    `$ssl_client_escaped_cert`, AWS) or has spaces in place of line breaks (Apache, nginx `$ssl_client_cert`), or DER in
    base64. The function returns None without the header. A malformed or repeated header counts as a certificate to
    which no token is bound.
    """
    wanted = text(name, "the name of the header with the client certificate").lower()

    def certificate(headers: Pairs) -> bytes | None:
        values = [value.strip() for key, value in headers if key.lower() == wanted]
        if not any(values):
            return None
        return _der(values[0]) if len(values) == 1 else _NO_CERTIFICATE

    return certificate


def _der(value: str) -> bytes:
    plain = unquote(value) if "%" in value else value
    body = plain.removeprefix(":").removesuffix(":").strip().removeprefix(_BEGIN).partition(_END)[0]
    try:
        return b64decode("".join(body.split()), validate=True)
    except ValueError:
        return _NO_CERTIFICATE
