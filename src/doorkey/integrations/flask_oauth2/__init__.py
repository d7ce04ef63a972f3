"""Protects a Flask application by token validators, with the interface of Authlib."""

from typing import TYPE_CHECKING, NoReturn

from doorkey.runtime.absent import absent
from doorkey.runtime.extras import explained

try:
    from doorkey.integrations.flask_oauth2.resource_protector import (
        ResourceProtector,
        current_token,
        token_authenticated,
    )
except ModuleNotFoundError as missing:
    raise explained(missing) from None

__all__ = ["ResourceProtector", "current_token", "token_authenticated"]

if not TYPE_CHECKING:  # otherwise a type checker would accept misspelled names

    def __getattr__(name: str) -> NoReturn:
        raise absent(__name__, name)
