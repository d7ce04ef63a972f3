"""The effect of a login's flow: a flow that the session of one user runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

from doorkey.wire.flow import Effect, Flow

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AtSession(Effect[T]):
    """Ask for the result of `flow`, whose requests this `session` sends and whose token it keeps."""

    session: Any
    flow: Flow[T] = field(repr=False)

    def run(self) -> Any:
        """Return the result of the flow; of a session that awaits, an awaitable of it."""
        return self.session._run(self.flow)
