"""How long a fetched document may be used: HTTP caching headers, within bounds (RFC 9111 §5.2, §5.3).

Times are in seconds since the epoch, and `now` is an argument. A server's headers move the time of the next fetch, but
only within the bounds of the program: a lifetime of zero does not cause a fetch for each request, and a lifetime of a
year does not keep a revoked key in use.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from doorkey.wire.messages import Response

T = TypeVar("T")

_DIRECTIVE: Final = re.compile(r"""([a-z-]+)(?:=(?:"([^"]*)"|([^\s,;"]*)))?""", re.ASCII)
_NOT_CACHED: Final = frozenset({"no-store", "no-cache"})
_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Bounds of the time for which a fetched document is used. All times are in seconds after its fetch.

    least, most: the earliest and the latest time of the next fetch.
    default: the time of the next fetch if the response has no caching headers.
    stale: the time until which the document may be used if it cannot be fetched again.
    """

    least: float
    default: float
    most: float
    stale: float

    def of(self, response: Response, now: float) -> float:
        """Return the seconds after which the document in `response` is fetched again."""
        by_headers = freshness_lifetime(response, now)
        return min(max(self.default if by_headers is None else by_headers, self.least), self.most)

    def entry(self, value: T, response: Response, now: float) -> CacheEntry[T]:
        """Return the `value` that was parsed from `response`, with the times of its use. It was fetched at `now`."""
        seconds = self.of(response, now)
        return CacheEntry(value, now, now + seconds, now + max(seconds, self.stale))


@dataclass(frozen=True, slots=True)
class CacheEntry(Generic[T]):
    """A fetched value, with times in seconds since the epoch.

    fetched_at: the time of the fetch.
    fresh_until: the time of the next fetch.
    usable_until: the time from which the value is not used, even if it cannot be fetched again.
    """

    value: T
    fetched_at: float
    fresh_until: float
    usable_until: float

    def is_fresh(self, now: float) -> bool:
        """Return whether no fetch is due. If the clock was set back before the fetch, a fetch is due."""
        return self.fetched_at <= now < self.fresh_until

    def is_usable(self, now: float) -> bool:
        """Return whether the value may be used if it cannot be fetched again."""
        return now < self.usable_until


def freshness_lifetime(response: Response, now: float) -> float | None:
    """Return how long `response` is fresh by its headers, in seconds from `now`, or None without such headers.

    `no-store` and `no-cache` mean zero seconds. `max-age` less `Age` has priority over `Expires`. Of several values of
    `max-age`, the smallest is used (RFC 9111 §4.2.1). A malformed `max-age` or `Expires` means zero seconds.
    """
    directives = _directives(response)
    if any(name in _NOT_CACHED for name, _ in directives):
        return 0.0
    ages = [_digits(value) for name, value in directives if name == "max-age"]
    if ages:
        return max(min(ages) - _digits(response.header("age") or "0"), 0.0)
    expires = response.header("expires")
    if expires is None:
        return None
    ends = _moment(expires)
    if ends is None:
        return 0.0
    began = _moment(response.header("date") or "")
    return max(ends - (now if began is None else began), 0.0)


def _directives(response: Response) -> list[tuple[str, str]]:
    text = ",".join(value for name, value in response.headers if name.lower() == "cache-control").lower()
    return [(name, quoted or plain) for name, quoted, plain in _DIRECTIVE.findall(text)]


def _digits(text: str) -> float:
    text = text.strip()
    return float(text[:_DIGITS]) if text.isascii() and text.isdigit() else 0.0


def _moment(text: str) -> float | None:
    """Return the time in an HTTP date, or None for anything else."""
    from datetime import UTC
    from email.utils import parsedate_to_datetime  # imported here: it is slow to import, and the header is rare

    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
