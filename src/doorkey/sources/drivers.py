"""Runs the flows of keys and metadata with an HTTP client: one driver for blocking callers, one for async callers."""

from __future__ import annotations

import time
from typing import Any, TypeVar

from doorkey.transport.performing import performed, performed_async
from doorkey.transport.senders import AsyncSender, Sender
from doorkey.wire.flow import Flow, arun, run
from doorkey.wire.limits import ExchangePolicy

__all__: list[str] = []

T = TypeVar("T")


class BlockingDriver:
    """Runs flows with `http_client`, or with a client created here, within the bounds of `policy`."""

    def __init__(self, http_client: Any, policy: ExchangePolicy) -> None:
        self._sender = Sender(http_client, policy)

    def run(self, flow: Flow[T]) -> T:
        """Return the result of `flow`. Raises the errors of the flow."""
        return run(flow, self._perform)

    def close(self) -> None:
        """Close the HTTP client if it was created here."""
        self._sender.close()

    def _perform(self, effect: Any) -> Any:
        return performed(effect, self._sender, time.sleep)


class AwaitingDriver:
    """The asynchronous version of `BlockingDriver`."""

    def __init__(self, http_client: Any, policy: ExchangePolicy) -> None:
        self._sender = AsyncSender(http_client, policy)

    async def run(self, flow: Flow[T]) -> T:
        """Return the result of `flow`. Raises the errors of the flow."""
        return await arun(flow, self._perform)

    async def aclose(self) -> None:
        """Close the HTTP client that was created here for this event loop."""
        await self._sender.aclose()

    async def _perform(self, effect: Any) -> Any:
        return await performed_async(effect, self._sender, None)
