"""Protecting a Flask application with validators, as programs written for Authlib do."""

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
