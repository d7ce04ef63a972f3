"""The hardened exchange on aiohttp: through the session's connector, proxy and TLS settings.

`ClientSession.request` would store cookies, follow redirects, read `.netrc` and run the session's middlewares. So each
exchange uses a session of its own, which uses the connector of the user's session and does not close it.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from doorkey.arguments import seconds
from doorkey.errors import OAuthError, TransportError, UsageError, scrubbed
from doorkey.runtime.deadline import too_late
from doorkey.runtime.shield import begin_exchange
from doorkey.transport.failure_reasons import reason_of
from doorkey.transport.headers_on_aiohttp import HeaderCount
from doorkey.transport.scrubbed_causes import caused_by, detached
from doorkey.values import without_frames
from doorkey.wire.limits import ACCEPT_ENCODING, BoundedReader, ExchangePolicy, headers_too_large
from doorkey.wire.messages import Request, Response

CHUNK: Final = 16 * 1024
_AUTHORITY: Final = 'connector=TCPConnector(ssl=ssl.create_default_context(cafile="ca.pem")) of the session'
_CERTIFICATE: Final = "load_cert_chain() of the ssl context of the session's connector"


def is_session(client: Any) -> bool:
    """Return whether `client` is a `ClientSession` of aiohttp."""
    return any(
        base.__name__ == "ClientSession" and base.__module__.partition(".")[0] == "aiohttp"
        for base in type(client).__mro__
    )


async def aexchange(session: Any, request: Request, policy: ExchangePolicy) -> Response:
    """Send `request` on the connector of `session` and return the bounded response.

    Raises `TransportError` and `InvalidResponse`, and `UsageError` for a session that is closed, or if `policy` names
    addresses: aiohttp resolves names in the connector.
    """
    if session.closed:
        raise UsageError("this client session has been closed: create another one")
    if policy.addresses is not None:
        raise UsageError(
            "ExchangePolicy.addresses cannot be enforced on aiohttp, whose connector resolves names: pass an "
            "AsyncClient of httpx2 or httpx as http_client"
        )
    begin_exchange()
    try:
        return await _sent(session, request, policy)
    except OAuthError as error:
        failed = error
    raise without_frames(failed)  # the frames hold the headers and the form of the request


async def _sent(session: Any, request: Request, policy: ExchangePolicy) -> Response:
    import aiohttp
    import anyio

    limit = dict(request.options).get("timeout")
    timeout = policy.deadline if limit is None else min(seconds(limit, "a timeout"), policy.deadline)
    headers = {"User-Agent": session.headers.get("User-Agent", "doorkey"), "Accept-Encoding": ACCEPT_ENCODING}
    count = HeaderCount(policy.max_headers)
    own = aiohttp.ClientSession(
        connector=session.connector,
        request_class=count.request_class(),
        connector_owner=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        trust_env=False,
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=timeout, sock_read=timeout),
    )
    try:
        with anyio.fail_after(policy.deadline):
            async with (
                own,
                own.request(
                    request.method,
                    request.url,
                    headers={**headers, **dict(request.headers)},
                    data=request.content or None,
                    allow_redirects=False,
                    proxy=getattr(session, "_default_proxy", None),
                    proxy_auth=getattr(session, "_default_proxy_auth", None),
                ) as native,
            ):
                inbox = BoundedReader(native.status, native.headers.items(), policy)
                async for chunk in native.content.iter_chunked(CHUNK):
                    inbox.feed(chunk)
                return inbox.response()
    except OAuthError:  # some of them are ValueErrors too
        raise
    except aiohttp.ServerTimeoutError as error:  # also a TimeoutError
        failed = caused_by(error, _transport_error(request, error), request.url)
    except TimeoutError as error:
        failed = too_late(policy.deadline)
        failed.__cause__ = detached(error)
    except (aiohttp.InvalidURL, UnicodeError, ValueError) as error:
        raise UsageError("a header or the URL contains a character that HTTP does not allow") from scrubbed(error)
    except (aiohttp.ClientError, OSError) as error:
        failed = caused_by(error, _transport_error(request, error), request.url)
    raise headers_too_large(policy.max_headers) if count.is_exceeded else failed


def _transport_error(request: Request, error: Exception) -> TransportError:
    import aiohttp

    parts = urlsplit(request.url)
    why = reason_of(error, _AUTHORITY, _CERTIFICATE, needs_certificate=request.needs_certificate)
    never_left = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError)
    return TransportError(f"no usable response from {parts.scheme}://{parts.netloc}{why}", retryable=never_left)
