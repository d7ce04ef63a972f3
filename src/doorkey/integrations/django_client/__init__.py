"""Logging users in to a Django project, as programs written for Authlib do."""

from typing import TYPE_CHECKING, NoReturn

from doorkey.runtime.absent import absent
from doorkey.runtime.extras import explained

try:
    from doorkey.integrations.django_client.apps import DjangoOAuth2App
    from doorkey.integrations.django_client.integration import DjangoIntegration, token_update
    from doorkey.integrations.django_client.registry import OAuth
except ModuleNotFoundError as missing:
    raise explained(missing) from None
from doorkey.errors import OAuthError

__all__ = ["DjangoIntegration", "DjangoOAuth2App", "OAuth", "OAuthError", "token_update"]

if not TYPE_CHECKING:  # a type checker then still finds a misspelled name

    def __getattr__(name: str) -> NoReturn:
        raise absent(__name__, name)
