"""Logs users in to a Flask application, with the interface of Authlib."""

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

if not TYPE_CHECKING:  # otherwise a type checker would accept misspelled names

    def __getattr__(name: str) -> NoReturn:
        raise absent(__name__, name)
