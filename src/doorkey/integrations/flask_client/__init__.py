"""Logging users in to a Flask application, as programs written for Authlib do."""

from typing import TYPE_CHECKING, NoReturn

from doorkey.runtime.absent import absent
from doorkey.runtime.extras import explained

try:
    from doorkey.integrations.flask_client.apps import FlaskOAuth2App
    from doorkey.integrations.flask_client.integration import FlaskIntegration, token_update
    from doorkey.integrations.flask_client.registry import OAuth
except ModuleNotFoundError as missing:
    raise explained(missing) from None
from doorkey.errors import OAuthError

__all__ = ["FlaskIntegration", "FlaskOAuth2App", "OAuth", "OAuthError", "token_update"]

if not TYPE_CHECKING:  # a type checker then still finds a misspelled name

    def __getattr__(name: str) -> NoReturn:
        raise absent(__name__, name)
