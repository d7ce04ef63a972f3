"""One request to an API with the client of a user, with a bounded response that is passed on as it came."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from doorkey.errors import OAuthError, TransportError
from doorkey.transport.causes import detached
from doorkey.wire.messages import Pairs, Response

CHUNK: Final = 64 * 1024


class APIError(TransportError):
    """The API did not answer: not reachable, too late, or with too much. `status` is that of the reply."""

    code = "api_unavailable"

    def __init__(self, description: str, status: int = 502) -> None:
        super().__init__(description, retryable=True)
        self.status = status


@dataclass(frozen=True, slots=True)
class APICall:
    """A request to the API.

    timeout: seconds of the call.
    most: bytes of the response's body, as it comes.
    timer: returns seconds.
    """

    method: str
    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    timeout: float
    most: int
    timer: Callable[[], float]

    def by(self, client: Any) -> Response | Awaitable[Response]:
        """Send the request with `client`, a session of the family, and return the response or an awaitable of it.

        Redirects are not followed. Raises `APIError`, and the error of a token that cannot be renewed.
        """
        if not client._blocking:
            return self._await(client)
        return self._block(client)

    def _block(self, client: Any) -> Response:
        inbox = _Inbox(self)
        is_httpx = hasattr(client, "_transport_for_url")
        try:
            if is_httpx:
                with client.stream(self.method, self.url, **self._httpx_options) as native:
                    for chunk in native.iter_raw(CHUNK):
                        inbox.feed(chunk)
                return inbox.response(native.status_code, native.headers.multi_items())
            options: dict[str, Any] = {"allow_redirects": False, "stream": True, "timeout": self.timeout}
            answer = client.request(self.method, self.url, headers=self.headers, data=self._content, **options)
            with answer:
                for chunk in answer.raw.stream(CHUNK, decode_content=False):
                    inbox.feed(chunk)
            return inbox.response(answer.status_code, answer.headers.items())
        except OAuthError:
            raise
        except Exception as error:  # noqa: BLE001  # of an HTTP library, or of a program's own adapter or transport
            failed = _failed(error)
        raise failed

    async def _await(self, client: Any) -> Response:
        inbox = _Inbox(self)
        try:
            async with client.stream(self.method, self.url, **self._httpx_options) as native:
                async for chunk in native.aiter_raw(CHUNK):
                    inbox.feed(chunk)
            return inbox.response(native.status_code, native.headers.multi_items())
        except OAuthError:
            raise
        except Exception as error:  # noqa: BLE001  # as above
            failed = _failed(error)
        raise failed

    @property
    def _content(self) -> bytes | None:
        return self.body if self.body or self.method in ("PATCH", "POST", "PUT") else None

    @property
    def _httpx_options(self) -> dict[str, Any]:
        options: dict[str, Any] = {"headers": self.headers, "content": self._content, "timeout": self.timeout}
        return {**options, "follow_redirects": False}


class _Inbox:
    """Collects the body of a response within the bounds of its call."""

    def __init__(self, call: APICall) -> None:
        self._call, self._until = call, call.timer() + call.timeout
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, chunk: bytes) -> None:
        self._size += len(chunk)
        if self._size > self._call.most:
            raise APIError(f"the response of the API has more than {self._call.most} bytes")
        if self._call.timer() > self._until:
            raise APIError("the response of the API did not end in time", 504)
        self._parts.append(chunk)

    def response(self, status: int, headers: Any) -> Response:
        pairs: Pairs = tuple((str(name), str(value)) for name, value in headers)
        return Response(status, pairs, b"".join(self._parts))


def _failed(error: Exception) -> APIError:
    """Return the error for what an HTTP library raised. It keeps the cause, without its frames."""
    late = any("Timeout" in kind.__name__ for kind in type(error).__mro__)
    failed = APIError("the API did not answer in time" if late else "the API did not answer", 504 if late else 502)
    failed.__cause__ = detached(error)
    return failed
