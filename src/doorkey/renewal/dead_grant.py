"""A grant that the server has refused: a state that whoever comes later is told of, where a failed attempt is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doorkey.errors import InvalidGrant
    from doorkey.tokens import OAuthToken
    from doorkey.values import Secret


@dataclass(frozen=True, slots=True)
class DeadGrant:
    """A refresh token that the server refused, or (None) credentials that can be presented once (RFC 6749 §5.2)."""

    refresh_token: Secret | None
    said: InvalidGrant

    @classmethod
    def of(cls, token: OAuthToken | None, refused: InvalidGrant) -> DeadGrant:
        """Return that the grant of `token` is dead, keeping the server's words and nothing else of its answer."""
        said = refused.without_history()  # the frames of its traceback hold the request
        said.headers = ()
        return cls(_refresh_token_of(token), said)

    def is_of(self, token: OAuthToken | None) -> bool:
        """Say whether renewing `token` would present what was refused."""
        return self.refresh_token == _refresh_token_of(token)

    def error(self) -> InvalidGrant:
        """Return what the server said, as an error of its own for each who is told."""
        return self.said.without_history()


def _refresh_token_of(token: OAuthToken | None) -> Secret | None:
    return None if token is None else token.refresh_token
