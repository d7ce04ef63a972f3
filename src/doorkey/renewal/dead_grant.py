"""A grant that the server has rejected. Unlike a failed attempt, this state lasts: later callers get the error too."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doorkey.errors import InvalidResponse, ServerError

if TYPE_CHECKING:
    from doorkey.tokens import OAuthToken
    from doorkey.values import Secret


@dataclass(frozen=True, slots=True)
class DeadGrant:
    """A refresh token that the server rejected, or (None) rejected credentials that can be sent only once.

    `rejection` is the error of the server: an `InvalidGrant` (RFC 6749 §5.2), or any other rejection of a refresh token
    if the initial grant can be repeated.
    """

    refresh_token: Secret | None
    rejection: ServerError | InvalidResponse

    @classmethod
    def of(cls, token: OAuthToken | None, refused: ServerError | InvalidResponse) -> DeadGrant:
        """Return the `DeadGrant` of `token`. Of the error `refused`, the traceback and the headers are dropped."""
        rejection = refused.without_history()  # the frames of its traceback hold the request
        if isinstance(rejection, ServerError):
            rejection.headers = ()
        return cls(_refresh_token_of(token), rejection)

    def is_of(self, token: OAuthToken | None) -> bool:
        """Return whether a renewal of `token` would send the rejected refresh token."""
        return self.refresh_token == _refresh_token_of(token)

    def error(self) -> ServerError | InvalidResponse:
        """Return the server's error, as a copy for each caller that raises it."""
        return self.rejection.without_history()


def _refresh_token_of(token: OAuthToken | None) -> Secret | None:
    return None if token is None else token.refresh_token
