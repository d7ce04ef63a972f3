"""Names that programs import by the number of the specification: errors and tokens of RFC 6749."""

from doorkey.oauth2.rfc6749 import errors
from doorkey.oauth2.rfc6749.errors import *  # noqa: F403  # one list, in `errors`
from doorkey.tokens import OAuth2Token

__all__ = ["OAuth2Token"]
__all__ += errors.__all__
