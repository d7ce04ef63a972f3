"""Sources of tokens, keys and issuer metadata. Each is obtained once for all callers, and renewed when necessary."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doorkey.sources.issuer import Issuer
    from doorkey.sources.key_source import AsyncKeySource, KeySource
    from doorkey.sources.token_source import AsyncTokenSource, TokenSource

__all__ = ["AsyncKeySource", "AsyncTokenSource", "Issuer", "KeySource", "TokenSource"]

_MODULES = {
    "AsyncKeySource": "doorkey.sources.key_source",
    "AsyncTokenSource": "doorkey.sources.token_source",
    "Issuer": "doorkey.sources.issuer",
    "KeySource": "doorkey.sources.key_source",
    "TokenSource": "doorkey.sources.token_source",
}


def __getattr__(name: str) -> Any:
    from doorkey.runtime.lazy import lazy_name

    return lazy_name(__name__, _MODULES, name)
