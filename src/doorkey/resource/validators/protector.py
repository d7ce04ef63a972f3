"""`ProtectorCore`: the common part of the protectors for web frameworks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from doorkey.arguments import text
from doorkey.errors import UsageError
from doorkey.protocol.presented_token import presented_token
from doorkey.resource.validators.bearer import Scopes, TokenValidator
from doorkey.resource.validators.errors import MissingAuthorizationError, UnsupportedTokenTypeError


@dataclass(frozen=True, slots=True, repr=False)
class ProtectedRequest:
    """The request that validators get.

    method, uri: the HTTP method and the URL.
    headers: the headers as an object of the framework.
    pairs: the same headers as (name, value) pairs.
    query: the query of the URL, without the question mark.
    """

    method: str
    uri: str
    headers: Any
    pairs: tuple[tuple[str, str], ...]
    query: str

    def __repr__(self) -> str:  # headers and URL may contain the token
        return f"<ProtectedRequest {self.method}>"


class ProtectorCore:
    """Passes the token of a request to the validator for its scheme. Thread-safe."""

    def __init__(self) -> None:
        self._validators: dict[str, TokenValidator] = {}

    def register_token_validator(self, validator: TokenValidator) -> None:
        """Register `validator` for tokens of its `TOKEN_TYPE`. Raises `UsageError` if that type has a validator."""
        if not isinstance(validator, TokenValidator):
            raise UsageError(f"a validator must be a TokenValidator, not {type(validator).__name__}")
        kind = validator.TOKEN_TYPE.lower()
        if kind in self._validators:
            raise UsageError(f"a validator for tokens of the type {kind!r} is already registered")
        self._validators[kind] = validator

    def get_token_validator(self, token_type: str) -> TokenValidator:
        """Return the validator for the scheme `token_type`. Raises `UnsupportedTokenTypeError` if there is none."""
        found = self._validators.get(text(token_type, "the type of a token").lower())
        if found is None:
            raise UnsupportedTokenTypeError(realm=self._realm)
        return found

    def parse_request_authorization(self, request: ProtectedRequest) -> tuple[TokenValidator, str]:
        """Return the validator and the token of a `request`.

        Raises `MissingAuthorizationError` without an `Authorization` header, `UnsupportedTokenTypeError` for an unknown
        scheme or a missing token, and `MalformedRequest` for two tokens, for two `Authorization` headers and for a
        token in the query (RFC 6750 §3.1).
        """
        if not self._validators:
            raise UsageError("no validator is registered: call register_token_validator(…)")
        presented = presented_token(request.pairs, request.query)  # rejects errors of every scheme, such as two headers
        values = [value for name, value in request.pairs if name.lower() == "authorization"]
        if not values:
            raise MissingAuthorizationError(realm=self._realm)
        scheme, _, rest = values[0].strip().partition(" ")
        validator = self.get_token_validator(scheme)
        token = presented.token.reveal() if presented is not None else rest.strip()
        if not token:
            raise UnsupportedTokenTypeError(realm=self._realm)
        return validator, token

    def validate_request(self, scopes: Scopes, request: ProtectedRequest, **claims: Any) -> Any:
        """Return the token object of a request that its validator accepts.

        scopes: the required alternatives, as for `TokenValidator.scope_insufficient`.
        request: the request.
        claims: further arguments of the validator's `validate_token`, for instance `groups` (RFC 9068 §2.2.3.1).

        Raises the errors of the validator.
        """
        validator, token_string = self.parse_request_authorization(request)
        validator.validate_request(request)
        token = validator.authenticate_token(token_string)
        validator.validate_token(token, scopes, request, **claims)
        return token

    def accept(self, request: ProtectedRequest, requirements: Mapping[str, Any], *, optional: bool = False) -> Any:
        """Return the token object of a request, or None if it has no token and `optional` is true.

        requirements: the arguments of a protector's decorator. A single text means a list of one alternative.

        Raises the errors of `validate_request`.
        """
        wanted = {name: [value] if isinstance(value, str) else value for name, value in requirements.items()}
        alias = wanted.pop("scope", None)
        scopes = wanted.pop("scopes", None) or alias
        try:
            return self.validate_request(scopes, request, **wanted)
        except MissingAuthorizationError:
            if optional and not any(name.lower() == "authorization" for name, _ in request.pairs):
                return None
            raise

    @property
    def _realm(self) -> str | None:
        """The realm of the validator that was registered first."""
        return next((validator.realm for validator in self._validators.values()), None)
