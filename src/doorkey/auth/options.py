"""The options of `OAuth2Auth(credentials, …)` that it passes to its token sources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypedDict

if TYPE_CHECKING:
    from doorkey.observe.observer import OnEvent
    from doorkey.protocol.metadata import ServerMetadata
    from doorkey.sources.token_call import HeaderItems
    from doorkey.wire.limits import ExchangePolicy


class SourceOptions(TypedDict, total=False):
    """The options of `TokenSource`, for the token source that `OAuth2Auth` creates from credentials."""

    metadata: ServerMetadata | Mapping[str, Any] | None
    http_client: Any
    leeway: float | None
    background: bool
    exchange: ExchangePolicy | None
    clock: Callable[[], float] | None
    random: Callable[[], float] | None
    sleep: Callable[[float], Any] | None
    on_event: OnEvent | None
    timer: Callable[[], float] | None
    token_params: Mapping[str, Any] | None
    token_request_headers: HeaderItems | None
