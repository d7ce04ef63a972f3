"""The retry after an API's 401: whether a response rejects the token, and which token replaces the rejected one.

The adapters of the HTTP libraries send the request again. This module decides, for all of them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import Any, Final, Protocol

from doorkey.arguments import error_statuses, flag
from doorkey.protocol.challenge import is_invalid_token
from doorkey.renewal.api_rejections import RecordedSource, RejectableSource
from doorkey.tokens import OAuthToken
from doorkey.wire.flow import awaited
from doorkey.wire.urls import origin_of

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


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


class RetryAfter401:
    """Recognizes responses that reject a token, and replaces the token, at most once for each request.

    source, asource: the source of blocking and of async callers, or None.
    rejected_statuses: the statuses that reject a token, with any challenge or none.
    retry_rejected: False disables the retry.
    """

    def __init__(
        self,
        source: Source | None,
        asource: AsyncSource | None,
        rejected_statuses: Iterable[int],
        retry_rejected: bool,
    ) -> None:
        self._retries = flag(retry_rejected, "retry_rejected")
        self._rejected = error_statuses(rejected_statuses, "rejected_statuses")
        self._source, self._asource = _rejectable(source), _rejectable(asource)
        self._verdicts: RejectableSource = self._source or self._asource  # both share one state

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
        if source is None or await awaited(source._rejected(rejected, origin_of(str(url)))) is False or not wanted:
            return None
        return self._other(await awaited(source.token()), rejected)

    def _other(self, token: OAuthToken, rejected: OAuthToken) -> OAuthToken | None:
        self._verdicts._replaced(token)
        return token if token.access_token != rejected.access_token else None

    @property
    def needs_verdict(self) -> bool:
        """Whether the next response must be recorded: a replacement token has not been accepted yet. Checked on every
        request."""
        return self._verdicts._token_state().rejections.unproven is not None  # `_awaits_verdict`, with one call less

    def answered(self, token: OAuthToken, status: int, headers: Any, url: Any) -> None:
        """Record the response of the API at `url` to a request with `token`.

        Any response means that the API accepted the token, except a rejection, a 401 and a redirect.
        """
        if status == 401 or status in REDIRECTS or not self.needs_verdict:
            return
        if not self.is_rejection(status, headers):
            self._verdicts._accepted(token, origin_of(str(url)))


def _rejectable(source: Any) -> Any:
    """Return `source` with a record of the APIs that rejected its token. A source that a program wrote has none."""
    return source if source is None or isinstance(source, RejectableSource) else RecordedSource(source)


def _challenge_in(headers: Any) -> str | None:
    """Return the value of `WWW-Authenticate`. Repeated fields are joined, which aiohttp's headers do not do."""
    if hasattr(headers, "getall"):
        return ", ".join(headers.getall("WWW-Authenticate", ()))
    value: str | None = headers.get("WWW-Authenticate")
    return value
