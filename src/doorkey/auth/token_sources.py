"""The token of an auth object: that of a session, a source, credentials, or a fixed token."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Final, cast

from doorkey.arguments import did_you_mean, error_statuses, flag
from doorkey.auth.options import SourceOptions
from doorkey.auth.repeated_construction import repetitions
from doorkey.auth.retry_after_401 import Source
from doorkey.auth.signer import RequestSigner, performs_nothing
from doorkey.errors import UsageError
from doorkey.renewal.api_rejections import RejectableSource
from doorkey.renewal.single_flight import AsyncSingleFlight, SingleFlight
from doorkey.renewal.slot import Slot
from doorkey.renewal.state import TokenState, reject
from doorkey.runtime.clock import wall_time
from doorkey.sessions.client import OAuth2Client
from doorkey.sessions.options import REJECTED, SessionOptions
from doorkey.tokens import OAuth2Token, OAuthToken
from doorkey.wire.flow import Flow

_OF_ONE_SOURCE: Final = frozenset({"sleep", "http_client", "background", "exchange"})
"""The options that the blocking and the asynchronous source each take. They share all others in one `SourceCore`."""
_NOT_OF_THE_CORE: Final = _OF_ONE_SOURCE - {"exchange"}

_NONE: Final[Mapping[str, Any]] = {}


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
