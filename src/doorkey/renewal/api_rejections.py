"""Remembers APIs that returned 401 for a freshly renewed token, where renewing again would not help. Pure.

An API may require another audience or scope than the token has, and return 401 for every token. A renewal for each of
its requests would lock the account out. Another API that accepts the same token is not affected.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Final, Protocol

from doorkey.tokens import OAuthToken
from doorkey.values import Secret

MOST: Final = 16
"""APIs that are remembered; the oldest is forgotten for one more."""


class ApiRejections:
    """The APIs, by origin, that rejected a token and have not accepted its replacement, `unproven`, yet."""

    __slots__ = ("_origins", "unproven")

    def __init__(self) -> None:
        self.unproven: Secret | None = None
        self._origins: dict[Hashable, None] = {}

    def note(self, origin: Hashable) -> None:
        """Note that the API at `origin` rejected the current token, which a renewal will replace."""
        self._origins[origin] = None
        if len(self._origins) > MOST:
            self._origins.pop(next(iter(self._origins), None), None)

    def replaced_by(self, token: Secret) -> None:
        """Note that `token` replaces the rejected token."""
        self.unproven = token

    def is_final(self, token: Secret, origin: Hashable) -> bool:
        """Return whether `token` replaces a token that the API at `origin` had rejected, and was rejected there too."""
        return self.unproven == token and origin in self._origins

    def accepted(self, token: Secret, origin: Hashable) -> None:
        """Note that the API at `origin` accepted `token`, which counts if it is the one that is `unproven`."""
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
        """Forget `token`, because a server rejected it; return False if there will never be another one."""
        raise NotImplementedError

    @property
    def _awaits_verdict(self) -> bool:
        """Whether the current token replaces a rejected one and no API has accepted it yet."""
        return self._token_state().rejections.unproven is not None

    def _rejected(self, token: OAuthToken, by: Hashable) -> Any:
        """Forget `token`, which the API of the origin `by` rejected; return False if no other token would help there.

        An asynchronous source of a program's own returns an awaitable.
        """
        state = self._token_state()
        if state.rejections.is_final(token.access_token, by):
            return False
        current = state.token
        if current is None or current.access_token == token.access_token:  # else another token has replaced it already
            state.rejections.note(by)
        return self.reject(token)

    def _replaced(self, token: OAuthToken) -> None:
        """Note that `token` replaces the rejected one. A `TokenState` has noted it itself, when it was renewed."""

    def _accepted(self, token: OAuthToken, by: Hashable) -> None:
        """Note that the API of the origin `by` accepted `token`."""
        self._token_state().rejections.accepted(token.access_token, by)


class _OwnRecord:
    """The record of a source that has none. It does not know the current token."""

    __slots__ = ("rejections",)

    def __init__(self) -> None:
        self.rejections = ApiRejections()

    @property
    def token(self) -> None:
        """None, which no rejected token is compared with."""


class RecordedSource(RejectableSource):
    """A source that a program wrote itself, blocking or asynchronous, with a record of its own."""

    def __init__(self, source: Any) -> None:
        self._source, self._record = source, _OwnRecord()

    def token(self) -> Any:
        """Return the token of the source, or what brings it when awaited."""
        return self._source.token()

    def reject(self, token: OAuthToken) -> Any:
        """Forget `token`, because a server rejected it."""
        return self._source.reject(token)

    def _token_state(self) -> RecordsRejections:
        return self._record

    def _replaced(self, token: OAuthToken) -> None:
        self._record.rejections.replaced_by(token.access_token)
