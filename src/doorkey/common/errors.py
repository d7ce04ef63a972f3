"""The base class of all errors, under the name that programs import from here."""

from doorkey.errors import OAuthError as AuthlibBaseError

__all__ = ["AuthlibBaseError"]
