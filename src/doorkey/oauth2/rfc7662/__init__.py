"""The validator that introspects tokens, imported by the number of the specification (RFC 7662)."""

from doorkey.resource.validators.introspection import IntrospectTokenValidator

__all__ = ["IntrospectTokenValidator"]
