"""Remembers APIs that returned 401 for a freshly renewed token, where renewing again would not help. Pure.

An API may require another audience or scope than the token has, and return 401 for every token. A renewal for each of
its requests would lock the account out. Another API that accepts the same token is not affected.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final, Protocol

from doorkey.tokens import OAuthToken
from doorkey.values import Secret

MAX_ORIGINS: Final = 16
"""The maximum number of APIs that are recorded. The oldest one is dropped for the next."""


class ApiRejections:
    """The APIs, by origin, that rejected a token and have not accepted its replacement, the token `unproven`, yet."""

    __slots__ = ("_origins", "unproven")

    def __init__(self) -> None:
        self.unproven: Secret | None = None
        self._origins: dict[Hashable, None] = {}

    def note(self, origin: Hashable) -> None:
        """Record that the API at `origin` rejected the current token, which a renewal will replace."""
        self._origins[origin] = None
        if len(self._origins) > MAX_ORIGINS:
            self._origins.pop(next(iter(self._origins), None), None)

    def replaced_by(self, token: Secret) -> None:
        """Record that `token` replaces the rejected token."""
        self.unproven = token

    def is_final(self, token: Secret, origin: Hashable) -> bool:
        """Return whether `token` replaces a token that the API at `origin` had rejected, and was rejected there too."""
        return self.unproven == token and origin in self._origins

    def accepted(self, token: Secret, origin: Hashable) -> None:
        """Record that the API at `origin` accepted `token`. This has no effect unless `token` is `unproven`."""
        if self.unproven != token:
            return
        self._origins.pop(origin, None)
        if not self._origins:
            self.unproven = None


class RecordsRejections(Protocol):
    """The state of a token, with the record of the APIs that rejected it."""

    rejections: ApiRejections

    @property
    def token(self) -> OAuthToken | None:
        """The current token."""
        ...


class RejectableSource:
    """A source that records whether APIs accept its token, for all callers that share the source."""

    def _token_state(self) -> RecordsRejections:
        raise NotImplementedError

    def reject(self, token: OAuthToken) -> Any:
        """Expire `token`, because a server rejected it. Return False if no other token can replace it."""
        raise NotImplementedError

    @property
    def _awaits_verdict(self) -> bool:
        """Whether the current token replaces a rejected one and no API has accepted it yet."""
        return self._token_state().rejections.unproven is not None

    def _rejected(self, token: OAuthToken, by: Hashable) -> Any:
        """Expire `token`, which the API of the origin `by` rejected. Return False if no other token would help there.

        For an asynchronous source that a program wrote itself, the result is an awaitable.
        """
        state = self._token_state()
        if state.rejections.is_final(token.access_token, by):
            return False
        current = state.token
        if current is None or current.access_token == token.access_token:  # else another token has replaced it already
            state.rejections.note(by)
        return self.reject(token)

    def _replaced(self, token: OAuthToken) -> None:
        """Record that `token` replaces the rejected one. Does nothing: a `TokenState` records it when it renews."""

    def _accepted(self, token: OAuthToken, by: Hashable) -> None:
        """Record that the API of the origin `by` accepted `token`."""
        self._token_state().rejections.accepted(token.access_token, by)


class _OwnRecord:
    """The record for a source without a `TokenState`. The current token is unknown."""

    __slots__ = ("rejections",)

    def __init__(self) -> None:
        self.rejections = ApiRejections()

    @property
    def token(self) -> None:
        """None: the current token is unknown, so every rejected token counts as the current one."""


class RecordedSource(RejectableSource):
    """A source that a program wrote itself, blocking or asynchronous, with a record of API rejections added."""

    def __init__(self, source: Any) -> None:
        self._source, self._record = source, _OwnRecord()

    def token(self) -> Any:
        """Return the token of the source, or an awaitable of it."""
        return self._source.token()

    def reject(self, token: OAuthToken) -> Any:
        """Call `reject` of the source, because a server rejected `token`."""
        return self._source.reject(token)

    def _token_state(self) -> RecordsRejections:
        return self._record

    def _replaced(self, token: OAuthToken) -> None:
        self._record.rejections.replaced_by(token.access_token)
