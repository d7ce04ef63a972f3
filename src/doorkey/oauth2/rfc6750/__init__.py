"""Validators of bearer tokens and their errors, imported by the number of the specification (RFC 6750)."""

from doorkey.resource.validators.bearer import BearerTokenValidator
from doorkey.resource.validators.errors import InsufficientScopeError, InvalidTokenError

__all__ = ["BearerTokenValidator", "InsufficientScopeError", "InvalidTokenError"]
