"""The logic of an auth object, for every HTTP library: get a token, sign the request, renew a rejected token."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Iterable, Mapping
from typing import Any, Final, Protocol, cast

from doorkey.arguments import did_you_mean, error_statuses, flag, texts
from doorkey.auth.options import SourceOptions
from doorkey.auth.repeated import repetitions
from doorkey.errors import UsageError
from doorkey.protocol.bearer import authorization_header, place
from doorkey.protocol.challenge import is_invalid_token
from doorkey.renewal.api_rejections import RecordedSource, RejectableSource
from doorkey.renewal.single_flight import AsyncSingleFlight, SingleFlight
from doorkey.renewal.slot import Slot
from doorkey.renewal.state import TokenState, reject
from doorkey.runtime.clock import wall_time
from doorkey.sessions.client import OAuth2Client
from doorkey.sessions.hooks import ComplianceHooks, RedactedWire, Wire
from doorkey.sessions.options import PLACEMENTS, REJECTED, SessionOptions
from doorkey.tokens import OAuth2Token, OAuthToken
from doorkey.transport.senders import AsyncSender
from doorkey.wire.flow import Flow, arun, run
from doorkey.wire.urls import origin_of, split_url

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})

_OF_ONE_SOURCE: Final = frozenset({"sleep", "http_client", "background", "exchange"})
"""The options that the blocking and the asynchronous source each take. They share all others in one `SourceCore`."""
_NOT_OF_THE_CORE: Final = _OF_ONE_SOURCE - {"exchange"}

_NONE: Final[Mapping[str, Any]] = {}


class Source(Protocol):
    """The token source of a blocking caller. `reject` returns False if no other token will ever be available."""

    def token(self) -> OAuthToken:
        """Return a token that may be sent now."""
        ...

    def reject(self, token: OAuthToken) -> bool | None:
        """Forget `token`, because a server rejected it."""
        ...


class AsyncSource(Protocol):
    """The token source of an async caller. `reject` returns False if no other token will ever be available."""

    def token(self) -> OAuthToken | Awaitable[OAuthToken]:
        """Return a token that may be sent now, or an awaitable that returns it."""
        ...

    def reject(self, token: OAuthToken) -> Any:
        """Forget `token`, because a server rejected it."""
        ...


class FlightSource(RejectableSource):
    """The token of a session, or a fixed token, as a source."""

    def __init__(self, state: TokenState, flight: SingleFlight[Any] | AsyncSingleFlight[Any]) -> None:
        self._state = state
        self.token: Any = flight.token if isinstance(flight, SingleFlight) else flight._at_once

    def reject(self, token: OAuthToken) -> bool:
        """Forget `token`; return whether it can be renewed."""
        state = self._state
        if not state.renewable():
            if state.observer is not None:
                state.observer.rejected()
            return False
        reject(state, token)
        return True

    def _token_state(self) -> TokenState:
        return self._state


class RequestSigner:
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
        self._retries = flag(retry_rejected, "retry_rejected")
        self._rejected = error_statuses(rejected_statuses, "rejected_statuses")
        self._source, self._asource = _rejectable(source), _rejectable(asource)
        self._verdicts: RejectableSource = self._source or self._asource  # both share one state
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

    def is_rejection(self, status: int, headers: Any) -> bool:
        """Return whether a response rejects the token, by its status or by its challenge (RFC 6750 §3.1)."""
        if status < 400 or not self._retries:
            return False
        return status in self._rejected or is_invalid_token(_challenge_in(headers))

    def replacement(self, rejected: OAuthToken, url: Any, *, wanted: bool = True) -> OAuthToken | None:
        """Forget the token that was `rejected` at `url`. Return another token, or None if there is none.

        If not `wanted`, None is returned, but the token is forgotten all the same. If the API at `url` rejected the
        previous token too and has not accepted this one yet, the token is kept, because no other token would help
        there (`ApiRejections`). Raises the error of the renewal.
        """
        source = self._source
        if source is None or source._rejected(rejected, origin_of(str(url))) is False or not wanted:
            return None
        return self._other(source.token(), rejected)

    async def replacement_async(self, rejected: OAuthToken, url: Any, *, wanted: bool = True) -> OAuthToken | None:
        """Forget the token that was `rejected` at `url`, and return another token. See `replacement`."""
        source = self._asource
        if source is None or await maybe_await(source._rejected(rejected, origin_of(str(url)))) is False or not wanted:
            return None
        return self._other(await maybe_await(source.token()), rejected)

    def _other(self, token: OAuthToken, rejected: OAuthToken) -> OAuthToken | None:
        self._verdicts._replaced(token)
        return token if token.access_token != rejected.access_token else None

    @property
    def needs_verdict(self) -> bool:
        """Whether the next response must be recorded: a replacement token has not been accepted yet. Checked on every
        request."""
        return self._verdicts._awaits_verdict

    def answered(self, token: OAuthToken, status: int, headers: Any, url: Any) -> None:
        """Record the response of the API at `url` to a request with `token`.

        Any response means that the API accepted the token, except a rejection, a 401 and a redirect.
        """
        if status == 401 or status in REDIRECTS or not self._verdicts._awaits_verdict:
            return
        if not self.is_rejection(status, headers):
            self._verdicts._accepted(token, origin_of(str(url)))

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


def _rejectable(source: Any) -> Any:
    """Return `source` with a record of the APIs that rejected its token. A source that a program wrote has none."""
    return source if source is None or isinstance(source, RejectableSource) else RecordedSource(source)


def _challenge_in(headers: Any) -> str | None:
    """Return the value of `WWW-Authenticate`. Repeated fields are joined, which aiohttp's headers do not do."""
    if hasattr(headers, "getall"):
        return ", ".join(headers.getall("WWW-Authenticate", ()))
    value: str | None = headers.get("WWW-Authenticate")
    return value


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


def signer_for(
    token_source: Any, *, token_placement: str = "header", options: Mapping[str, Any] = _NONE, **sending: Any
) -> RequestSigner:
    """Return the request signer of a session, a source, credentials (with `options` of a source) or a token.

    `sending` contains the other options of `RequestSigner`. Raises `UsageError` for any other `token_source`, and for
    options that it does not take.
    """
    if not isinstance(token_source, OAuth2Client):
        both = _sources_of(token_source, options)
        return RequestSigner(*both, placement=token_placement, **sending)
    core, flight = token_source._oauth, token_source._flight
    placed = core.options.token_placement
    if token_placement not in ("header", placed):
        raise UsageError(f"this session places its token itself ({placed}): construct it with token_placement=")
    _refuse(options, token_source)
    source: Any = FlightSource(core.slot, flight)
    both = (source, None) if isinstance(flight, SingleFlight) else (None, source)
    return RequestSigner(*both, placement=placed, hooks=core.hooks, **{**sending, **_of_session(core.options, sending)})


def _of_session(options: SessionOptions, sending: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a session's signer for rejected tokens: those of the session, and of `sending`.

    Statuses in `sending` take precedence unless they are the default. A retry must be enabled in both.
    """
    statuses = error_statuses(sending.get("rejected_statuses", REJECTED), "rejected_statuses")
    return {
        "rejected_statuses": options.rejected_statuses if statuses == REJECTED else statuses,
        "retry_rejected": flag(sending.get("retry_rejected", True), "retry_rejected") and options.retry_rejected,
    }


def _sources_of(token_source: Any, options: Mapping[str, Any]) -> tuple[Any, Any]:
    if isinstance(token_source, Mapping):
        _refuse(options, token_source)
        return _static(OAuth2Token(cast("Mapping[str, Any]", token_source)))
    if callable(getattr(token_source, "token", None)) and callable(getattr(token_source, "reject", None)):
        _refuse(options, token_source)
        awaits = inspect.iscoroutinefunction(token_source.token)
        return (None, token_source) if awaits else (token_source, None)
    from doorkey.credentials import Credentials

    if not isinstance(token_source, Credentials):
        raise UsageError(
            "OAuth2Auth takes a session, a token source, credentials such as ClientCredentials(client_id, "
            f"client_secret), or a token (a mapping), not {type(token_source).__name__}"
        )
    return _of_credentials(token_source, options)


def _of_credentials(credentials: Any, options: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return a blocking and an asynchronous source that share one token and one lock."""
    from doorkey.sources import AsyncTokenSource, TokenSource
    from doorkey.sources.core import SourceCore

    known = {"issuer", "token_endpoint", *SourceOptions.__annotations__}
    if (unknown := next((name for name in options if name not in known), None)) is not None:
        raise UsageError(f"there is no option {unknown!r}{did_you_mean(unknown, sorted(known))}")
    core = SourceCore(credentials, **{name: value for name, value in options.items() if name not in _NOT_OF_THE_CORE})
    repetitions.note((credentials, options.get("issuer"), options.get("token_endpoint")))
    own = {name: value for name, value in options.items() if name in _OF_ONE_SOURCE}
    sleep = own.pop("sleep", None)
    sleeps: dict[str, Any] = {} if sleep is None else {"sleep": sleep}
    awaits = inspect.iscoroutinefunction(sleep)
    # A `sleep` fits only one of the two sources, and is omitted for the other. An http_client fits only one too, but
    # both get it. Using the other source then raises `UsageError`: its own client would lack the proxy or TLS settings.
    return (
        TokenSource._on(core, **own, **({} if awaits else sleeps)),
        AsyncTokenSource._on(core, **own, **(sleeps if awaits else {})),
    )


def _refuse(options: Mapping[str, Any], token_source: Any) -> None:
    for name in options:
        kind = type(token_source).__name__
        raise UsageError(f"{name}= is for credentials; this {kind} already has its authorization server")


def _static(token: OAuth2Token) -> tuple[Source, Any]:
    slot = Slot(_NotRenewable())
    slot.set_token(token.value)
    return (
        FlightSource(slot, SingleFlight(slot, performs_nothing, wall_time)),
        FlightSource(slot, AsyncSingleFlight(slot, performs_nothing, wall_time)),
    )


class _NotRenewable:
    """The renewal of a fixed token, which always fails."""

    def renew(self, token: OAuthToken | None) -> Flow[OAuthToken]:
        raise UsageError("this token was given once and cannot be renewed")

    def renewable(self, token: OAuthToken | None) -> bool:
        return False

    def repeatable(self) -> bool:
        return False


async def maybe_await(outcome: Any) -> Any:
    """Return the outcome, awaited if it is awaitable."""
    return await outcome if hasattr(outcome, "__await__") else outcome


def performs_nothing(effect: object) -> Any:
    """Raise `UsageError` for every effect, because signing has no effects."""
    raise UsageError(f"signing a request performs no effect, but a hook yielded {effect!r}")
