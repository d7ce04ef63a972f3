"""`OAuth2Auth`: a token as `auth=` on any client of httpx2 or httpx, sync and async."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, cast

from doorkey.errors import UsageError
from doorkey.integrations._httpx import auth_bases, library
from doorkey.integrations.httpx_client.exchange import HttpxLibrary
from doorkey.oauth2.client import OAuth2Client
from doorkey.oauth2.core import SessionCore
from doorkey.oauth2.options import SessionOptions
from doorkey.protocol.bearer import authorization_header
from doorkey.protocol.flow import arun, run
from doorkey.single_flight import AsyncSingleFlight, SingleFlight
from doorkey.tokens import OAuth2Token, OAuthToken

if TYPE_CHECKING:
    import httpx2

    class _Bases(httpx2.Auth):
        """Stands for the `Auth` of each library that is installed."""
else:
    _Bases = type("_Bases", auth_bases(), {})


class OAuth2Auth(_Bases):
    """Sends a token with each request: that of a session, kept fresh by it, or one given once.

    `token` is a mapping as `fetch_token` returns it, or a client of this family; `token_placement` is "header", "body"
    or "uri" (RFC 6750 §2), for a client its own. Nothing of a streamed upload is read to sign it. Raises
    `TokenExpiredError` instead of sending an expired token.
    """

    requires_request_body = False

    def __init__(self, token: Mapping[str, Any] | Any, token_placement: str = "header") -> None:
        session: Any = token
        if isinstance(session, OAuth2Client):
            self._core: SessionCore = session._oauth
            self._flight: Any = getattr(session, "_flight")  # noqa: B009  # its subclass's
        elif isinstance(token, Mapping):
            options = SessionOptions(token_placement=token_placement)
            self._core = SessionCore(
                options, HttpxLibrary(library()), OAuth2Token.from_dict(cast("Mapping[str, Any]", token))
            )
            self._flight = None
        else:
            raise UsageError("OAuth2Auth takes a token (a mapping), or a client of this family")

    def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        """Send the request with the token."""
        flight = self._flight or SingleFlight(self._core.slot, _no_effects, self._core.options.clock)
        if not isinstance(flight, SingleFlight):
            raise UsageError("this token belongs to an asynchronous client: use it with one")
        yield self._signed(request, flight.token(), lambda flow: run(flow, _no_effects))

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        """Send the request with the token."""
        flight = self._flight or AsyncSingleFlight(self._core.slot, _ano_effects, self._core.options.clock)
        if not isinstance(flight, AsyncSingleFlight):
            raise UsageError("this token belongs to a client that blocks: use it with one")
        token = await flight.token()
        if self._is_plain:
            request.headers["Authorization"] = authorization_header(token)
            yield request
        else:
            wire = await arun(self._core.sign(token, *_wire_of(request, self._core)), _ano_effects)
            yield _rebuilt(request, wire)

    @property
    def _is_plain(self) -> bool:
        return self._core.options.token_placement == "header" and not self._core.hooks.of("protected_request")

    def _signed(self, request: Any, token: OAuthToken, through: Callable[[Any], Any]) -> Any:
        if self._is_plain:
            request.headers["Authorization"] = authorization_header(token)
            return request
        return _rebuilt(request, through(self._core.sign(token, *_wire_of(request, self._core))))


def _wire_of(request: Any, core: SessionCore) -> tuple[str, dict[str, str], Any]:
    """Return (url, headers, body) for signing; the body is None where it is streamed, which only a header survives."""
    body = getattr(request, "_content", None)
    if body is None and core.options.token_placement == "body":
        raise UsageError("token_placement='body' needs a form-encoded body that is not streamed (RFC 6750 §2.2)")
    return str(request.url), dict(request.headers), body


def _rebuilt(request: Any, wire: tuple[str, Mapping[str, str], Any]) -> Any:
    """Return the request as signing and hooks left it; a body that nobody changed stays the stream it is."""
    url, headers, body = wire
    body = body.encode("utf-8", "surrogateescape") if isinstance(body, str) else body
    make = cast("Any", type(request))
    unchanged = body is None or body == getattr(request, "_content", None)
    kept = {k: v for k, v in headers.items() if unchanged or k.lower() not in ("content-length", "transfer-encoding")}
    if unchanged:
        return make(request.method, url, headers=kept, stream=request.stream, extensions=request.extensions)
    return make(request.method, url, headers=kept, content=body, extensions=request.extensions)


def _no_effects(effect: object) -> Any:
    raise UsageError(f"signing a request asks for nothing, but a hook led to {effect!r}")


async def _ano_effects(effect: object) -> Any:
    return _no_effects(effect)
