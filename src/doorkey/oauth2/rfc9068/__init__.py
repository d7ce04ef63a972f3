"""The validator of JWT access tokens, imported by the number of the specification (RFC 9068)."""

from doorkey.resource.validators.jwt_bearer import JWTBearerTokenValidator

__all__ = ["JWTBearerTokenValidator"]
