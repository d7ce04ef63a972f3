"""Import path of the validator that introspects tokens (RFC 7662)."""

from doorkey.resource.validators.introspection import IntrospectTokenValidator

__all__ = ["IntrospectTokenValidator"]
