"""Import path of Authlib's PKCE (RFC 7636). The error of an import names the replacement."""

from typing import TYPE_CHECKING, NoReturn

from doorkey.runtime.absent import absent

__all__: list[str] = []

if not TYPE_CHECKING:  # hidden from type checkers, which would accept any name otherwise

    def __getattr__(name: str) -> NoReturn:
        raise absent(__name__, name)
