"""Tokens that are bound to a client certificate: the thumbprint of the certificate (RFC 8705 §3.1)."""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode, urlsafe_b64encode
from typing import Final

from doorkey.arguments import instance
from doorkey.errors import UsageError

_PEM: Final = re.compile(rb"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----")


def certificate_thumbprint(certificate: str | bytes) -> str:
    """Return the value of `x5t#S256` for a certificate: the SHA-256 of its DER form in base64url (RFC 8705 §3.1).

    certificate: DER as bytes, or PEM as text or bytes, of which the first certificate is used.

    Raises `UsageError` for malformed PEM, and for another type.
    """
    if isinstance(certificate, str):
        der = certificate.encode("utf-8", "replace")
    else:
        der = instance(certificate, bytes, "the client certificate must be DER bytes or PEM")
    if isinstance(certificate, str) or der.lstrip().startswith(b"-----BEGIN"):
        found = _PEM.search(der)
        if found is None:
            raise UsageError("the client certificate is neither DER bytes nor PEM: -----BEGIN CERTIFICATE-----…")
        try:
            der = b64decode(b"".join(found[1].split()), validate=True)
        except ValueError:
            raise UsageError("the client certificate is PEM whose content is not base64") from None
    return urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode("ascii")
