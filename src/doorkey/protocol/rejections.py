"""The errors with which an API rejects a request, each with its HTTP status and challenge (RFC 6750 §3.1, RFC 9470).

VerificationError
└─ RequestRejected            .status .error, and .challenge() for `WWW-Authenticate`
   ├─ MissingAccessToken      401 the request has no access token
   ├─ MalformedRequest        400 invalid_request
   ├─ InvalidAccessToken      401 invalid_token
   ├─ InsufficientPrivileges  403 insufficient_scope
   └─ StepUpRequired          401 insufficient_user_authentication
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from doorkey.arguments import text
from doorkey.errors import VerificationError
from doorkey.protocol.challenge import challenge
from doorkey.values import Scope


class RequestRejected(VerificationError):
    """An API rejects a request: `status` is the HTTP status of its response, `error` the code of RFC 6750 §3.1."""

    code = "invalid_token"
    status: ClassVar[int] = 401

    def challenge(
        self, *, realm: str | None = None, resource_metadata: str | None = None, scheme: str = "Bearer"
    ) -> str:
        """Return the value of the `WWW-Authenticate` header of the response (RFC 6750 §3).

        realm: the name of the protected area, for people; None to omit it.
        resource_metadata: the URL of the API's metadata document (RFC 9728 §5.1); None to omit it.
        scheme: `Bearer`, or `DPoP` for a request with that scheme.

        Raises `UsageError` for values that are not text.
        """
        for value, name in ((realm, "realm"), (resource_metadata, "resource_metadata"), (scheme, "scheme")):
            if value is not None:
                text(value, name)
        return challenge(scheme, [("realm", realm), *self._parameters(), ("resource_metadata", resource_metadata)])

    def _parameters(self) -> Iterable[tuple[str, str | None]]:
        return ("error", self.error), ("error_description", self.description)


class MissingAccessToken(RequestRejected):
    """The request has no access token, so the challenge has no `error` (RFC 6750 §3.1).

    scopes: the required scopes.
    """

    code = "missing_token"

    def __init__(self, scopes: str | Iterable[str] = ()) -> None:
        super().__init__("Authorization", "is missing: this API needs an access token, Authorization: Bearer …")
        self.scopes = tuple(Scope.of(scopes))
        self.args = (self.scopes,)

    def _parameters(self) -> Iterable[tuple[str, str | None]]:
        return (("scope", " ".join(self.scopes) or None),)


class MalformedRequest(RequestRejected):
    """The request has an illegal access token, or more than one (RFC 6750 §3.1)."""

    code = "invalid_request"
    status: ClassVar[int] = 400


class InvalidAccessToken(RequestRejected):
    """The access token is expired, revoked, malformed, from another issuer or for another API (RFC 6750 §3.1)."""

    code = "invalid_token"


class InsufficientPrivileges(RequestRejected):
    """The access token is valid, but does not permit this request (RFC 6750 §3.1).

    claim: the claim that was checked.
    reason: why the request is rejected.
    scopes: the required scopes.
    """

    code = "insufficient_scope"
    status: ClassVar[int] = 403

    def __init__(self, claim: str, reason: str, *, scopes: str | Iterable[str] = ()) -> None:
        self.scopes = tuple(Scope.of(scopes))
        super().__init__(claim, reason, expected=" ".join(self.scopes) or None)

    def _parameters(self) -> Iterable[tuple[str, str | None]]:
        return (*super()._parameters(), ("scope", " ".join(self.scopes) or None))


class StepUpRequired(RequestRejected):
    """The user's authentication is too weak or too old for this request (RFC 9470 §3).

    claim: the claim that was checked.
    reason: why the request is rejected.
    acr_values: the accepted authentication context classes.
    max_age: the largest accepted age of the authentication in seconds, or None.

    A client passes `acr_values` and `max_age` to its next authorization request.
    """

    code = "insufficient_user_authentication"

    def __init__(
        self, claim: str, reason: str, *, acr_values: Iterable[str] = (), max_age: float | None = None
    ) -> None:
        self.acr_values, self.max_age = tuple(acr_values), max_age
        super().__init__(claim, reason)

    def _parameters(self) -> Iterable[tuple[str, str | None]]:
        age = None if self.max_age is None else f"{self.max_age:.0f}"
        return (*super()._parameters(), ("acr_values", " ".join(self.acr_values) or None), ("max_age", age))
