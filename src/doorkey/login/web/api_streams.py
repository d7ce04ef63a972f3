"""Pass on the response of an API while it arrives, with limits for its size, its idle time and its duration.

Theory of operation. The flow of the proxy receives the status and the headers of the response, and can still reply with
an error. The parts of the body are received while the web server sends them. If the response breaks off or exceeds a
limit, the stream raises an `APIError`, and the server closes the connection to the browser. Otherwise the response
would look complete. If the browser disconnects, the server closes the stream, and with it the connection to the API.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack
from typing import Any

from doorkey.errors import OAuthError
from doorkey.login.web.api_calls import CHUNK, APICall, APIErrors, Bounds
from doorkey.wire.messages import Response


class BlockingStream:
    """The parts of a body for a synchronous web server: an iterable with `close`."""

    def __init__(self, parts: Iterator[bytes], bounds: Bounds, held: ExitStack) -> None:
        self._parts, self._bounds, self._held = parts, bounds, held

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """Return the next part. Raises `APIError` if the response exceeds a limit or breaks off."""
        try:
            with APIErrors():
                for part in self._parts:
                    if part:
                        return self._bounds.checked(part)
        except OAuthError:
            self.close()
            raise
        self.close()
        raise StopIteration

    def close(self) -> None:
        """Close the connection to the API, unless the whole response has been received."""
        self._held.close()


class AwaitingStream:
    """The parts of a body for an asynchronous web server."""

    def __init__(self, parts: AsyncIterator[bytes], bounds: Bounds, held: AsyncExitStack) -> None:
        self._parts, self._bounds, self._held = parts, bounds, held

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        """Return the next part. Raises `APIError` if the response exceeds a limit or breaks off."""
        try:
            with APIErrors():
                async for part in self._parts:
                    if part:
                        return self._bounds.checked(part)
        except OAuthError:
            await self.close()
            raise
        await self.close()
        raise StopAsyncIteration

    async def close(self) -> None:
        """Close the connection to the API, unless the whole response has been received."""
        await self._held.aclose()


def open_stream(call: APICall, client: Any) -> Any:
    """Send the request of `call` with `client`, a doorkey session.

    Return the head of the response and the stream of its body, or an awaitable of them. Raises the errors of
    `APICall.send_with`.
    """
    return _block(call, client) if client._blocking else _await(call, client)


def _block(call: APICall, client: Any) -> tuple[Response, BlockingStream]:
    bounds = Bounds(call)
    with APIErrors(), ExitStack() as held:
        native = held.enter_context(call.stream_with(client))
        parts = native.iter_raw() if hasattr(native, "iter_raw") else _parts_of(native.raw)
        return call.head(native), BlockingStream(parts, bounds, held.pop_all())


async def _await(call: APICall, client: Any) -> tuple[Response, AwaitingStream]:
    bounds = Bounds(call)
    with APIErrors():
        async with AsyncExitStack() as held:
            native = await held.enter_async_context(call.stream_with(client))
            return call.head(native), AwaitingStream(native.aiter_raw(), bounds, held.pop_all())


def _parts_of(raw: Any) -> Iterator[bytes]:
    """Return the parts of a response of urllib3 as they arrive."""
    if not hasattr(raw, "read1"):  # urllib3 before 2.2: without chunked encoding, each part has the full size
        return iter(raw.stream(CHUNK, decode_content=False))
    return iter(lambda: raw.read1(CHUNK, decode_content=False), b"")
