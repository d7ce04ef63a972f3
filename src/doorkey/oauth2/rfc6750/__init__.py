"""Import path of the validator of bearer tokens and its errors (RFC 6750)."""

from doorkey.resource.validators.bearer import BearerTokenValidator
from doorkey.resource.validators.errors import InsufficientScopeError, InvalidTokenError

__all__ = ["BearerTokenValidator", "InsufficientScopeError", "InvalidTokenError"]
