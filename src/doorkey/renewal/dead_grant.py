"""A grant that the server has rejected: unlike a failed attempt, a state whose error later callers get too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doorkey.errors import InvalidResponse, ServerError

if TYPE_CHECKING:
    from doorkey.tokens import OAuthToken
    from doorkey.values import Secret


@dataclass(frozen=True, slots=True)
class DeadGrant:
    """A refresh token that the server refused, or (None) credentials that can be presented once (RFC 6749 §5.2).

    `said` is how it was refused: an `InvalidGrant`, or where the grant can be repeated without the refresh token, any
    other refusal.
    """

    refresh_token: Secret | None
    said: ServerError | InvalidResponse

    @classmethod
    def of(cls, token: OAuthToken | None, refused: ServerError | InvalidResponse) -> DeadGrant:
        """Return that the grant of `token` is dead, keeping the server's words and nothing else of its answer."""
        said = refused.without_history()  # the frames of its traceback hold the request
        if isinstance(said, ServerError):
            said.headers = ()
        return cls(_refresh_token_of(token), said)

    def is_of(self, token: OAuthToken | None) -> bool:
        """Return whether a renewal of `token` would send the rejected refresh token."""
        return self.refresh_token == _refresh_token_of(token)

    def error(self) -> ServerError | InvalidResponse:
        """Return the server's error, as a copy for each caller that raises it."""
        return self.said.without_history()


def _refresh_token_of(token: OAuthToken | None) -> Secret | None:
    return None if token is None else token.refresh_token
