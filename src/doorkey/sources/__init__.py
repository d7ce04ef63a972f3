"""Token sources: one token, fresh whenever it is requested, obtained once for all callers."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doorkey.sources.token_source import AsyncTokenSource, TokenSource

__all__ = ["AsyncTokenSource", "TokenSource"]

_MODULES = dict.fromkeys(__all__, "doorkey.sources.token_source")


def __getattr__(name: str) -> Any:
    from doorkey.runtime.lazy import named

    return named(__name__, _MODULES, name)
