"""How long a document that was fetched may be used: HTTP caching headers, within bounds (RFC 9111 §5.2, §5.3).

Times are in seconds since the epoch, and `now` is an argument. A server's headers move the time of the next fetch
within the bounds of the program: a lifetime of zero does not cause a fetch for each request, and one of a year does not
keep a revoked key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from doorkey.wire.messages import Response

T = TypeVar("T")

_DIRECTIVE: Final = re.compile(r"""([a-z-]+)(?:=(?:"([^"]*)"|([^\s,;"]*)))?""", re.ASCII)
_AT_ONCE: Final = frozenset({"no-store", "no-cache"})
_DIGITS: Final = 12


@dataclass(frozen=True, slots=True)
class Lifetime:
    """Bounds of the time for which a fetched document is used, in seconds after its fetch.

    least, most: the earliest and the latest time of the next fetch.
    usual: the time of the next fetch where the response has no caching headers.
    stale: the time until which the document is used while it cannot be fetched again.
    """

    least: float
    usual: float
    most: float
    stale: float

    def of(self, response: Response, now: float) -> float:
        """Return the seconds after which the document in `response` is fetched again."""
        told = seconds_told(response, now)
        return min(max(self.usual if told is None else told, self.least), self.most)

    def keep(self, value: T, response: Response, now: float) -> Kept[T]:
        """Return `value`, which was in the `response` that came at `now`, with its times."""
        seconds = self.of(response, now)
        return Kept(value, now, now + seconds, now + max(seconds, self.stale))


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """A value that was fetched at `fetched_at`: fetched again at `fresh_until`, not used from `usable_until` on."""

    value: T
    fetched_at: float
    fresh_until: float
    usable_until: float

    def is_fresh(self, now: float) -> bool:
        """Return whether no fetch is due. A clock that was set back before the fetch ends it: its time is unknown."""
        return self.fetched_at <= now < self.fresh_until

    def is_usable(self, now: float) -> bool:
        """Return whether the value may be used while it cannot be fetched again."""
        return now < self.usable_until


def seconds_told(response: Response, now: float) -> float | None:
    """Return how long the headers of `response` let it be used, in seconds from `now` on; None if they do not say.

    `no-store` and `no-cache` are zero seconds. `max-age` less `Age` comes before `Expires`. Of several values the
    smallest counts (RFC 9111 §4.2.1). A malformed value is a response that is not fresh any more.
    """
    directives = _directives(response)
    if any(name in _AT_ONCE for name, _ in directives):
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
    from email.utils import parsedate_to_datetime  # a fifth of the import time of all this, for a rare header

    try:
        date = parsedate_to_datetime(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
