"""Logs users in to a Starlette or FastAPI application, with the interface of Authlib."""

from typing import TYPE_CHECKING, NoReturn

from doorkey.runtime.absent import absent
from doorkey.runtime.extras import explained

try:
    from doorkey.integrations.starlette_client.apps import StarletteOAuth2App
    from doorkey.integrations.starlette_client.integration import StarletteIntegration
    from doorkey.integrations.starlette_client.registry import OAuth
except ModuleNotFoundError as missing:
    raise explained(missing) from None
from doorkey.errors import OAuthError

__all__ = ["OAuth", "OAuthError", "StarletteIntegration", "StarletteOAuth2App"]

if not TYPE_CHECKING:  # otherwise a type checker would accept misspelled names

    def __getattr__(name: str) -> NoReturn:
        raise absent(__name__, name)
