"""The device authorization grant: a login on another device, and the polling for its token (RFC 8628)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from doorkey.errors import (
    AuthorizationPending,
    ExpiredDeviceCode,
    InvalidResponse,
    ServerError,
    SlowDown,
    TemporarilyUnavailable,
    TransportError,
)
from doorkey.protocol.token_endpoint import ACCEPT
from doorkey.tokens import legal_refresh_token, lifetime_of
from doorkey.values import Scope, Secret, ShownDefaults
from doorkey.wire.error_context import names_exchange
from doorkey.wire.flow import Flow, Sleep
from doorkey.wire.messages import Pairs, Request, Response
from doorkey.wire.parameters import not_in_query
from doorkey.wire.responses import json_answer
from doorkey.wire.urls import check_endpoint

T = TypeVar("T")

DEFAULT_INTERVAL: Final = 5.0
"""The polling interval in seconds if the response has no valid `interval` (RFC 8628 §3.2)."""
SLOWER: Final = 5.0
"""Seconds that `slow_down` adds to the polling interval (RFC 8628 §3.5)."""
MAX_INTERVAL: Final = 300.0
MAX_USER_CODE: Final = 128
MAX_URL: Final = 2048


@dataclass(frozen=True, slots=True)
class DeviceAuthorization:
    """A login that the user finishes on another device (RFC 8628 §3.2).

    user_code: the code that the user enters at `verification_uri`.
    verification_uri: the URL that the user opens.
    verification_uri_complete: the URL that contains the code, for instance for a QR code, or None.
    expires_at: seconds since the epoch.
    interval: seconds between two token requests.
    device_code: the code that the client sends in token requests.
    scope: the requested scope.
    issuer: the issuer of the server, or None if the client does not know it. No other server gets the code.
    """

    __signature__ = ShownDefaults()

    user_code: str
    verification_uri: str
    expires_at: float
    device_code: Secret
    interval: float = DEFAULT_INTERVAL
    verification_uri_complete: str | None = None
    scope: Scope = field(default_factory=Scope)
    issuer: str | None = None


def device_authorization_request(
    endpoint: str,
    parameters: Iterable[tuple[str, str]] = (),
    *,
    headers: Iterable[tuple[str, str]] = (),
    http_hosts: Collection[str] = (),
) -> Request:
    """Return the request for a device code, without client authentication (RFC 8628 §3.1).

    endpoint: the URL of the device authorization endpoint.
    parameters: the parameters of the request, such as `scope`.
    headers: further headers.
    http_hosts: hosts beside loopback that plain http may reach.

    Raises `UsageError` for an invalid endpoint, and for a parameter that has another value in the endpoint's query.
    """
    check_endpoint(endpoint, "device authorization endpoint", http_hosts)
    form: Pairs = not_in_query(endpoint, tuple(parameters))
    request = Request("POST", endpoint, ACCEPT, form)
    for name, value in headers:
        request = request.with_header(name, value)
    return request


@names_exchange
def parse_device_authorization(response: Response, *, requested_at: float) -> DeviceAuthorization:
    """Return the login in the response of the server (RFC 8628 §3.2).

    requested_at: the time of the request in seconds since the epoch, at which the lifetime begins.

    Raises `ServerError` for an error response, and `InvalidResponse` for a response without a valid `device_code`,
    `user_code`, `verification_uri` or `expires_in`. A `user_code` or URL with control characters is invalid, because it
    is shown to the user.
    """
    answer = json_answer(response, "device authorization response", requested_at, finite=False)
    device_code, user_code = answer.get("device_code"), answer.get("user_code")
    if not legal_refresh_token(device_code):
        raise _bad("device_code", response.status)
    if not isinstance(user_code, str) or not 0 < len(user_code) <= MAX_USER_CODE or not user_code.isprintable():
        raise _bad("user_code", response.status)
    lifetime = lifetime_of(answer.get("expires_in"))
    if lifetime is None:
        raise _bad("expires_in", response.status)
    url = answer.get("verification_uri") or answer.get("verification_url")  # Google's name
    complete = answer.get("verification_uri_complete") or answer.get("verification_url_complete")
    if not _can_be_shown(url):
        raise _bad("verification_uri", response.status)
    return DeviceAuthorization(
        user_code=user_code,
        verification_uri=str(url),
        expires_at=requested_at + lifetime,
        device_code=Secret(str(device_code)),
        interval=_interval(answer.get("interval")),
        verification_uri_complete=str(complete) if _can_be_shown(complete) else None,
    )


def poll_for_token(
    device: DeviceAuthorization, request_token: Callable[[], Flow[T]], clock: Callable[[], float]
) -> Flow[T]:
    """Call `request_token` until the user has finished the login, and return its result (RFC 8628 §3.5).

    device: the login.
    request_token: makes one token request.
    clock: returns seconds since the epoch.

    The first request follows after one interval. `slow_down` adds 5 seconds to the interval, and a failure of the
    network or the server doubles it, up to 300 seconds. A longer `Retry-After` is respected. Raises `ExpiredDeviceCode`
    after the code has expired, `AccessDenied` if the user refused, and any other error of `request_token`.
    """
    interval, pause = device.interval, device.interval
    while True:
        left = device.expires_at - clock()
        if left <= 0:
            raise ExpiredDeviceCode(
                ExpiredDeviceCode.code, "the user did not finish the login in time: begin again with a new code"
            )
        yield from Sleep(min(pause, left))
        try:
            return (yield from request_token())
        except AuthorizationPending:
            pause = interval
        except SlowDown:
            pause = interval = min(interval + SLOWER, MAX_INTERVAL)
        except TemporarilyUnavailable as busy:
            pause = max(interval, busy.retry_after or 0.0)
        except (TransportError, ServerError, InvalidResponse) as failed:
            if not isinstance(failed, TransportError) and (failed.status or 0) < 500:
                raise
            pause = interval = min(interval * 2, MAX_INTERVAL)


def _interval(given: object) -> float:
    """Return the polling interval in seconds. An invalid value means the default of 5 (RFC 8628 §3.2)."""
    return min(lifetime_of(given) or DEFAULT_INTERVAL, MAX_INTERVAL)


def _can_be_shown(url: object) -> bool:
    """Return whether `url` can be shown to a user. Any host is accepted, because only the user's browser opens it."""
    if not isinstance(url, str) or len(url) > MAX_URL or not url.isascii() or not url.isprintable() or " " in url:
        return False
    return url.startswith(("https://", "http://"))


def _bad(member: str, status: int) -> InvalidResponse:
    return InvalidResponse(
        f"{member}_missing",
        f"the device authorization response has no valid {member} (RFC 8628 §3.2): is this the "
        "device_authorization_endpoint of the server?",
        status=status,
    )
