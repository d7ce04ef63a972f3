"""The options that determine when the keys of an issuer are fetched again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from doorkey.arguments import seconds
from doorkey.protocol.http_caching import Lifetime

__all__: list[str] = []

_LEAST_AGE: Final = 60.0
_DEFAULT_AGE: Final = 600.0


@dataclass(frozen=True, slots=True)
class KeyTimes:
    """The options of a key source, in seconds.

    cool_down: minimum time between two fetches because of tokens that no known key verifies.
    max_age: time after which keys are fetched again at the latest. The server's caching headers may shorten it, to a
        minute at least.
    max_stale: time after a fetch during which its keys are used while the server fails.
    """

    cool_down: float = 30.0
    max_age: float = 3600.0
    max_stale: float = 86_400.0

    def __post_init__(self) -> None:
        seconds(self.cool_down, "cool_down", least=1.0)
        seconds(self.max_age, "max_age", least=1.0)
        seconds(self.max_stale, "max_stale")

    @classmethod
    def of(cls, cool_down: float | None, max_age: float | None, max_stale: float | None) -> KeyTimes | None:
        """Return the options, or None if each argument is None. A single None means the default of that option."""
        given = {"cool_down": cool_down, "max_age": max_age, "max_stale": max_stale}
        named = {name: value for name, value in given.items() if value is not None}
        return cls(**named) if named else None

    def lifetime(self) -> Lifetime:
        """Return the bounds of the time for which a key set is used."""
        most = self.max_age
        return Lifetime(min(_LEAST_AGE, most), min(_DEFAULT_AGE, most), most, self.max_stale)
