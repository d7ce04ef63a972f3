"""Every error that doorkey raises, in one tree.

    OAuthError(error, description, uri)      .code: stable documented string
    ├─ UsageError            the caller made a mistake (also a ValueError)
    │  ├─ MissingTokenError  a request needs a token and there is none
    │  ├─ TokenExpiredError  the token has expired and cannot be renewed
    │  └─ MissingLibraryError  an optional library is not installed (also an ImportError); .name
    ├─ TransportError        there is no usable response; .retryable; __cause__ is the HTTP library's error
    │  └─ StoreError         the store of tokens cannot be reached; __cause__ is its library's error
    ├─ ServerError           the server returned an OAuth error; .status .headers .retry_after
    │  └─ InvalidGrant, InvalidClient, InvalidScope, AccessDenied, UseDPoPNonce, …: one for each registered code
    ├─ InvalidResponse       the response violates the protocol; .problem .status .excerpt
    └─ VerificationError     a check of a token or a callback failed; .claim .reason .expected; see doorkey.jose.errors
       ├─ MismatchingStateError   the callback belongs to another authorization request
       ├─ RequestRejected         an API rejects a request, see doorkey.resource: .status .challenge()
       └─ RecordError        a stored record is truncated, foreign, tampered with, or sealed with another key

The branch shows the cause: the caller, the network, a decision of the server, a defect of the server, an attacker.
``str()`` returns, for example, ``invalid_grant: Session not active``. Without a registered code, it also contains the
exchange, ``(POST https://as.example/token, client 'app', HTTP 404)``, as `repr()` and `.exchange` always do.
No error holds a client, a secret or oversized input.
The names that users' programs import (``InvalidTokenError``, ``MismatchingStateException``, …) are these same classes.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import ClassVar, Self

__all__ = ["MAX_TEXT", "AccessDenied", "AccessDeniedError", "AuthorizationPending", "ConsentRequired"]
__all__ += ["ExpiredDeviceCode", "InsufficientScope", "InteractionRequired", "InvalidClient", "InvalidClientError"]
__all__ += ["InvalidDPoPProof", "InvalidGrant", "InvalidGrantError", "InvalidRequest", "InvalidRequestError"]
__all__ += ["InvalidResponse", "InvalidScope", "InvalidScopeError", "InvalidTarget", "InvalidToken"]
__all__ += ["InvalidTokenError", "LoginRequired", "MismatchingStateError", "MismatchingStateException"]
__all__ += ["MissingLibraryError", "MissingTokenError", "OAuth2Error", "OAuthError", "RecordError", "ServerError"]
__all__ += ["ServerFailure", "SlowDown", "StoreError", "TemporarilyUnavailable", "TokenExpiredError"]
__all__ += ["TransportError", "UnauthorizedClient", "UnauthorizedClientError", "UnsupportedGrantType", "printable"]
__all__ += ["UnsupportedGrantTypeError", "UnsupportedResponseType", "UnsupportedResponseTypeError"]
__all__ += ["UnsupportedTokenType", "UnsupportedTokenTypeError", "UsageError", "UseDPoPNonce", "VerificationError"]

MAX_TEXT = 512
"""The maximum length of a server's text in an error, in characters."""


def printable(text: str, limit: int = MAX_TEXT) -> str:
    """Return `text` cut to `limit` characters. Unprintable ones are escaped: they could control a terminal or a log."""
    cut = text if len(text) <= limit else text[:limit] + "…"
    # The fast path: nearly every text is printable as a whole.
    return cut if cut.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in cut)


def scrubbed(error: Exception) -> Exception | None:
    """Strip the input that another library's `error` quotes, and return None: for `raise Ours from scrubbed(error)`.

    `raise Ours from None` would still keep `error` as its context. A JSONDecodeError holds the whole document, a
    UnicodeError holds the whole text, and the frames of their tracebacks hold both.
    """
    error.args = ()
    vars(error).clear()
    error.__context__ = error.__cause__ = error.__traceback__ = None
    if isinstance(error, UnicodeEncodeError):
        error.object = ""
    elif isinstance(error, UnicodeDecodeError):
        error.object = b""
    return None


class OAuthError(Exception):
    """Base of all errors: `error` code, `description` for people, and `uri` of a page about it (RFC 6749 §5.2)."""

    code: ClassVar[str] = "oauth_error"
    retry_at: float | None = None  # during the pause after a failure: time of the next request, seconds since the epoch
    exchange: str = ""
    """The exchange that this error is about: method, URL without its query, client ID and status."""

    def __init__(self, error: str | None = None, description: str | None = None, uri: str | None = None) -> None:
        self.error = printable(error) if error else self.code
        self.description = printable(description) if description else ""
        self.uri = printable(uri) if uri else None
        super().__init__(self.error, self.description, self.uri)

    def __str__(self) -> str:
        return self._text() + (f" ({self.exchange})" if self.exchange else "")

    def _text(self) -> str:
        if not self.description:
            return self.error
        # A code from the server is information; our own code only repeats the name of the class.
        return self.description if self.error == self.code else f"{self.error}: {self.description}"

    def __repr__(self) -> str:
        exchange = f" ({self.exchange})" if self.exchange and self.exchange not in str(self) else ""
        return f"<{type(self).__name__} {str(self)!r}{exchange}>"

    def for_waiter(self) -> Self:
        """Return a copy for another thread or task that waited for the same attempt.

        A raised exception collects the traceback of the thread that raises it, so waiters must not share one object.
        """
        twin = self.without_history()
        twin.__cause__ = self.__cause__ or self
        return twin

    def without_history(self) -> Self:
        """Return a copy without traceback and cause, to keep the error and raise it again."""
        return copy(self)


class UsageError(OAuthError, ValueError):
    """The caller made a mistake. The description names the fix."""

    code = "usage_error"

    def __init__(self, description: str, *, error: str | None = None) -> None:
        super().__init__(error, description)
        self.args = (self.description,)


class MissingTokenError(UsageError):
    """A request needs a token, and there is none."""

    code = "missing_token"


class TokenExpiredError(UsageError):
    """The token has expired and there is no refresh token or repeatable grant to renew it."""

    code = "token_expired"


class MissingLibraryError(UsageError, ImportError):
    """The optional library `name` is not installed. Also an `ImportError`, because an import statement may raise it."""

    code = "missing_library"

    def __init__(self, description: str, *, name: str | None = None) -> None:
        super().__init__(description)
        self.name = name


class TransportError(OAuthError):
    """There is no usable response: no connection, a deadline, a redirect, too many bytes.

    `retryable` is True if the same call can safely be repeated. `__cause__` is the HTTP library's own error.
    """

    code = "transport_error"

    def __init__(self, description: str, *, retryable: bool = False) -> None:
        super().__init__(None, description)
        self.args = (self.description,)
        self.retryable = retryable


class StoreError(TransportError):
    """The token store cannot be reached or used; `__cause__` is the error of the store's library."""

    code = "store_error"


class InvalidResponse(OAuthError):
    """A response, of HTTP `status`, violates the protocol. `problem` is a stable word; `excerpt` quotes the body."""

    code = "invalid_response"

    def __init__(self, problem: str, description: str, *, status: int | None = None, excerpt: str = "") -> None:
        super().__init__(None, description)
        self.args = (problem, self.description)
        self.problem = problem
        self.status = status
        self.excerpt = printable(excerpt, 200)

    def _text(self) -> str:
        status = f" (HTTP {self.status})" if self.status is not None and not self.exchange else ""
        excerpt = f"; it begins: {self.excerpt}" if self.excerpt else ""
        return f"{self.description}{status}{excerpt}"


class VerificationError(OAuthError):
    """A token or a callback failed the check of `claim`, for this `reason`. `expected` is the valid value, or None."""

    code = "verification_failed"

    def __init__(self, claim: str, reason: str, *, expected: str | None = None) -> None:
        super().__init__(None, f"{claim} {reason}" + (f" (expected {expected})" if expected else ""))
        self.claim = claim
        self.reason = printable(reason)
        self.args = (claim, self.reason)
        self.expected = printable(expected) if expected else None


class MismatchingStateError(VerificationError):
    """The `state` of a callback is not the `state` of the authorization request (RFC 6749 §10.12)."""

    code = "mismatching_state"

    def __init__(self, reason: str = "belongs to another login: finish a login in the session that began it") -> None:
        super().__init__("state", reason)
        self.args = (self.reason,)


class RecordError(VerificationError):
    """A stored record is unusable: truncated, foreign, of a newer format, tampered with, or sealed with another key."""

    code = "record_error"

    def __init__(self, reason: str, *, expected: str | None = None) -> None:
        super().__init__("record", reason, expected=expected)
        self.args = (self.reason,)


class ServerError(OAuthError):
    """The server returned an OAuth error (RFC 6749 §5.2, §4.1.2.1).

    `status` is the HTTP status, and `headers` are the response headers as (name, value) pairs without cookies.
    `retry_after` is `Retry-After` in seconds, limited to an hour (RFC 9110 §10.2.3), or None.
    """

    code = "server_error_response"
    by_error: ClassVar[dict[str, type[ServerError]]] = {}

    def __init__(
        self,
        error: str | None = None,
        description: str | None = None,
        uri: str | None = None,
        *,
        status: int | None = None,
        headers: Iterable[tuple[str, str]] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(error, description, uri)
        self.status = status
        self.headers = tuple(headers)
        self.retry_after = retry_after

    def __str__(self) -> str:
        return self._text() if self.error in self.by_error else super().__str__()

    def _text(self) -> str:
        return f"{self.error}: {self.description}" if self.description else self.error

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        if "code" in vars(cls):  # a subclass without a code of its own is not raised for a server's error
            ServerError.by_error.setdefault(cls.code, cls)

    @classmethod
    def named(cls, error: str) -> type[ServerError]:
        """Return the class of a registered `error` code, or `ServerError` for any other code."""
        return cls.by_error.get(error, ServerError)


class InvalidRequest(ServerError):
    """A parameter of the request is missing, repeated or malformed (RFC 6749 §5.2)."""

    code = "invalid_request"


class InvalidClient(ServerError):
    """Client authentication failed (RFC 6749 §5.2)."""

    code = "invalid_client"


class InvalidGrant(ServerError):
    """The code, refresh token, password or assertion is wrong, expired, used up or revoked (RFC 6749 §5.2)."""

    code = "invalid_grant"


class UnauthorizedClient(ServerError):
    """This client may not use this grant (RFC 6749 §5.2)."""

    code = "unauthorized_client"


class UnsupportedGrantType(ServerError):
    """The server does not support this grant type (RFC 6749 §5.2)."""

    code = "unsupported_grant_type"


class InvalidScope(ServerError):
    """The scope is unknown, malformed or more than was granted (RFC 6749 §5.2)."""

    code = "invalid_scope"


class AccessDenied(ServerError):
    """The user or the server denied the request (RFC 6749 §4.1.2.1)."""

    code = "access_denied"


class UnsupportedResponseType(ServerError):
    """The authorization endpoint does not offer this response type (RFC 6749 §4.1.2.1)."""

    code = "unsupported_response_type"


class ServerFailure(ServerError):
    """The server failed and returned the code `server_error` (RFC 6749 §4.1.2.1)."""

    code = "server_error"


class TemporarilyUnavailable(ServerError):
    """The server is overloaded or in maintenance (RFC 6749 §4.1.2.1)."""

    code = "temporarily_unavailable"


class InvalidToken(ServerError):
    """A protected resource rejected the access token (RFC 6750 §3.1)."""

    code = "invalid_token"


class InsufficientScope(ServerError):
    """The access token does not have the required scope (RFC 6750 §3.1)."""

    code = "insufficient_scope"


class UnsupportedTokenType(ServerError):
    """The server cannot revoke tokens of this type (RFC 7009 §2.2.1)."""

    code = "unsupported_token_type"


class InvalidTarget(ServerError):
    """The resource or audience is unknown or not allowed (RFC 8707 §2, RFC 8693 §2.2.2)."""

    code = "invalid_target"


class InvalidDPoPProof(ServerError):
    """The server rejected the DPoP proof (RFC 9449 §5)."""

    code = "invalid_dpop_proof"


class UseDPoPNonce(ServerError):
    """The server requires its nonce in the DPoP proof (RFC 9449 §8)."""

    code = "use_dpop_nonce"


class LoginRequired(ServerError):
    """The user must log in, and the request had `prompt=none` (OpenID Connect Core §3.1.2.6)."""

    code = "login_required"


class ConsentRequired(ServerError):
    """The user must consent, and the request had `prompt=none` (OpenID Connect Core §3.1.2.6)."""

    code = "consent_required"


class InteractionRequired(ServerError):
    """The user must interact with the server, and the request had `prompt=none` (OpenID Connect Core §3.1.2.6)."""

    code = "interaction_required"


class AuthorizationPending(ServerError):
    """The user has not finished the login on the other device yet (RFC 8628 §3.5)."""

    code = "authorization_pending"


class SlowDown(ServerError):
    """The client polls too often. It must increase its polling interval by 5 seconds (RFC 8628 §3.5)."""

    code = "slow_down"


class ExpiredDeviceCode(ServerError):
    """The device code has expired, so the login has to begin again (RFC 8628 §3.5)."""

    code = "expired_token"


# Aliases with the names of other libraries. They are the same classes, so `except` works with both names.
OAuth2Error = OAuthError
InvalidTokenError = TokenExpiredError
MismatchingStateException = MismatchingStateError
InvalidRequestError = InvalidRequest
InvalidClientError = InvalidClient
InvalidGrantError = InvalidGrant
UnauthorizedClientError = UnauthorizedClient
UnsupportedGrantTypeError = UnsupportedGrantType
UnsupportedResponseTypeError = UnsupportedResponseType
InvalidScopeError = InvalidScope
AccessDeniedError = AccessDenied
UnsupportedTokenTypeError = UnsupportedTokenType
