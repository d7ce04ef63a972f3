"""The hardened exchange on requests: it uses only the session's adapters, proxies, TLS settings and User-Agent.

`Session.send` would store cookies, follow redirects and run the user's hooks. `Session.prepare_request` would read
`.netrc`. So the request is prepared here and passed to the transport adapter.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from typing import Any, Final, cast

import requests
import urllib3
from requests.adapters import BaseAdapter
from requests.auth import AuthBase

from doorkey import arguments
from doorkey.errors import OAuthError, TransportError, UsageError, scrubbed
from doorkey.protocol.client_identity import ClientAuthMethod, ClientIdentity, Headers, Signed
from doorkey.runtime.deadline import within
from doorkey.runtime.interrupts import begin_exchange
from doorkey.transport.auth_values import client_auth_of
from doorkey.transport.bare_session import BareSession
from doorkey.transport.certificates import may_have_certificate, no_certificate
from doorkey.transport.environment import ca_variable, merged_settings
from doorkey.transport.failure_reasons import reason_of, tls_error_in
from doorkey.transport.library import body_of
from doorkey.transport.pinned_requests import checked, never_left
from doorkey.transport.scrubbed_causes import caused_by
from doorkey.transport.single_attempt import single_attempt
from doorkey.values import hides_locals
from doorkey.wire.limits import ACCEPT_ENCODING, BoundedReader, ExchangePolicy
from doorkey.wire.messages import Request, Response
from doorkey.wire.urls import origin_of

CHUNK = 16 * 1024
_OF_REQUESTS: Final = (requests.RequestException, urllib3.exceptions.HTTPError, OSError)
_AUTHORITY: Final = 'the environment variable REQUESTS_CA_BUNDLE, or by verify="ca.pem" on the session or in the call'
_CERTIFICATE: Final = 'cert=("client.crt", "client.key") on the session or in the call'
_UNREADABLE: Final = ": verify= or cert= of the session or the call names a file that cannot be read"
_OVERRIDDEN: Final = (
    " (the environment variable {} names the CAs that are used, and overrides verify= of the session: correct or unset "
    "it, set session.trust_env = False, or give verify= in the call)"
)


@hides_locals
def exchange(session: requests.Session, request: Request, policy: ExchangePolicy, timeout: Any = None) -> Response:
    """Send `request` through the transport adapter of `session` and return the bounded response.

    policy: the bounds.
    timeout: a timeout of requests, for each connect and read.

    Raises `UsageError`, `TransportError`, `InvalidResponse`, and `VerificationError` for an address that `policy`
    refuses.
    """
    options: dict[str, Any] = dict(request.options)
    limit = options.get("timeout", timeout)
    _check(options, limit)
    prepared = _prepared(request, session)
    url = prepared.url or request.url
    settings = merged_settings(session, url, options)
    settings["timeout"] = _within(policy.deadline, limit)
    if request.needs_certificate and not (settings["cert"] or may_have_certificate(session, url)):
        raise no_certificate(request.url, _CERTIFICATE)

    def failure(error: Exception) -> TransportError:
        failed = _transport_error(request, error, ca_variable(session, options.get("verify"), settings["verify"]))
        return caused_by(error, failed, request.url)

    def receive(adapter: BaseAdapter, prepared: requests.PreparedRequest) -> Response:
        try:
            return _read(BareSession(adapter).send(prepared, allow_redirects=False, **settings), policy)
        except (*_OF_REQUESTS, OAuthError):
            raise
        except Exception as error:  # noqa: BLE001  # from the user's own adapter, or from a replacement of urllib3
            odd = failure(error)
        raise odd

    def send() -> Response:
        adapter = single_attempt(session.get_adapter(url), policy)
        if policy.addresses is None:
            return receive(adapter, prepared)
        return checked(adapter, prepared, settings["proxies"], policy.addresses, receive)

    begin_exchange()
    try:
        return within(policy.deadline, send)
    except _OF_REQUESTS as error:
        failed = failure(error)
    raise failed


def check_timeout(timeout: Any) -> None:
    """Raise `UsageError` unless requests accepts `timeout`: seconds, a pair of them, None, or a `urllib3.Timeout`."""
    if isinstance(timeout, urllib3.Timeout):
        return
    connect, read = _pair(timeout)
    for limit in (connect, read):
        if limit is not None:
            arguments.seconds(limit, "a timeout", least=0.001)


def _within(deadline: float, timeout: Any) -> Any:
    """Return `timeout` with each part limited to `deadline`, so that the thread ends even if the server is silent."""
    if isinstance(timeout, urllib3.Timeout):
        bounded = timeout.clone()
        bounded.total = min(timeout.total, deadline) if isinstance(timeout.total, int | float) else deadline
        return bounded
    if isinstance(timeout, tuple):
        return tuple(_within(deadline, part) for part in cast("tuple[Any, Any]", timeout))
    return min(timeout or deadline, deadline)


def _pair(given: Any) -> Any:
    value: object = given
    if not isinstance(value, tuple):
        return given, None
    if len(given) != 2:
        raise UsageError("a timeout and a cert are one value, or a pair")
    return given


def _check(options: dict[str, Any], timeout: Any) -> None:
    """Raise `UsageError` for an invalid option of requests, for which requests would raise a builtin exception."""
    check_timeout(timeout)
    if options.get("proxies") is not None:
        for proxy in arguments.mapping(options["proxies"], "proxies").values():
            arguments.text(proxy, "each of the proxies")
    for name in ("verify", "cert"):
        value: Any = options.get(name)
        for one in _pair(value) if name == "cert" else (value,):
            if not isinstance(one, str | os.PathLike | None) and not (isinstance(one, bool) and name == "verify"):
                raise UsageError(
                    f"{name} must be a value that requests accepts, such as a path, not {type(one).__name__}"
                )


def _prepared(request: Request, session: requests.Session) -> requests.PreparedRequest:
    headers = {"User-Agent": str(session.headers.get("User-Agent", "doorkey")), "Accept-Encoding": ACCEPT_ENCODING}
    content = request.content
    try:
        return requests.Request(
            request.method, request.url, headers={**headers, **dict(request.headers)}, data=content or None
        ).prepare()
    except (UnicodeError, requests.exceptions.InvalidHeader, requests.exceptions.InvalidURL) as error:
        raise UsageError("a header or the URL contains a character that HTTP does not allow") from scrubbed(error)


def _read(native: requests.Response, policy: ExchangePolicy) -> Response:
    try:
        inbox = BoundedReader(native.status_code, native.headers.items(), policy)
        for chunk in _raw_chunks(native):
            inbox.feed(chunk)
        return inbox.response()
    finally:
        if native.raw is not None:
            native.close()


def _raw_chunks(native: requests.Response) -> Iterator[bytes]:
    """Yield the chunks of the body, still encoded, because `BoundedReader` decodes them within bounds."""
    raw: Any = native.raw
    if raw is None:  # a response that a test has constructed
        yield native.content or b""
    elif hasattr(raw, "stream"):
        yield from raw.stream(CHUNK, decode_content=False)
    else:
        while chunk := raw.read(CHUNK):
            yield chunk


def _transport_error(request: Request, error: Exception, variable: str | None) -> TransportError:
    """Return the `TransportError` for `error`.

    variable: the environment variable that names the certificate authorities in use, or None.
    """
    origin, failed = origin_of(request.url), tls_error_in(error)
    unreadable = failed is None and type(error) is OSError and "TLS" in str(error)
    why = (
        _UNREADABLE
        if unreadable
        else reason_of(error, _AUTHORITY, _CERTIFICATE, needs_certificate=request.needs_certificate)
    )
    if variable is not None and (unreadable or isinstance(failed, ssl.SSLCertVerificationError)):
        why += _OVERRIDDEN.format(variable)
    return TransportError(
        f"no usable response from {origin}{why}",
        retryable=never_left(error) or isinstance(failed, ssl.SSLCertVerificationError),
    )


class RequestsLibrary:
    """requests as a `Library` of the session core."""

    call_options = frozenset({"timeout", "verify", "cert", "proxies"})
    refused_options = frozenset({"allow_redirects", "cookies", "files", "hooks", "stream", "json", "params"})

    def native_response(self, response: Response, request: Request) -> requests.Response:
        """Return a `requests.Response` whose body has been read.

        response: the response that was read.
        request: the request of this response.
        """
        native = requests.Response()
        native.status_code = response.status
        native.headers.update(dict(response.headers))
        native.url = request.url
        native.encoding = requests.utils.get_encoding_from_headers(native.headers)
        native._content = response.body
        return native

    def plain_response(self, native: requests.Response) -> Response:
        """Convert the response that a hook returned. Raises `UsageError` if it is not a `requests.Response`."""
        arguments.instance(native, requests.Response, "a response hook returns a requests.Response")
        return Response(native.status_code, tuple(native.headers.items()), body_of(native, native.content or b""))

    def client_auth(self, auth: object) -> ClientAuthMethod:
        """Return the method for an `auth=` value: requests' auth object, a (name, password) pair, or a callable."""
        return client_auth_of(auth, lambda value: isinstance(value, AuthBase), _through_requests)

    def share_pool(self, session: Any, other: Any) -> None:
        """Initialize `session` with the settings and adapters of `other`, and with its own cookies."""
        from doorkey.transport.shared_pool import share_adapters

        share_adapters(session, other)


def _through_requests(auth: Any) -> ClientAuthMethod:
    def method(client: ClientIdentity, method: str, uri: str, headers: Headers, body: str) -> Signed:
        prepared = requests.Request(method, uri, headers=dict(headers), data=body or None).prepare()
        signed: Any = auth(prepared) or prepared
        return signed.url, dict(signed.headers), signed.body or b""

    return method
