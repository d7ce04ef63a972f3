"""The effect of login flows: another flow, which the session of one user runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

from doorkey.wire.flow import Effect, Flow

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AtSession(Effect[T]):
    """Run `flow` with `session`, which sends its requests and stores its token. The outcome is the flow's result."""

    session: Any
    flow: Flow[T] = field(repr=False)

    def run(self) -> Any:
        """Return the result of the flow. With an asynchronous session, return an awaitable of the result."""
        return self.session._run(self.flow)
