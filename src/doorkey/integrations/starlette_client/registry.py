"""`OAuth`: the registry of a Starlette or FastAPI application."""

from __future__ import annotations

from typing import Any, ClassVar

from doorkey.integrations.starlette_client.apps import StarletteOAuth2App
from doorkey.integrations.starlette_client.integration import StarletteIntegration
from doorkey.login.registry.apps import UnsupportedOAuth1App
from doorkey.login.registry.registry import AwaitingOAuth


class OAuth(AwaitingOAuth):
    """The providers at which a Starlette application logs users in.

    config: settings such as `GOOGLE_CLIENT_ID`: Starlette's `Config`, or a mapping.
    cache: the store of pending logins, in place of the session. Its methods `get(key)`, `set(key, value, expires)` and
        `delete(key)` are awaited.
    fetch_token: ``fetch_token(name, request)`` returns the stored token of the user who sent the request, or None.
    update_token: ``update_token(name, token, refresh_token=None, access_token=None)`` stores a renewed token. It is
        called with the replaced refresh token or access token.

    The callables may be coroutine functions.
    """

    oauth1_client_cls: ClassVar[Any] = UnsupportedOAuth1App
    oauth2_client_cls: ClassVar[Any] = StarletteOAuth2App
    framework_integration_cls: ClassVar[Any] = StarletteIntegration

    def __init__(
        self, config: Any = None, cache: Any = None, fetch_token: Any = None, update_token: Any = None
    ) -> None:
        super().__init__(cache, fetch_token, update_token)
        self.config = config
