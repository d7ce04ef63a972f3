"""The integration of a registered client with Starlette: the settings of the registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from doorkey.login.registry.integration import AsyncFrameworkIntegration
from doorkey.login.registry.settings import config_settings


class StarletteIntegration(AsyncFrameworkIntegration):
    """The integration with Starlette. It has no signal: renewed tokens are passed to `update_token` of the registry.

    name: the name of the registration.
    cache: the store of pending logins; None: Starlette's session.
    """

    @staticmethod
    def load_config(oauth: Any, name: str, params: Any) -> Mapping[str, Any]:
        """Return the options of a registration from the `config` of the registry (`NAME_CLIENT_ID`, …).

        oauth: the registry.
        name: the name of the registration.
        params: not used.
        """
        del params
        return config_settings(name, oauth.config)
