"""Compliance hooks: user functions that correct requests and responses for a server that violates the protocol."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from doorkey.arguments import did_you_mean, function, text
from doorkey.errors import UsageError
from doorkey.values import Redacted, hides_locals
from doorkey.wire.flow import Flow, Settle
from doorkey.wire.messages import body_bytes, header_pairs
from doorkey.wire.urls import check_endpoint, http_host_of

if TYPE_CHECKING:
    from doorkey.transport.library import Library
    from doorkey.wire.messages import Request, Response

Hook: TypeAlias = Callable[..., Any]
"""``(response) -> response`` or ``(url, headers, body) -> (url, headers, body)``. The result may be awaitable."""

Wire: TypeAlias = "tuple[str, Mapping[str, str], Any]"


class RedactedWire(Redacted, tuple[str, Mapping[str, str], Any]):
    """(url, headers, body) with secrets in plain text. Its repr hides them from tracebacks with local variables."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<url, headers, body>"

    __str__ = __repr__


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
        """Whether any hook is registered."""
        self.signing = False
        """Whether a `protected_request` hook is registered. Checked on every request."""

    def copied(self) -> ComplianceHooks:
        """Return a copy for another session, which may then add its own hooks."""
        twin = ComplianceHooks()
        twin._hooks, twin.registered, twin.signing = dict(self._hooks), self.registered, self.signing
        return twin

    def add(self, kind: str, hook: Hook) -> None:
        """Register `hook`, once. Raises `UsageError` for an unknown kind, and for a hook that is not callable."""
        text(kind, "the kind of a hook")
        function(hook, "a hook must be a callable")
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
        """Call the hooks of `kind` with the response of the HTTP library, and return their result.

        Raises `UsageError` if a hook returns None.
        """
        for hook in self._hooks[kind]:
            response = yield from _maybe_await(hook(response))
            if response is None:
                raise UsageError(f"the {kind} hook {_name(hook)} must return the response")
        return response

    def on_request(self, kind: str, wire: Wire) -> Flow[Wire]:
        """Call the hooks of `kind` with (url, headers, body), and return their result.

        If a hook raises, its traceback shows no secret of the request, because `RedactedWire` hides it. Raises
        `UsageError` for an invalid result.
        """
        wire = RedactedWire(wire)
        for hook in self._hooks[kind]:
            wire = _checked((yield from _maybe_await(hook(*wire))), kind, hook)
        return wire


class HooksOnWire:
    """Calls the hooks of a session with doorkey's requests and responses. `library` converts them for the hooks."""

    def __init__(self, hooks: ComplianceHooks, library: Library) -> None:
        self._hooks, self._library = hooks, library

    def on_request(self, kind: str, request: Request) -> Flow[Request]:
        """Return the request with the changes of the hooks of `kind`. Raises `UsageError` for an invalid request."""
        if not self._hooks.of(kind):
            return request
        return _with_wire(request, (yield from self._hooks.on_request(kind, _wire_of(request))), kind)

    def on_response(self, kind: str, request: Request, response: Response) -> Flow[Response]:
        """Return the response to `request` with the changes of the hooks of `kind`."""
        if not self._hooks.of(kind):
            return response
        native = self._library.native_response(response, request)
        native = yield from self._hooks.on_response(kind, native)
        return replace(self._library.plain_response(native), request=request)


def _maybe_await(value: Any | Awaitable[Any]) -> Flow[Any]:
    """Return the result of a hook. Only an awaitable is passed to the driver, because the value contains secrets."""
    return (yield from Settle(value)) if inspect.isawaitable(value) else value


def _wire_of(request: Request) -> RedactedWire:
    body = request.content.decode("utf-8", "surrogateescape")
    return RedactedWire((request.url, dict(request.headers), body))


@hides_locals
def _with_wire(request: Request, wire: Wire, kind: str) -> Request:
    url, headers, body = wire
    return replace(
        request,
        url=check_endpoint(url, f"URL of a {kind} hook", http_host_of(request.url)),
        headers=tuple(headers.items()),
        form=(),
        body=body_bytes(body, f"the body that a {kind} hook returns"),
    )


@hides_locals
def _checked(returned: Any, kind: str, hook: Hook) -> RedactedWire:
    """Return the URL, headers and body that `hook` returned. Raises `UsageError` if they are invalid."""
    try:
        url, headers, body = returned
    except (TypeError, ValueError):
        raise UsageError(f"the {kind} hook {_name(hook)} must return (url, headers, body)") from None
    source = f"a {kind} hook"
    given: object = body
    if isinstance(given, Collection) or not isinstance(given, Iterable):  # otherwise a streamed body
        body_bytes(body, f"the body that {source} returns")
    if not text(url, f"the URL of {source}").isprintable():
        raise UsageError(f"the URL of {source} contains a control character or a lone surrogate")
    return RedactedWire((url, dict(header_pairs(headers, f"the headers that {source} returns")), body))


def _name(hook: Hook) -> str:
    return getattr(hook, "__qualname__", type(hook).__name__)
