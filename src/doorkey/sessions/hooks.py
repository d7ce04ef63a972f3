"""Compliance hooks: functions of the user that repair the requests and responses of a server, in registration order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from doorkey.arguments import did_you_mean, function, text
from doorkey.errors import UsageError
from doorkey.wire.flow import Flow, Settle
from doorkey.wire.messages import body_bytes, header_pairs
from doorkey.wire.urls import check_endpoint, http_host_of

if TYPE_CHECKING:
    from doorkey.transport.library import Library
    from doorkey.wire.messages import Request, Response

Hook: TypeAlias = Callable[..., Any]
"""``(response) -> response`` or ``(url, headers, body) -> (url, headers, body)``, or the same awaitable."""

Wire: TypeAlias = "tuple[str, Mapping[str, str], Any]"

KINDS: Final = (
    "access_token_response",
    "refresh_token_request",
    "refresh_token_response",
    "revoke_token_request",
    "introspect_token_request",
    "protected_request",
)


class ComplianceHooks:
    """The hooks of one session, by kind."""

    def __init__(self) -> None:
        self._hooks: dict[str, tuple[Hook, ...]] = dict.fromkeys(KINDS, ())
        self.registered = False
        """Whether there is any hook."""
        self.signing = False
        """Whether there is a hook of the kind `protected_request`. Checked on every request."""

    def add(self, kind: str, hook: Hook) -> None:
        """Register `hook`. Raises `UsageError` for an unknown kind, and for a value that cannot be called."""
        text(kind, "the kind of a hook")
        function(hook, "a hook is a callable")
        if kind not in self._hooks:
            raise UsageError(f"there is no hook {kind!r}{did_you_mean(kind, KINDS, f': {KINDS}')}")
        if hook not in self._hooks[kind]:
            self._hooks[kind] += (hook,)
            self.registered = True
            self.signing = bool(self._hooks["protected_request"])

    def of(self, kind: str) -> tuple[Hook, ...]:
        """Return the hooks of `kind`."""
        return self._hooks[kind]

    def on_response(self, kind: str, response: Any) -> Flow[Any]:
        """Pass the HTTP library's own response through the hooks."""
        for hook in self._hooks[kind]:
            response = yield from _settled(hook(response))
            if response is None:
                raise UsageError(f"the {kind} hook {_name(hook)} must return the response")
        return response

    def on_request(self, kind: str, wire: Wire) -> Flow[Wire]:
        """Pass (url, headers, body) through the hooks."""
        for hook in self._hooks[kind]:
            returned: Any = yield from _settled(hook(*wire))
            try:
                url, headers, body = returned
            except (TypeError, ValueError):
                raise UsageError(f"the {kind} hook {_name(hook)} must return (url, headers, body)") from None
            wire = _checked(url, headers, body, f"a {kind} hook")
        return wire


class HooksOnWire:
    """The hooks of a session, for requests and responses of ours; `library` knows the HTTP library's own."""

    def __init__(self, hooks: ComplianceHooks, library: Library) -> None:
        self._hooks, self._library = hooks, library

    def on_request(self, kind: str, request: Request) -> Flow[Request]:
        """Return the request as the hooks of `kind` want it. Raises `UsageError` for one that cannot be made."""
        if not self._hooks.of(kind):
            return request
        body = request.content.decode("utf-8", "surrogateescape")
        url, headers, data = yield from self._hooks.on_request(kind, (request.url, dict(request.headers), body))
        return replace(
            request,
            url=check_endpoint(url, f"URL of a {kind} hook", http_host_of(request.url)),
            headers=tuple(headers.items()),
            form=(),
            body=body_bytes(data, f"the body that a {kind} hook returns"),
        )

    def on_response(self, kind: str, request: Request, response: Response) -> Flow[Response]:
        """Return the response to `request` as the hooks of `kind` want it."""
        if not self._hooks.of(kind):
            return response
        native = self._library.native_response(response, request)
        native = yield from self._hooks.on_response(kind, native)
        return replace(self._library.plain_response(native), asked=request)


def _settled(value: Any | Awaitable[Any]) -> Flow[Any]:
    return (yield from Settle(value))


def _checked(url: Any, headers: Any, body: Any, source: str) -> Wire:
    """Return the parts of a request that `source` returned. Raises `UsageError` if no request can be made of them."""
    given: object = body
    if isinstance(given, Collection) or not isinstance(given, Iterable):  # else a stream, which some requests have
        body_bytes(body, f"the body that {source} returns")
    if not text(url, f"the URL of {source}").isprintable():
        raise UsageError(f"the URL of {source} holds a control character or a lone surrogate")
    return url, dict(header_pairs(headers, f"the headers that {source} returns")), body


def _name(hook: Hook) -> str:
    return getattr(hook, "__qualname__", type(hook).__name__)
