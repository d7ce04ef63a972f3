"""`ProtectorCore`: the part that the protectors of all frameworks share."""

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
    """The request as validators see it: `headers` are the framework's own, `pairs` the same as (name, value) pairs."""

    method: str
    uri: str
    headers: Any
    pairs: tuple[tuple[str, str], ...]
    query: str

    def __repr__(self) -> str:  # headers and URL may have the token
        return f"<ProtectedRequest {self.method}>"


class ProtectorCore:
    """Finds the validator for the token of a request, and lets it decide. For any number of threads."""

    def __init__(self) -> None:
        self._validators: dict[str, TokenValidator] = {}

    def register_token_validator(self, validator: TokenValidator) -> None:
        """Use `validator` for tokens of its `TOKEN_TYPE`. A second one of the same type is a `UsageError`."""
        if not isinstance(validator, TokenValidator):
            raise UsageError(f"a validator is a TokenValidator, not {type(validator).__name__}")
        kind = validator.TOKEN_TYPE.lower()
        if kind in self._validators:
            raise UsageError(f"there is a validator for tokens of the type {kind!r} already")
        self._validators[kind] = validator

    def get_token_validator(self, token_type: str) -> TokenValidator:
        """Return the validator for a scheme of the `Authorization` header. Raises `UnsupportedTokenTypeError`."""
        found = self._validators.get(text(token_type, "the type of a token").lower())
        if found is None:
            raise UnsupportedTokenTypeError(realm=self._realm)
        return found

    def parse_request_authorization(self, request: ProtectedRequest) -> tuple[TokenValidator, str]:
        """Return the validator and the token of a request.

        Raises `MissingAuthorizationError`, `UnsupportedTokenTypeError`, or `MalformedRequest` for two tokens, for two
        `Authorization` headers and for a token in the query (RFC 6750 §3.1).
        """
        if not self._validators:
            raise UsageError("no validator is registered: call register_token_validator(…)")
        presented = presented_token(request.pairs, request.query)  # what it rejects, no scheme may contain
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
        """Return the token object of a request whose validator accepts it.

        scopes: alternatives, one of which the token has; each is text with one or more scopes.
        claims: further arguments of the validator's `validate_token`, for instance `groups` (RFC 9068 §2.2.3.1).

        Raises the errors of the validator.
        """
        validator, token_string = self.parse_request_authorization(request)
        validator.validate_request(request)
        token = validator.authenticate_token(token_string)
        validator.validate_token(token, scopes, request, **claims)
        return token

    def accept(self, request: ProtectedRequest, requirements: Mapping[str, Any], *, optional: bool = False) -> Any:
        """Return the token object of a request, or None if it has no token and `optional` allows that.

        requirements: the arguments of a protector's decorator; one text is a list of one.
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
