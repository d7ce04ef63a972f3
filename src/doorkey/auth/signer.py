"""The logic of an auth object, for every HTTP library: get a token, and sign the request with it."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from typing import Any

from doorkey.arguments import texts
from doorkey.auth.retry_after_401 import AsyncSource, RetryAfter401, Source
from doorkey.errors import UsageError
from doorkey.protocol.bearer import authorization_header, place
from doorkey.sessions.hooks import ComplianceHooks, RedactedWire, Wire
from doorkey.sessions.options import PLACEMENTS, REJECTED
from doorkey.tokens import OAuthToken
from doorkey.transport.senders import AsyncSender
from doorkey.wire.flow import Flow, arun, run
from doorkey.wire.urls import origin_of, split_url


class RequestSigner(RetryAfter401):
    """Adds the token of a source to requests, in the configured place, and only for allowed origins."""

    def __init__(
        self,
        source: Source | None,
        asource: AsyncSource | None,
        *,
        placement: str = "header",
        hooks: ComplianceHooks | None = None,
        allowed_origins: Iterable[str] | None = None,
        rejected_statuses: Iterable[int] = REJECTED,
        retry_rejected: bool = True,
    ) -> None:
        if placement not in PLACEMENTS:
            raise UsageError(f"token_placement must be one of {PLACEMENTS}")
        super().__init__(source, asource, rejected_statuses, retry_rejected)
        sender = getattr(asource, "_sender", None)
        self._async_sender = sender if isinstance(sender, AsyncSender) else None
        self._header: tuple[OAuthToken | None, str] = None, ""  # a cache: nearly every request carries the same token
        self._placement, self._hooks, self.in_header = placement, hooks, placement == "header"
        named = None if allowed_origins is None else texts(allowed_origins, "allowed_origins")
        self._allowed = None if named is None else frozenset(origin_of(url) for url in named)
        self.is_restricted = named is not None

    @property
    def is_plain(self) -> bool:
        """Whether signing only sets a header."""
        return self.in_header and (self._hooks is None or not self._hooks.signing)

    @property
    def in_body(self) -> bool:
        """Whether the token goes into the body."""
        return self._placement == "body"

    def has_own_authorization(self, url: Any, headers: Mapping[str, Any]) -> bool:
        """Return whether a request already has its own `Authorization` header, which is kept.

        Raises `UsageError` if the token may not be sent to `url`.
        """
        if self._allowed is not None:
            self.check_target(url)
        return self.in_header and "Authorization" in headers

    def check_target(self, url: Any) -> None:
        """Raise `UsageError` if the token may not be sent to `url`."""
        if self._allowed is not None and (origin := origin_of(str(url))) not in self._allowed:
            del url  # this frame is in the traceback, and a hook may have put the token there
            raise UsageError(
                f"the token may not be sent to {origin}: add it to allowed_origins=, or omit allowed_origins="
            )

    def token(self) -> OAuthToken:
        """Return a token for a blocking caller. Raises the errors of the source, and `UsageError` if it is async."""
        if self._source is None:
            raise UsageError(
                "this token belongs to an asynchronous client or source: use it with an asynchronous client"
            )
        token: OAuthToken = self._source.token()
        return token

    def token_async(self) -> OAuthToken | Awaitable[OAuthToken]:
        """Return a token for an async caller, or an awaitable that returns it.

        Raises the errors of the source, and `UsageError` if it is blocking.
        """
        if self._asource is None:
            raise UsageError("this token belongs to a blocking client or source: use it with a blocking client")
        token: OAuthToken | Awaitable[OAuthToken] = self._asource.token()
        return token

    @property
    def sender_without_caller(self) -> AsyncSender | None:
        """The async sender of token requests, if it creates its own client and its caller has not been recorded."""
        sender = self._async_sender
        return sender if sender is not None and sender.needs_caller else None

    def header(self, token: OAuthToken) -> str:
        """Return the value of the `Authorization` header. Raises `UsageError` if `token` is not a bearer token."""
        known, value = self._header
        if known is not token:
            value = authorization_header(token)
            self._header = token, value  # one assignment, because threads share it
        return value

    def sign(self, token: OAuthToken, url: str, headers: Mapping[str, str], body: Any) -> Flow[Wire]:
        """Place `token` in the request, and call the `protected_request` hooks with it.

        Raises `UsageError` if a hook changes the URL to an origin that is not allowed.
        """
        wire: Wire = RedactedWire(place(token, self._placement, url, headers, body))
        if self._hooks is None or not self._hooks.signing:
            return wire
        wire = yield from self._hooks.on_request("protected_request", wire)
        split_url(wire[0], "URL of a protected_request hook")
        self.check_target(wire[0])
        return wire

    def signed(self, token: OAuthToken, url: str, headers: Mapping[str, str], body: Any) -> Wire:
        """Return the result of `sign`, for a blocking caller."""
        return run(self.sign(token, url, headers, body), performs_nothing)

    async def asigned(self, token: OAuthToken, url: str, headers: Mapping[str, str], body: Any) -> Wire:
        """Return the result of `sign`, for an async caller."""
        return await arun(self.sign(token, url, headers, body), performs_nothing)


def set_by_signing(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the headers that the placement of the token and the hooks added or changed.

    They are removed with the token on a redirect to another origin. Headers that describe the body are not among them.
    """
    there = {name.lower(): value for name, value in before.items()}
    return tuple(
        name
        for name, value in after.items()
        if there.get(name.lower()) != value and not name.lower().startswith("content-")
    )


def performs_nothing(effect: object) -> Any:
    """Raise `UsageError` for every effect, because signing has no effects."""
    raise UsageError(f"signing a request performs no effect, but a hook yielded {effect!r}")
