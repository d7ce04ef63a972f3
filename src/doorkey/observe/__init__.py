"""Events of tokens, reported to a callback, to `logging` and to OpenTelemetry.

`on_event=` of a source, an auth object, a session or a vault is called with each `TokenEvent`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doorkey.observe.events import Kind, TokenEvent

__all__ = ["Kind", "TokenEvent"]


def __getattr__(name: str) -> Any:
    # Every module with a token imports the observer; the modules of events are imported with the first event.
    from doorkey.runtime.lazy import lazy_name

    return lazy_name(__name__, dict.fromkeys(__all__, "doorkey.observe.events"), name)
