"""The result of `deserialize_compact`: a header and a payload, as members and as attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Self

from doorkey.values import ReadOnlyDict


class Deserialized(ReadOnlyDict):
    """A dictionary of `header` and `payload`, which are attributes too. Its repr shows only the algorithms."""

    __slots__ = ()

    @classmethod
    def of(cls, header: Mapping[str, Any], payload: bytes, decode: Callable[[bytes], Any] | None) -> Self:
        """Return the header and the payload. The payload is the result of `decode`, if there is such a function."""
        return cls(header=dict(header), payload=decode(payload) if decode else payload)

    @property
    def header(self) -> dict[str, Any]:
        """The protected header."""
        header: dict[str, Any] = self["header"]
        return header

    @property
    def payload(self) -> Any:
        """The payload: bytes, or the result of `decode`."""
        return self["payload"]

    def __repr__(self) -> str:
        shown = " ".join(f"{name}={self.header[name]!r}" for name in ("alg", "enc") if name in self.header)
        return f"<{type(self).__name__} {shown}>"

    __str__ = __repr__

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)  # an unpickled copy has passed no check
