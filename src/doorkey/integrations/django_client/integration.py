"""The integration of a registered client with Django: the settings of the project, and the signal for renewed
tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.dispatch import Signal

from doorkey.login.registry.integration import FrameworkIntegration
from doorkey.login.registry.settings import django_settings

token_update = Signal()
"""Sent by `DjangoIntegration` with `name`, `token`, `refresh_token` and `access_token` after a token was renewed."""


class DjangoIntegration(FrameworkIntegration):
    """The integration with Django.

    name: the name of the registration.
    cache: the store of pending logins; None: Django's session.
    """

    def update_token(self, token: Any, refresh_token: str | None = None, access_token: str | None = None) -> None:
        """Send the signal `token_update`.

        token: the new token.
        refresh_token, access_token: the replaced tokens.
        """
        replaced = {"refresh_token": refresh_token, "access_token": access_token}
        token_update.send(sender=type(self), name=self.name, token=token, **replaced)

    @staticmethod
    def load_config(oauth: Any, name: str, params: Any) -> Mapping[str, Any]:
        """Return the options of a registration from the project's setting `DOORKEY_OAUTH_CLIENTS`.

        oauth, params: not used.
        name: the name of the registration.
        """
        del oauth, params
        return django_settings(name, settings)
