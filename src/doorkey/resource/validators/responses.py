"""The response to an error of a validator: its status, its challenge and a JSON body (RFC 6750 §3)."""

from __future__ import annotations

from doorkey.errors import InsufficientScope, InvalidRequest, InvalidToken, OAuthError, UsageError
from doorkey.protocol.rejections import MalformedRequest, RequestRejected
from doorkey.resource.messages import Rejection, rejection_for
from doorkey.resource.validators.errors import InsufficientScopeError, InvalidTokenError, ProtectorError

_UNAVAILABLE = "the access token cannot be checked at the moment"


def protector_reply(error: OAuthError) -> Rejection:
    """Return the response to `error`: 400, 401 or 403 for an error of the request, otherwise 503.

    The errors `InvalidRequest`, `InvalidToken` and `InsufficientScope`, which normally describe the response of a
    server, are treated as rejections by this API. Raises `error` itself if it is a `UsageError`, because the program
    must be corrected.
    """
    if isinstance(error, UsageError):
        raise error
    rejection = error if isinstance(error, RequestRejected) else _as_rejection(error)
    if rejection is None:
        return rejection_for(error, 503, "temporarily_unavailable", _UNAVAILABLE)
    status = rejection.status_code if isinstance(rejection, ProtectorError) else rejection.status
    challenge = (("WWW-Authenticate", rejection.challenge()),)
    return rejection_for(rejection, status, rejection.error, rejection.description, challenge)


def _as_rejection(error: OAuthError) -> RequestRejected | None:
    if isinstance(error, InvalidRequest):
        return MalformedRequest("request", error.description or "is malformed")
    if isinstance(error, InvalidToken):
        return InvalidTokenError(error.description or None)
    if isinstance(error, InsufficientScope):
        return InsufficientScopeError(error.description or None)
    return None
