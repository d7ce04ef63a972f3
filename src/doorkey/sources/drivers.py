"""Runs the flows of keys and metadata through an HTTP client: one driver for callers that block, one for async."""

from __future__ import annotations

from typing import Any, TypeVar

from doorkey.errors import UsageError
from doorkey.renewal.leader_lock import AcquireOrWait
from doorkey.transport.senders import AsyncSender, Sender
from doorkey.wire.flow import Flow, arun, run
from doorkey.wire.limits import ExchangePolicy
from doorkey.wire.messages import Request

__all__: list[str] = []

T = TypeVar("T")


class BlockingDriver:
    """Runs flows through `http_client`, or through a client made here, within the bounds of `policy`."""

    def __init__(self, http_client: Any, policy: ExchangePolicy) -> None:
        self._sender = Sender(http_client, policy)

    def run(self, flow: Flow[T]) -> T:
        """Return the result of `flow`. Raises what it raises."""
        return run(flow, self._perform)

    def close(self) -> None:
        """Close the HTTP client that was made here."""
        self._sender.close()

    def _perform(self, effect: Any) -> Any:
        match effect:
            case Request():
                return self._sender.send(effect)
            case AcquireOrWait():
                return effect.acquire_or_wait()
            case _:
                raise UsageError(f"a key source cannot perform {type(effect).__name__}")


class AwaitingDriver:
    """Runs flows as `BlockingDriver` does, for callers that await."""

    def __init__(self, http_client: Any, policy: ExchangePolicy) -> None:
        self._sender = AsyncSender(http_client, policy)

    async def run(self, flow: Flow[T]) -> T:
        """Return the result of `flow`. Raises what it raises."""
        return await arun(flow, self._perform)

    async def aclose(self) -> None:
        """Close the HTTP client that was made here for this event loop."""
        await self._sender.aclose()

    async def _perform(self, effect: Any) -> Any:
        match effect:
            case Request():
                return await self._sender.send(effect)
            case AcquireOrWait():
                return await effect.acquire_or_wait_async()
            case _:
                raise UsageError(f"a key source cannot perform {type(effect).__name__}")
