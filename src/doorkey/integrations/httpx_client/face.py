"""What httpx2 and httpx call on an auth object, blocking and awaiting. Imports neither."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Mapping
from typing import Any, cast

from doorkey.errors import UsageError
from doorkey.integrations.bearer import UNAUTHORIZED, Bearer, aperforms_nothing, performs_nothing
from doorkey.protocol.endpoint import origin_of
from doorkey.protocol.flow import arun, run


class HttpxFace:
    """Signs a request, and sends it once more with another token when the API answers 401 (RFC 6750 §3.1).

    Nothing of a streamed upload is read to sign it; such a request cannot be sent again.
    """

    requires_request_body = False
    requires_response_body = False
    _bearer: Bearer

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """Send the request with the token. Raises the renewal's error rather than send it without."""
        bearer = self._bearer
        if bearer.leaves_alone(str(request.url), request.headers):
            yield request
            return
        token = bearer.fresh()
        if bearer.is_plain:
            request.headers["Authorization"] = bearer.header(token)
            signed = request
        else:
            signed = _rebuilt(request, run(bearer.sign(token, *_wire_of(request, bearer)), performs_nothing))
        response = yield signed
        if _worth_another(response, request):
            other = bearer.another(token)
            if other is not None:
                request.headers.pop("Authorization", None)
                yield _rebuilt(request, run(bearer.sign(other, *_wire_of(request, bearer)), performs_nothing))

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        """Send the request with the token. Raises the renewal's error rather than send it without."""
        bearer = self._bearer
        if bearer.leaves_alone(str(request.url), request.headers):
            yield request
            return
        token = await bearer.afresh()
        if bearer.is_plain:
            request.headers["Authorization"] = bearer.header(token)
            signed = request
        else:
            signed = _rebuilt(request, await arun(bearer.sign(token, *_wire_of(request, bearer)), aperforms_nothing))
        response = yield signed
        if _worth_another(response, request):
            other = await bearer.aanother(token)
            if other is not None:
                request.headers.pop("Authorization", None)
                yield _rebuilt(request, await arun(bearer.sign(other, *_wire_of(request, bearer)), aperforms_nothing))


def _worth_another(response: Any, request: Any) -> bool:
    """Say whether the API itself refused the token (not somebody a redirect led to), and the body can be sent again."""
    return (
        response.status_code == UNAUTHORIZED
        and hasattr(request, "_content")
        and origin_of(str(response.request.url)) == origin_of(str(request.url))
    )


def _wire_of(request: Any, bearer: Bearer) -> tuple[str, dict[str, str], Any]:
    """Return (url, headers, body) for signing; the body is None where it is streamed, which only a header survives."""
    body = getattr(request, "_content", None)
    if body is None and bearer.in_body:
        raise UsageError("token_placement='body' needs a form-encoded body that is not streamed (RFC 6750 §2.2)")
    return str(request.url), dict(request.headers), body


def _rebuilt(request: Any, wire: tuple[str, Mapping[str, str], Any]) -> Any:
    """Return the request as signing and hooks left it; a body that nobody changed stays the stream it is."""
    url, headers, body = wire
    body = body.encode("utf-8", "surrogateescape") if isinstance(body, str) else body
    make = cast("Any", type(request))
    if body is None or body == getattr(request, "_content", None):
        return make(request.method, url, headers=headers, stream=request.stream, extensions=request.extensions)
    kept = {k: v for k, v in headers.items() if k.lower() not in ("content-length", "transfer-encoding")}
    return make(request.method, url, headers=kept, content=body, extensions=request.extensions)
