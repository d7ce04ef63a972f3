"""What requests (and niquests, which speaks the same) calls on an auth object. Imports neither."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doorkey.integrations.bearer import Bearer
    from doorkey.tokens import OAuthToken


class RequestsFace:
    """Signs a prepared request, and sends it once more with another token when the API answers 401 (RFC 6750 §3.1)."""

    _bearer: Bearer

    def sign_prepared(self, r: Any) -> Any:
        """Return the prepared request with the token in it; one with an `Authorization` of its own is left alone."""
        if self._bearer.leaves_alone(r.url, r.headers):
            return r
        token = self._bearer.fresh()
        url, body = r.url, r.body
        self._sign(r, token)
        if body is None or isinstance(body, str | bytes):  # a stream is spent once it was sent
            r.register_hook("response", _Again(self, token, url, body, r.url))
        return r

    def _sign(self, r: Any, token: OAuthToken) -> None:
        if self._bearer.is_plain:
            r.headers["Authorization"] = self._bearer.header(token)
            return
        given = {name: _text(value) for name, value in r.headers.items()}
        url, headers, body = self._bearer.signed(token, r.url or "", given, r.body)
        r.url = url
        r.headers.clear()
        r.headers.update(headers)
        if body is not r.body:
            r.body = body
            r.prepare_content_length(body)


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


class _Again:
    """The response hook of one request: renews the token and sends the request again, once."""

    def __init__(
        self, face: RequestsFace, token: OAuthToken, url: str, body: str | bytes | None, signed_url: str
    ) -> None:
        self._face, self._token, self._url, self._body = face, token, url, body
        self._signed_url = signed_url
        self._done = False

    def __call__(self, response: Any, **kwargs: Any) -> Any:
        if response.status_code != 401 or self._done:
            return response
        from doorkey.protocol.endpoint import origin_of

        if origin_of(response.request.url) != origin_of(self._url):
            return response  # after a redirect: what somebody else says of this token means nothing
        self._done = True
        try:
            token = self._face._bearer.another(self._token)
        except BaseException:
            response.close()  # nobody gets it, so nobody else would
            raise
        if token is None:
            return response
        response.close()  # unread: its body is the API's, of any size, and nobody wants it
        again = response.request.copy()
        if again.url == self._signed_url:  # else a redirect led on: what is signed there is what it made
            again.url = self._url
            if self._face._bearer.in_body:
                again.prepare_body(self._body, None)
        again.headers.pop("Authorization", None)
        self._face._sign(again, token)
        second = response.connection.send(again, **kwargs)
        second.history.append(response)
        second.request = again
        return second
