"""The flow for the next token, obtained by the refresh token, otherwise by the grant that obtained the first token."""

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

    RFC 6749 §5.2 defines `invalid_grant` for this. For an unknown refresh token, some servers instead send an empty
    400, 401 or 403, or another error code.
    """
    if isinstance(error, InvalidGrant):
        return True
    if not isinstance(error, ServerError | InvalidResponse) or error.status not in _REJECTIONS:
        return False
    return isinstance(error, InvalidResponse) or not is_transient(error)


def ends_the_grant(error: OAuthError, *, repeatable: bool) -> bool:
    """Return whether a refresh token is not sent again after `error`.

    It is not after `invalid_grant`. Any other rejection counts only if the initial grant is `repeatable`, because a
    user would have to log in again.
    """
    return isinstance(error, InvalidGrant) or (repeatable and rejects_the_grant(error))


def next_token(
    token: OAuthToken | None,
    dead: DeadGrant | None,
    refresh: Callable[[OAuthToken, Secret], Flow[OAuthToken]],
    present: Callable[[], Flow[OAuthToken]],
    *,
    repeatable: bool,
) -> Flow[OAuthToken]:
    """Return the token that follows `token`.

    token: the current token, or None.
    dead: the `DeadGrant` of `token`, or None. The refresh token of a dead grant is not sent again.
    refresh: presents a refresh token, and records a dead grant.
    present: presents the initial grant.
    repeatable: the initial grant can be presented again without a user and without harm. Only then is it presented
        after the server has rejected the refresh token.

    Raises the `InvalidGrant` of a dead grant without a request if the initial grant is not repeatable, otherwise the
    error of the last request.
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
