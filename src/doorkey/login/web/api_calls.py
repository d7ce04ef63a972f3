"""One request to an API with the client of a user. The response is bounded, and passed on unchanged."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from doorkey.errors import OAuthError, TransportError
from doorkey.transport.scrubbed_causes import detached
from doorkey.wire.messages import Pairs, Response

CHUNK: Final = 64 * 1024
_LOCATION: Final = "_doorkey_location"


class APIError(TransportError):
    """The API could not be reached, responded too late, or sent too much. `status` is for the reply to the browser."""

    code = "api_unavailable"

    def __init__(self, description: str, status: int = 502) -> None:
        super().__init__(description, retryable=True)
        self.status = status


@dataclass(frozen=True, slots=True)
class APICall:
    """A request to the API.

    timeout: maximum seconds of the call. If it is streamed: until the headers, and between two parts of the body.
    most: maximum bytes of the response body, before any decoding.
    timer: a monotonic clock, in seconds.
    lasts: maximum seconds of a streamed response; None: the response is not streamed.
    """

    method: str
    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    timeout: float
    most: int
    timer: Callable[[], float]
    lasts: float | None = None

    def send_with(self, client: Any) -> Response | Awaitable[Response]:
        """Send the request with `client`, a doorkey session, and return the response or an awaitable of it.

        Redirects are not followed. Raises `APIError`, and the error of a token that cannot be renewed.
        """
        if not client._blocking:
            return self._await(client)
        return self._block(client)

    def stream_with(self, client: Any) -> Any:
        """Return a context manager whose value is the response of the HTTP library, with an unread body."""
        content = self.body if self.body or self.method in ("PATCH", "POST", "PUT") else None
        if hasattr(client, "_transport_for_url") or not client._blocking:
            options: dict[str, Any] = {"content": content, "timeout": self.timeout, "follow_redirects": False}
            return client.stream(self.method, self.url, headers=self.headers, **options)
        options = {"data": content, "timeout": self.timeout, "allow_redirects": False, "stream": True}
        options["hooks"] = {"response": [*client.hooks["response"], _without_location]}
        return client.request(self.method, self.url, headers=self.headers, **options)

    def head(self, native: Any, body: bytes = b"") -> Response:
        """Return the status and headers of an HTTP library's response, with `body`, as a `Response`."""
        headers = native.headers
        pairs: Pairs = tuple(headers.multi_items() if hasattr(headers, "multi_items") else headers.items())
        moved: str | None = getattr(native, _LOCATION, None)
        if moved is not None:
            pairs = (*pairs, ("Location", moved))
        return Response(native.status_code, pairs, body)

    def _block(self, client: Any) -> Response:
        bounds, parts = Bounds(self), list[bytes]()
        with APIErrors(), self.stream_with(client) as native:
            is_httpx = hasattr(native, "iter_raw")
            chunks = native.iter_raw(CHUNK) if is_httpx else native.raw.stream(CHUNK, decode_content=False)
            parts.extend(bounds.checked(chunk) for chunk in chunks)
            return self.head(native, b"".join(parts))

    async def _await(self, client: Any) -> Response:
        bounds, parts = Bounds(self), list[bytes]()
        with APIErrors():
            async with self.stream_with(client) as native:
                async for chunk in native.aiter_raw(CHUNK):
                    parts.append(bounds.checked(chunk))
            return self.head(native, b"".join(parts))


def _without_location(response: Any, **_: Any) -> None:
    """Hide the target of a redirect from requests, which would read the whole body to prepare the next request."""
    moved = response.headers.pop("Location", None)
    if moved is not None:
        vars(response)[_LOCATION] = moved


class Bounds:
    """The limits for the size and the time of one response."""

    def __init__(self, call: APICall) -> None:
        self._call, self._size = call, 0
        self._until = call.timer() + (call.timeout if call.lasts is None else call.lasts)

    def checked(self, chunk: bytes) -> bytes:
        """Return the next part of the body. Raises `APIError` if the response exceeds a limit."""
        self._size += len(chunk)
        if self._size > self._call.most:
            raise APIError(f"the response of the API has more than {self._call.most} bytes")
        if self._call.timer() > self._until:
            raise APIError("the response of the API did not end in time", 504)
        return chunk


class APIErrors:
    """Converts exceptions of an HTTP library, or of a program's own adapter or transport, to `APIError`."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, Exception) or isinstance(error, OAuthError):
            return
        failed = _api_error(error)
        del error, trace  # this frame is in the traceback of the new error
        try:
            raise failed
        finally:
            failed.__context__ = None  # the cause is the same error, without its frames


def _api_error(error: Exception) -> APIError:
    late = any("Timeout" in kind.__name__ for kind in type(error).__mro__)
    failed = APIError("the API did not answer in time" if late else "the API did not answer", 504 if late else 502)
    failed.__cause__ = detached(error)
    return failed
