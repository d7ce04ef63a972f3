"""Validators of access tokens that the program itself looks up (RFC 6750)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Final, TypeAlias

from doorkey.arguments import members
from doorkey.errors import UsageError
from doorkey.resource.validators.errors import InsufficientScopeError, InvalidTokenError

Scopes: TypeAlias = "str | Iterable[str] | None"

_EXPECTED: Final = "scopes must be text, or a list of texts"


class TokenValidator:
    """The base class of validators. A subclass defines `authenticate_token` and `validate_token`.

    realm: the name of the protection space, for the challenge (RFC 6750 §3).
    extra_attributes: further parameters of the challenge.
    """

    TOKEN_TYPE: ClassVar[str] = "bearer"

    def __init__(self, realm: str | None = None, **extra_attributes: str) -> None:
        self.realm = realm
        self.extra_attributes = extra_attributes

    @staticmethod
    def scope_insufficient(token_scopes: Scopes, required_scopes: Scopes) -> bool:
        """Return whether the token lacks scopes.

        token_scopes: the scopes of the token, as text with spaces between them or as a list.
        required_scopes: alternatives, one of which is enough. Each is text with one or more scopes, and the token must
            have all of them. A single text is one alternative. None or an empty list requires no scope.
        """
        granted = {*scope_list(token_scopes)}
        alternatives = _alternatives(required_scopes)
        return bool(alternatives) and not any(
            granted and granted.issuperset(scope_list(alternative)) for alternative in alternatives
        )

    def authenticate_token(self, token_string: str) -> Any:
        """Return the token object for an access token, or None if the token is unknown. A subclass defines it.

        token_string: the access token.
        """
        raise UsageError(f"{type(self).__name__} must define authenticate_token(self, token_string)")

    def validate_request(self, request: Any) -> None:
        """Check a request before its token is looked up. A subclass may override it and raise an error of this package.

        request: the request, of the class that the protector of the framework passes.
        """

    def validate_token(self, token: Any, scopes: Scopes, request: Any) -> None:
        """Raise `InvalidTokenError` or `InsufficientScopeError` unless `token` permits the request.

        A subclass defines it.

        token: the result of `authenticate_token`.
        scopes: the required alternatives, as for `scope_insufficient`.
        request: the request.
        """
        raise UsageError(f"{type(self).__name__} must define validate_token(self, token, scopes, request)")

    def _invalid_token(self, description: str | None = None) -> InvalidTokenError:
        return InvalidTokenError(description, realm=self.realm, extra_attributes=self.extra_attributes)

    def _check_scopes(self, granted: Scopes, required: Scopes, what: str = "scope") -> None:
        """Raise `InsufficientScopeError` unless `granted` has one of the alternatives in `required`."""
        if self.scope_insufficient(granted, required):
            names = _alternatives(required)
            error = InsufficientScopeError(
                f"the {what} of the access token does not permit this request",
                realm=self.realm,
                extra_attributes=self.extra_attributes,
            )
            if what == "scope" and len(names) == 1:  # a challenge cannot express alternatives
                error.scopes = tuple(scope_list(names[0]))
            raise error


class BearerTokenValidator(TokenValidator):
    """Checks the program's token objects. A subclass defines `authenticate_token`.

    A token object has `is_expired()`, `is_revoked()` and `get_scope()`.
    """

    def validate_token(self, token: Any, scopes: Scopes, request: Any) -> None:
        """Raise `InvalidTokenError` for a missing, expired or revoked token, and `InsufficientScopeError` by its
        scopes.

        token, scopes, request: as for `TokenValidator.validate_token`.
        """
        if not token or token.is_expired() or token.is_revoked():
            raise self._invalid_token()
        self._check_scopes(token.get_scope(), scopes)


def _alternatives(scopes: Scopes) -> list[Any]:
    return [scopes] if isinstance(scopes, str) else [*members(scopes or (), _EXPECTED)]


def scope_list(scopes: object) -> list[str]:
    """Return the scopes of text with spaces between them, or of a list. None means no scopes."""
    if scopes is None:
        return []
    if isinstance(scopes, str):
        return scopes.split()
    return [str(scope) for scope in members(scopes, _EXPECTED)]
