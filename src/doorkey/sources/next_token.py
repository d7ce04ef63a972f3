"""The flow for the next token: by the refresh token, otherwise by the grant that obtained the first one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from doorkey.errors import InvalidGrant, InvalidResponse, OAuthError, ServerError
from doorkey.renewal.backoff import is_transient
from doorkey.renewal.dead_grant import DeadGrant
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.wire.flow import Flow

__all__: list[str] = []

_REJECTIONS: Final = frozenset({400, 401, 403})


def rejects_the_grant(error: OAuthError) -> bool:
    """Return whether `error` rejects the presented grant, with any error code.

    `invalid_grant` is the protocol's word (RFC 6749 §5.2). Servers also answer a refresh token that they no longer know
    with an empty 400, 401 or 403, or with another error code.
    """
    if isinstance(error, InvalidGrant):
        return True
    if not isinstance(error, ServerError | InvalidResponse) or error.status not in _REJECTIONS:
        return False
    return isinstance(error, InvalidResponse) or not is_transient(error)


def next_token(
    token: OAuthToken | None,
    dead: DeadGrant | None,
    refresh: Callable[[OAuthToken, Secret], Flow[OAuthToken]],
    present: Callable[[], Flow[OAuthToken]],
    *,
    repeatable: bool,
) -> Flow[OAuthToken]:
    """Return the token that follows `token`.

    `refresh` presents a refresh token, and notes a dead grant. `present` presents the initial grant, which is done
    after a refused refresh token only if it is `repeatable`: without a user, and without harm. `dead` is the
    `DeadGrant` of `token`, or None. The refresh token of a dead grant is not sent again. Raises `InvalidGrant` without
    a request for a dead grant that nothing replaces, else the error of the last request.
    """
    if dead is not None and not repeatable:
        raise dead.error()
    if token is not None and token.refresh_token is not None and dead is None:
        try:
            return (yield from refresh(token, token.refresh_token))
        except OAuthError as refused:
            if not (repeatable and rejects_the_grant(refused)):
                raise
    return (yield from present())
