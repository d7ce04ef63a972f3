"""What happens to tokens, told to a callback, to `logging` and to OpenTelemetry.

`on_event=` of a source, an auth object, a session or a vault is called with each `TokenEvent`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doorkey.observe.events import Kind, TokenEvent

__all__ = ["Kind", "TokenEvent"]


def __getattr__(name: str) -> Any:
    # Everything that has a token imports the observer; what an event is made of waits until there is one.
    from doorkey.runtime.lazy import named

    return named(__name__, dict.fromkeys(__all__, "doorkey.observe.events"), name)
