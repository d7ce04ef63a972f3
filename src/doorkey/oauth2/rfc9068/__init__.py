"""Import path of the validator of JWT access tokens (RFC 9068)."""

from doorkey.resource.validators.jwt_bearer import JWTBearerTokenValidator

__all__ = ["JWTBearerTokenValidator"]
