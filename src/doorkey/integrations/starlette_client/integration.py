"""The integration of a registered client with Starlette: the settings of the registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from doorkey.login.registry.integration import AsyncFrameworkIntegration
from doorkey.login.registry.settings import config_settings


class StarletteIntegration(AsyncFrameworkIntegration):
    """The integration of Starlette. There is no signal: `update_token` gets renewed tokens.

    name: of the registration.
    cache: where pending logins are stored; None: the session of Starlette.
    """

    @staticmethod
    def load_config(oauth: Any, name: str, params: Any) -> Mapping[str, Any]:
        """Return the options of the registration `name` in the `config` of the registry: `NAME_CLIENT_ID`, …."""
        del params
        return config_settings(name, oauth.config)
