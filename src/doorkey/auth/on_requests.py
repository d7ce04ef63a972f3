"""The methods of an auth object that requests and niquests call. Imports neither library."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urljoin

from doorkey.errors import TransportError

if TYPE_CHECKING:
    from doorkey.auth.signer import RequestSigner
    from doorkey.tokens import OAuthToken


_PLAIN: Final[tuple[str, ...]] = ("Authorization",)


class RequestsAdapter:
    """Signs a prepared request, and sends it once more with another token if the API rejects it (RFC 6750 §3.1)."""

    _signer: RequestSigner

    def _sign_prepared(self, r: Any) -> Any:
        """Return the prepared request with the token. A request with its own `Authorization` is not changed."""
        signer = self._signer
        if signer.is_restricted:
            signer.check_target(r.url)
        if signer.in_header and _has_authorization(r.headers):
            return r
        token = signer.token()
        url, body, signed = r.url, r.body, _PLAIN
        if signer.is_plain:
            r.headers["Authorization"] = signer.header(token)
        else:
            signed = self._sign(r, token)
        hook = _ResponseHook(self, token, url, body, r.url, signed)
        hooks = r.hooks.get("response")
        if hooks.__class__ is list:
            hooks.append(hook)  # three times as fast as `register_hook`
        else:
            r.register_hook("response", hook)
        return r

    def _sign(self, r: Any, token: OAuthToken) -> tuple[str, ...]:
        """Sign the request, and return the names of the headers that signing has set."""
        if self._signer.is_plain:
            r.headers["Authorization"] = self._signer.header(token)
            return _PLAIN
        from doorkey.auth.signer import set_by_signing

        given = {name: _text(value) for name, value in r.headers.items()}
        url, headers, body = self._signer.signed(token, r.url or "", given, r.body)
        r.url = url
        r.headers.clear()
        r.headers.update(headers)
        if body is not r.body:
            r.body = body
            r.headers.pop("Content-Length", None)  # of the old body, because an empty body does not replace it
            r.prepare_content_length(body or None)
        return set_by_signing(given, headers)


def _has_authorization(headers: Any) -> bool:
    """Return whether a request has its own `Authorization`, from requests' own dictionary by lower-case name.

    That dictionary is private, and ten times as fast as the headers, which raise an exception for a missing name.
    """
    by_lower_case = getattr(headers, "_store", None)
    return "Authorization" in headers if by_lower_case is None else "authorization" in by_lower_case


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


@cache
def _stripping_headers(kind: Any) -> Any:
    """Return a subclass of the headers class `kind` whose copy, made for a redirect, omits the names `leave_behind`.

    If `leave_behind` is None, the redirect stays within the origin. The copy then keeps its `Authorization`, which a
    session would otherwise replace with the credentials from a `.netrc` file.
    """

    def copy(self: Any) -> Any:
        copied = kind.copy(self)
        if self.leave_behind is None:
            return _pinned_headers(cast("Any", type(copied)))(copied)
        for name in self.leave_behind:
            copied.pop(name, None)
        return _departed_headers(cast("Any", type(copied)))(copied)

    return type(kind.__name__, (kind,), {"copy": copy, "leave_behind": None})


@cache
def _departed_headers(kind: Any) -> Any:
    """Return a subclass of `kind` that marks a request which a redirect led to another origin. Its copies are marked
    too."""

    def copy(self: Any) -> Any:
        return _departed_headers(kind)(kind.copy(self))

    return type(kind.__name__, (kind,), {"copy": copy, "has_departed": True})


@cache
def _pinned_headers(kind: Any) -> Any:
    """Return a subclass of `kind` that ignores a new value for `Authorization` until the header is removed."""

    def set_item(self: Any, name: Any, value: Any) -> None:
        if name.lower() != "authorization" or name not in self:
            kind.__setitem__(self, name, value)

    return type(kind.__name__, (kind,), {"__setitem__": set_item})


class _ResponseHook:
    """The response hook of one request, called for each response before its redirect is followed.

    Renews a rejected token and sends the request again, once. The headers named in `signed` are sent to no other
    origin. It is no `partial`, whose `repr` would show a URL with a token.
    """

    __slots__ = ("_adapter", "_body", "_signed", "_signed_url", "_token", "_url")

    def __init__(
        self, adapter: RequestsAdapter, token: OAuthToken, url: str, body: Any, signed_url: str, signed: tuple[str, ...]
    ) -> None:
        self._adapter, self._token, self._url, self._body = adapter, token, url, body
        self._signed_url, self._signed = signed_url, signed

    def __call__(self, response: Any, **kwargs: Any) -> Any:
        """Return the response, or the response to the repeated request with another token."""
        signer = self._adapter._signer
        if response.status_code < 300 and not signer.needs_verdict:
            return response  # nearly every response
        request = response.request
        if hasattr(request.headers, "has_departed"):
            return response  # the request carried no token, even if a later redirect led back
        if signer.is_rejection(response.status_code, response.headers):
            response = self._with_another_token(response, kwargs)
        elif signer.needs_verdict:
            self._note(self._token, response)
        if response.is_redirect:
            self._leave_behind(request, response)
        return response

    def _leave_behind(self, request: Any, redirect: Any) -> None:
        """Prepare `request` so that its copy for a redirect to another origin omits the signed headers.

        A session itself removes only `Authorization`, and keeps it from http to https on the same host.
        """
        from doorkey.wire.urls import origin_of

        try:
            stays = origin_of(urljoin(redirect.url, redirect.headers["Location"])) == origin_of(request.url)
        except ValueError:  # an invalid URL counts as another origin
            stays = False
        if not stays and self._adapter._signer.in_body and redirect.status_code in (307, 308) and request.body:
            redirect.close()
            raise TransportError(
                "the API redirects a request whose body carries the token to another origin, so the redirect was not "
                "followed"
            )
        if not hasattr(request.headers, "leave_behind"):
            request.headers = _stripping_headers(cast("Any", type(request.headers)))(request.headers)
        request.headers.leave_behind = None if stays else self._signed

    def _with_another_token(self, response: Any, kwargs: Any) -> Any:
        can_repeat = self._body is None or isinstance(self._body, str | bytes)  # a stream has been consumed
        try:
            token = self._adapter._signer.replacement(self._token, response.request.url, wanted=can_repeat)
        except BaseException:
            response.close()  # the caller gets an exception instead, and cannot close it
            raise
        if token is None:
            return response
        response.close()  # without reading its body, which may have any size
        again = response.request.copy()
        if again.url == self._signed_url:  # otherwise this is the request that a redirect created
            again.url = self._url
            if self._adapter._signer.in_body:
                again.prepare_body(self._body, None)
        again.headers.pop("Authorization", None)
        self._adapter._sign(again, token)
        second = response.connection.send(again, **kwargs)
        second.history.append(response)
        second.request = again
        if self._adapter._signer.needs_verdict:
            self._note(token, second)
        return second

    def _note(self, token: OAuthToken, response: Any) -> None:
        self._adapter._signer.answered(token, response.status_code, response.headers, response.request.url)
