"""Protects a Django application by token validators, with the interface of Authlib."""

from typing import TYPE_CHECKING, NoReturn

from doorkey.runtime.absent import absent
from doorkey.runtime.extras import explained

try:
    from doorkey.integrations.django_oauth2.resource_protector import (
        BearerTokenValidator,
        ResourceProtector,
        return_error_response,
        token_authenticated,
    )
except ModuleNotFoundError as missing:
    raise explained(missing) from None

__all__ = ["BearerTokenValidator", "ResourceProtector", "return_error_response", "token_authenticated"]

if not TYPE_CHECKING:  # otherwise a type checker would accept misspelled names

    def __getattr__(name: str) -> NoReturn:
        raise absent(__name__, name)
