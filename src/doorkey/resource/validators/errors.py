"""The errors that validators raise. Their names and arguments are those of Authlib.

Each is a subclass of a rejection in `doorkey.protocol.rejections`, and has its challenge. A program that makes the
response itself calls `get_body` and `get_headers`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from doorkey.arguments import count, mapping, text
from doorkey.errors import OAuthError
from doorkey.protocol.rejections import InsufficientPrivileges, InvalidAccessToken, MissingAccessToken, RequestRejected

_NO_STORE = (("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("Pragma", "no-cache"))


class ProtectorError(RequestRejected):
    """A validator rejects a request.

    description: a text for the developer of the client; None: the default text of the class.
    uri: the URL of a page about the error, or None.
    status_code: the HTTP status, from 400 to 599; None: the status of the class.
    state: not used.
    realm: the name of the protection space, for the challenge (RFC 6750 §3).
    extra_attributes: further parameters of the challenge, by name.

    Raises `UsageError` for invalid arguments.
    """

    _default: ClassVar[str] = "the request is rejected"

    def __init__(
        self,
        description: str | None = None,
        uri: str | None = None,
        status_code: int | None = None,
        state: str | None = None,
        realm: str | None = None,
        extra_attributes: Mapping[str, str] | None = None,
    ) -> None:
        shown = text(description or self._default, "description")
        OAuthError.__init__(self, None, shown, None if uri is None else text(uri, "uri"))
        self.claim, self.reason, self.expected = "access_token", self.description, None
        self.args = (self.description,)
        self.status_code = (
            self.status if status_code is None else count(status_code, "status_code", least=400, most=599)
        )
        self.realm = None if realm is None else text(realm, "realm")
        attributes = mapping(extra_attributes or {}, "extra_attributes")
        self.extra_attributes = {str(name): text(value, "an extra attribute") for name, value in attributes.items()}

    def challenge(
        self, *, realm: str | None = None, resource_metadata: str | None = None, scheme: str = "Bearer"
    ) -> str:
        """Return the value of the `WWW-Authenticate` header (RFC 6750 §3).

        realm: the realm, if the error has no `realm` of its own.
        resource_metadata: the URL of the API's metadata (RFC 9728 §5.1), or None.
        scheme: the scheme of the challenge.
        """
        return super().challenge(realm=self.realm or realm, resource_metadata=resource_metadata, scheme=scheme)

    def _parameters(self) -> Iterable[tuple[str, str | None]]:
        return (*self.extra_attributes.items(), *super()._parameters())

    def get_body(self) -> list[tuple[str, str]]:
        """Return the members of the JSON body of the response, as pairs."""
        members = [("error", self.error), ("error_description", self.description), ("error_uri", self.uri or "")]
        return [(name, value) for name, value in members if value]

    def get_headers(self) -> list[tuple[str, str]]:
        """Return the headers of the response, including the challenge, as pairs."""
        return [*_NO_STORE, ("WWW-Authenticate", self.challenge())]


class InvalidTokenError(ProtectorError, InvalidAccessToken):
    """The access token is expired, revoked, malformed or otherwise not valid (RFC 6750 §3.1): 401."""

    _default: ClassVar[str] = "the access token is expired, revoked, malformed or not valid for another reason"


class InsufficientScopeError(ProtectorError, InsufficientPrivileges):
    """The access token is valid, but does not permit this request (RFC 6750 §3.1): 403.

    The attribute `scopes` has the scopes that the request needs, if they are known. The challenge states them.
    """

    _default: ClassVar[str] = "the request needs more privileges than the access token has"
    scopes: tuple[str, ...] = ()


class MissingAuthorizationError(ProtectorError, MissingAccessToken):
    """The request has no access token: 401. The challenge has no error code (RFC 6750 §3.1)."""

    code = "missing_authorization"
    _default: ClassVar[str] = "the Authorization header is missing: this API needs an access token"
    scopes: tuple[str, ...] = ()

    def _parameters(self) -> Iterable[tuple[str, str | None]]:
        return (*self.extra_attributes.items(), ("scope", " ".join(self.scopes) or None))


class UnsupportedTokenTypeError(MissingAuthorizationError):
    """The `Authorization` header has a scheme for which no validator is registered: 401."""

    code = "unsupported_token_type"
    _default: ClassVar[str] = "the scheme of the Authorization header is not supported"
