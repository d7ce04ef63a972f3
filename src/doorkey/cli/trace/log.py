"""The log of a trace. It names each exchange after its endpoint, and reports every event when it happens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from doorkey.cli.trace.events import Event, Message, Rows
from doorkey.cli.trace.masking import request_shown, response_shown
from doorkey.protocol.metadata import ServerMetadata
from doorkey.wire.messages import Request, Response

_GRANTS: Final = {
    "authorization_code": ("the code is exchanged for a token", "RFC 6749 §4.1.3, RFC 7636 §4.5"),
    "refresh_token": ("the token is renewed", "RFC 6749 §6"),
    "client_credentials": ("the client requests a token for itself", "RFC 6749 §4.4.2"),
    "urn:ietf:params:oauth:grant-type:device_code": ("the client asks whether the user has finished", "RFC 8628 §3.4"),
}
_ENDPOINTS: Final = {
    "jwks_uri": ("the keys of the issuer", "RFC 7517 §5"),
    "userinfo_endpoint": ("the claims about the user (UserInfo)", "OpenID Connect Core §5.3"),
    "revocation_endpoint": ("the token is revoked", "RFC 7009 §2.1"),
    "device_authorization_endpoint": ("a device authorization is requested", "RFC 8628 §3.1"),
    "pushed_authorization_request_endpoint": ("the authorization request is pushed", "RFC 9126 §2"),
}
_PUBLIC: Final = frozenset({"jwks_uri", "metadata"})


class Log:
    """The events of one trace, in order.

    on_event: is called with each event.

    The attribute `metadata` is the server's metadata once it was fetched. Exchanges are named after its endpoints.
    """

    def __init__(self, on_event: Callable[[Event], None]) -> None:
        self._on_event = on_event
        self.events: list[Event] = []
        self.metadata: ServerMetadata | None = None

    def add(self, event: Event) -> None:
        """Add an event, and report it."""
        self.events.append(event)
        self._on_event(event)

    def add_step(self, title: str, section: str = "", rows: Iterable[tuple[str, str]] = (), note: str = "") -> None:
        """Add an event that is not an exchange."""
        self.add(Event(title=title, section=section, rows=tuple(rows), note=note))

    def exchange(self, request: Request, response: Response | None, seconds: float) -> None:
        """Add an exchange without its secrets. `response` is None if there was none; `seconds` is its duration."""
        kind = self._kind(request)
        message = request_shown(request)
        title, section = _name(kind, message.body)
        reply: Message | None = None
        if response is not None:
            reply = response_shown(response, is_public=kind in _PUBLIC and response.status == 200)
        self.add(
            Event(
                title=title,
                section=section,
                request=message,
                response=reply,
                milliseconds=seconds * 1000,
                note="" if response is not None else "there is no response: the connection failed",
                failed=response is None or (response.status >= 400 and not _is_pending(reply)),
            )
        )

    def _kind(self, request: Request) -> str:
        url = request.url
        if "/.well-known/" in url and request.method == "GET":
            return "metadata"
        for name in ("token_endpoint", *_ENDPOINTS):
            if self.metadata is not None and getattr(self.metadata, name) == url:
                return name
        return ""


def _is_pending(reply: Message | None) -> bool:
    """Return whether the user has not finished the device flow yet, so that the client polls again (RFC 8628 §3.5)."""
    error = dict(reply.body).get("error") if reply is not None else None
    return error in ("authorization_pending", "slow_down")


def _name(kind: str, form: Rows) -> tuple[str, str]:
    if kind == "metadata":
        return "the metadata of the issuer (discovery)", "RFC 8414 §3, OpenID Connect Discovery §4"
    if kind == "token_endpoint":
        return _GRANTS.get(dict(form).get("grant_type", ""), ("a token request", "RFC 6749 §3.2"))
    return _ENDPOINTS.get(kind, ("a request", ""))
