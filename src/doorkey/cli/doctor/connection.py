"""Checks the connection to a server: TLS, its certificate, and the server's clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

from doorkey.cli.doctor.fetching import Connection
from doorkey.cli.doctor.finding import Finding, failure, info, ok, warning
from doorkey.cli.times import absolute, in_words, relative
from doorkey.wire.messages import Response
from doorkey.wire.urls import shown_url

_DAY: Final = 86_400.0
_SOON: Final = 14 * _DAY
_LARGE: Final = 60.0
"""The clock skew in seconds that most verifiers of tokens tolerate."""
_SMALL: Final = 10.0
_OLD: Final = frozenset({"SSLv3", "TLSv1", "TLSv1.1"})


def check_connection(url: str, connection: Connection | None, now: float) -> Iterator[Finding]:
    """Yield the findings about the TLS connection to the server of `url`.

    connection: the facts about the connection; None for plain http.
    now: seconds since the epoch.
    """
    host = urlsplit(url).netloc
    if connection is None:
        yield info("no_tls", f"{shown_url(url)} is plain http on this machine", "for development only (RFC 9700 §2.6)")
        return
    expires = connection.expires
    if expires is not None and expires <= now:
        yield failure(
            "certificate_expired",
            f"the certificate of {host} expired {relative(expires, now)}: {absolute(expires)}",
            "clients refuse to connect",
            "renew the certificate, and automate its renewal",
        )
    elif connection.problem:
        yield failure(
            "tls_failed",
            f"a TLS connection to {host} fails: {connection.problem}",
            "clients refuse to connect",
            "serve the full chain of a certificate for this name; for a private authority, set SSL_CERT_FILE",
        )
    if connection.version in _OLD:
        yield failure(
            "tls_old",
            f"{host} uses {connection.version}",
            "this version is broken, and clients refuse it",
            "support TLS 1.2 and TLS 1.3 only",
            "RFC 8996",
        )
    if connection.problem or (expires is not None and expires <= now):
        return
    yield ok("tls", f"{host} uses {connection.version} with a certificate that this machine trusts")
    if expires is not None and expires - now < _SOON:
        yield warning(
            "certificate_expires_soon",
            f"the certificate of {host} expires {relative(expires, now)}: {absolute(expires)}",
            "clients then refuse to connect",
            "renew the certificate, and automate its renewal",
        )


def check_clock(response: Response, now: float) -> Iterator[Finding]:
    """Yield the findings about the server's clock, from the header `Date` of a response.

    now: when the response arrived, in seconds since the epoch.
    """
    try:
        date = parsedate_to_datetime(response.header("date") or "")
        at = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        yield info("clock_unknown", "the response has no valid Date header, so the server's clock was not compared")
        return
    difference = at - now
    words = f"the server's clock is {in_words(difference)} {'ahead of' if difference > 0 else 'behind'} this machine's"
    if abs(difference) >= _LARGE:
        yield failure(
            "clock_skew",
            words,
            "tokens seem to be expired, or not valid yet",
            "synchronize both clocks (NTP); compare this machine's with another one to see which is wrong",
            "RFC 7519 §4.1.4",
        )
    elif abs(difference) >= _SMALL:
        yield warning("clock_drift", words, "a larger difference makes tokens fail", "synchronize both clocks (NTP)")
    else:
        yield ok("clock", "the clocks of the server and of this machine agree")
