"""The reason why a TLS connection failed, with the fix."""

from __future__ import annotations

import ssl
from typing import Final

_OF_OPENSSL: Final = {
    9: "its certificate is not valid yet: is the clock of this machine right?",
    10: "its certificate has expired: the server must renew it (or is the clock of this machine wrong?)",
    62: "its certificate is for another host name: use a name that is in the certificate",
    64: "its certificate is not for this IP address: use a name that is in the certificate",
}
"""The reasons by OpenSSL's error numbers, X509_V_ERR_…"""

_REJECTED: Final = ("ALERT_UNKNOWN_CA", "ALERT_BAD_CERTIFICATE", "ALERT_CERTIFICATE", "ALERT_UNSUPPORTED_CERTIFICATE")
"""Alerts of a server about the certificate of the client (RFC 8446 §6.2)."""


def why_tls_failed(failed: ssl.SSLError, authority: str, certificate: str) -> str:
    """Return the cause of `failed` and the fix.

    authority: the option of the HTTP library for a CA.
    certificate: the option of the HTTP library for the client's own certificate.
    """
    if isinstance(failed, ssl.SSLCertVerificationError):
        return _OF_OPENSSL.get(
            failed.verify_code,
            f"its certificate is not trusted ({failed.verify_message}): give the CA that signed it by {authority}",
        )
    if "CERTIFICATE_REQUIRED" in (failed.reason or ""):
        return f"it requires a client certificate: give yours by {certificate}"
    if any(word in (failed.reason or "") for word in _REJECTED):
        return (
            f"it rejects the client certificate ({failed.reason}): is it the one that is registered there, of a CA "
            f"that the server trusts? It is given by {certificate}"
        )
    return f"TLS failed ({failed.reason or type(failed).__name__}): does it speak TLS at this port?"
