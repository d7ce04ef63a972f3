"""Import path of the errors and tokens of RFC 6749."""

from typing import TYPE_CHECKING, NoReturn

from doorkey.oauth2.rfc6749 import errors
from doorkey.oauth2.rfc6749.errors import *  # noqa: F403  # one list, in `errors`
from doorkey.runtime.absent import absent
from doorkey.tokens import OAuth2Token

__all__ = ["OAuth2Token"]
__all__ += errors.__all__

if not TYPE_CHECKING:  # hidden from type checkers, which would accept any name otherwise

    def __getattr__(name: str) -> NoReturn:
        raise absent(__name__, name)
