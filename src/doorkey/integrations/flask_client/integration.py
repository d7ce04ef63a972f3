"""The integration of a registered client with Flask: the settings of the application, and the signal for renewed
tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from blinker import Namespace
from flask import current_app, has_app_context

from doorkey.login.registry.integration import FrameworkIntegration
from doorkey.login.registry.settings import prefixed_settings

_signals = Namespace()
token_update = _signals.signal("token_update")
"""Sent by the application with `name`, `token`, `refresh_token` and `access_token` after a token was renewed."""


class FlaskIntegration(FrameworkIntegration):
    """The integration with Flask.

    name: the name of the registration.
    cache: the store of pending logins; None: Flask's session.
    """

    def update_token(self, token: Any, refresh_token: str | None = None, access_token: str | None = None) -> None:
        """Send the signal `token_update`.

        token: the new token.
        refresh_token, access_token: the replaced tokens.
        """
        app: Any = current_app
        sender = app._get_current_object() if has_app_context() else None
        token_update.send(sender, name=self.name, token=token, refresh_token=refresh_token, access_token=access_token)

    @staticmethod
    def load_config(oauth: Any, name: str, params: Any) -> Mapping[str, Any]:
        """Return the options of a registration from the settings of the application (`NAME_CLIENT_ID`, …).

        oauth: the registry, which has the application.
        name: the name of the registration.
        params: not used.
        """
        del params
        return prefixed_settings(name, oauth.app.config.get)
