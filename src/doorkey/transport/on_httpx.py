"""The hardened exchange on httpx2 and httpx: it uses only the client's transport, timeout and User-Agent.

`Client.send` would store cookies, run the user's event hooks and could follow redirects. So the request is built here
and passed to the transport that the client would use. The client's proxy, mounts and TLS settings apply.
"""

from __future__ import annotations

import re
from typing import Any, Final, cast
from urllib.parse import urlsplit

from doorkey.arguments import instance, seconds
from doorkey.errors import OAuthError, TransportError, UsageError, scrubbed
from doorkey.protocol.client_identity import ClientAuthMethod, ClientIdentity, Headers, Signed
from doorkey.runtime.deadline import too_late, within
from doorkey.runtime.interrupts import begin_exchange
from doorkey.runtime.shield import begin_exchange as begin_exchange_of_task
from doorkey.transport.auth_values import client_auth_of
from doorkey.transport.failure_reasons import reason_of
from doorkey.transport.headers_on_httpx import HeaderCount
from doorkey.transport.library import body_of
from doorkey.transport.pinned_httpx import achecked, checked
from doorkey.transport.scrubbed_causes import caused_by, detached
from doorkey.values import hides_locals, without_frames
from doorkey.wire.limits import ACCEPT_ENCODING, BoundedReader, ExchangePolicy
from doorkey.wire.messages import Request, Response

_AUTHORITY: Final = (
    "the environment variable SSL_CERT_FILE, or by "
    'verify=ssl.create_default_context(cafile="ca.pem") on the client (of a source: http_client=)'
)
_CHARACTER: Final = "a header or the URL contains a character that HTTP does not allow"
_ENDS_A_HEADER: Final = re.compile(r"[\r\n\0]")
_CERTIFICATE: Final = "load_cert_chain() of the ssl context that is the client's verify="


@hides_locals
def exchange(lib: Any, client: Any, request: Request, policy: ExchangePolicy) -> Response:
    """Send `request` through the transport of `client` and return the bounded response.

    lib: httpx2 or httpx.
    policy: the bounds.

    Raises `UsageError`, `TransportError`, `InvalidResponse`, and `VerificationError` for an address that `policy`
    refuses.
    """
    native_request = _native_request(lib, client, request, policy)
    transport = client._transport_for_url(native_request.url)
    permission = policy.addresses

    def receive(transport: Any, native_request: Any) -> Response:
        extensions = native_request.extensions
        count = HeaderCount(transport, policy.max_headers, extensions.get("trace"))
        native_request.extensions = {**extensions, "trace": count.blocking}
        try:
            native = transport.handle_request(native_request)
            try:
                inbox = BoundedReader(native.status_code, native.headers.multi_items(), policy)
                for chunk in native.stream:
                    inbox.feed(chunk)
                return inbox.response()
            finally:
                native.close()
        except (lib.HTTPError, OSError, OAuthError):
            raise
        except Exception as error:  # noqa: BLE001  # from the user's own transport, or from Python's codec for names
            odd = caused_by(error, _transport_error(lib, request, error), request.url)
        raise odd

    def send() -> Response:
        if permission is None:
            return receive(transport, native_request)
        return checked(lib, transport, native_request, permission, receive)

    begin_exchange()
    try:
        return within(policy.deadline, send)
    except (lib.HTTPError, OSError) as error:
        failed = caused_by(error, _transport_error(lib, request, error), request.url)
    raise failed


async def aexchange(lib: Any, client: Any, request: Request, policy: ExchangePolicy) -> Response:
    """Send `request` through the transport of the asynchronous `client` and return the bounded response.

    The other parameters and the errors are those of `exchange`.
    """
    begin_exchange_of_task()
    try:
        return await _aexchange(lib, client, request, policy)
    except OAuthError as error:
        failed = error
    raise without_frames(failed)  # the frames hold the headers and the form of the request


async def _drained(stream: Any, inbox: BoundedReader) -> Response:
    """Feed a stream to `inbox`, and close its generator, because trio warns about an unfinished one."""
    chunks: Any = aiter(stream)
    try:
        async for chunk in chunks:
            inbox.feed(chunk)
        return inbox.response()
    finally:
        if (aclose := getattr(chunks, "aclose", None)) is not None:
            await aclose()


async def _aexchange(lib: Any, client: Any, request: Request, policy: ExchangePolicy) -> Response:
    import anyio

    native_request = _native_request(lib, client, request, policy)
    transport = client._transport_for_url(native_request.url)

    async def receive(transport: Any, native_request: Any) -> Response:
        extensions = native_request.extensions
        count = HeaderCount(transport, policy.max_headers, extensions.get("trace"))
        native_request.extensions = {**extensions, "trace": count.awaiting}
        try:
            native = await transport.handle_async_request(native_request)
            try:
                inbox = BoundedReader(native.status_code, native.headers.multi_items(), policy)
                return await _drained(native.stream, inbox)
            finally:
                await native.aclose()
        except (lib.HTTPError, OSError, OAuthError):
            raise
        except Exception as error:
            if isinstance(error, RuntimeError) and "loop" in str(error):
                raise  # a connection of another event loop, which `AsyncSender` explains
            odd = caused_by(error, _transport_error(lib, request, error), request.url)
        raise odd

    try:
        with anyio.fail_after(policy.deadline):
            if policy.addresses is None:
                return await receive(transport, native_request)
            return await achecked(lib, transport, native_request, policy.addresses, receive)
    except TimeoutError as error:
        failed = too_late(policy.deadline)
        failed.__cause__ = detached(error)
    except (lib.HTTPError, OSError) as error:
        failed = caused_by(error, _transport_error(lib, request, error), request.url)
    raise failed


def _native_request(lib: Any, client: Any, request: Request, policy: ExchangePolicy) -> Any:
    if client.is_closed:
        raise UsageError("this client has been closed: create another one")
    if any(_ENDS_A_HEADER.search(text) for pair in request.headers for text in pair):  # HTTP/2 would send these
        raise UsageError(_CHARACTER)
    given = dict(request.options).get("timeout", client.timeout)
    limits = {
        name: policy.deadline if limit is None else min(seconds(limit, "a timeout"), policy.deadline)
        for name, limit in _timeout(lib, given).items()
    }
    headers = {"User-Agent": client.headers.get("User-Agent", "doorkey"), "Accept-Encoding": ACCEPT_ENCODING}
    try:
        return lib.Request(
            request.method,
            request.url,
            headers={**headers, **dict(request.headers)},
            content=request.content or None,
            extensions={"timeout": limits},
        )
    except (UnicodeError, lib.InvalidURL) as error:
        raise UsageError(_CHARACTER) from scrubbed(error)


def _timeout(lib: Any, given: Any) -> dict[str, Any]:
    try:
        return cast("dict[str, Any]", lib.Timeout(given).as_dict())
    except (TypeError, ValueError, IndexError):  # the library's errors about arguments
        raise UsageError("timeout must be a number of seconds, or a Timeout of the HTTP library") from None


def _transport_error(lib: Any, request: Request, error: Exception) -> TransportError:
    parts = urlsplit(request.url)
    never_left = isinstance(error, lib.ConnectError | lib.ConnectTimeout | lib.PoolTimeout)
    why = reason_of(error, _AUTHORITY, _CERTIFICATE, needs_certificate=request.needs_certificate)
    return TransportError(f"no usable response from {parts.scheme}://{parts.netloc}{why}", retryable=never_left)


class HttpxLibrary:
    """httpx2 or httpx as a `Library` of the session core."""

    call_options = frozenset({"timeout"})
    refused_options = frozenset({"follow_redirects", "cookies", "files", "json", "params", "extensions"})

    def __init__(self, lib: Any) -> None:
        self._lib = lib

    def native_response(self, response: Response, request: Request) -> Any:
        """Return a response object of the library whose body has been read.

        response: the response that was read.
        request: the request of this response.
        """
        return self._lib.Response(
            response.status,
            headers=self._lib.Headers(list(response.headers), encoding="utf-8"),  # they may not be ASCII
            content=response.body,
            request=self._lib.Request(request.method, request.url),
        )

    def plain_response(self, native: Any) -> Response:
        """Convert the response that a hook returned. Raises `UsageError` if it is not a response of the library."""
        instance(native, self._lib.Response, "a response hook returns the HTTP library's response")
        return Response(native.status_code, tuple(native.headers.multi_items()), body_of(native, native.content))

    def client_auth(self, auth: object) -> ClientAuthMethod:
        """Return the method for an `auth=` value: the library's auth object, a (name, password) pair, or a callable."""
        return client_auth_of(auth, lambda value: isinstance(value, self._lib.Auth), self._through_httpx)

    def share_pool(self, session: Any, other: Any) -> None:
        """Initialize `session` with the settings and transports of `other`, and with its own cookies."""
        from doorkey.transport.shared_pool import share_transports

        share_transports(self._lib, session, other)

    def _through_httpx(self, auth: Any) -> ClientAuthMethod:
        def method(client: ClientIdentity, method: str, uri: str, headers: Headers, body: str) -> Signed:
            request = self._lib.Request(method, uri, headers=dict(headers), content=body.encode())
            # Only the first step of the auth flow: an auth that waits for a challenge would send the form twice.
            signed = next(auth.sync_auth_flow(request)) if isinstance(auth, self._lib.Auth) else auth(request)
            return str(signed.url), dict(signed.headers), signed.read()

        return method
