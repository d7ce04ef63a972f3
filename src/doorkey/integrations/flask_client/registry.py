"""`OAuth`: the registry of a Flask application."""

from __future__ import annotations

from typing import Any, ClassVar

from werkzeug.local import LocalProxy

from doorkey.errors import UsageError
from doorkey.integrations.flask_client.apps import FlaskOAuth2App
from doorkey.integrations.flask_client.integration import FlaskIntegration
from doorkey.login.registry.apps import UnsupportedOAuth1App
from doorkey.login.registry.registry import BlockingOAuth
from doorkey.values import clears_locals

_NAME = "doorkey.integrations.flask_client"


class OAuth(BlockingOAuth):
    """The providers at which a Flask application logs users in.

    app: the application; None: call `init_app` later.
    cache: the store of pending logins, in place of Flask's session. It has `get(key)`, `set(key, value, expires)` and
        `delete(key)`.
    fetch_token: ``fetch_token(name)`` returns the stored token of the current user, or None.
    update_token: ``update_token(name, token, refresh_token=None, access_token=None)`` stores a renewed token. It is
        called with the replaced refresh token or access token.
    """

    oauth1_client_cls: ClassVar[Any] = UnsupportedOAuth1App
    oauth2_client_cls: ClassVar[Any] = FlaskOAuth2App
    framework_integration_cls: ClassVar[Any] = FlaskIntegration

    def __init__(self, app: Any = None, cache: Any = None, fetch_token: Any = None, update_token: Any = None) -> None:
        super().__init__(cache, fetch_token, update_token)
        self.app = app
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Any, cache: Any = None, fetch_token: Any = None, update_token: Any = None) -> None:
        """Use the settings of an application. Clients that were created for another application are created again.

        app: the application.
        cache, fetch_token, update_token: as for the constructor; None: unchanged.
        """
        if self.app is not None and self.app is not app:
            self._forget_clients()
        self.app = app
        self.cache = self.cache if cache is None else cache
        self.fetch_token = fetch_token or self.fetch_token
        self.update_token = update_token or self.update_token
        app.extensions[_NAME] = self

    @clears_locals
    def create_client(self, name: Any) -> Any:
        """Return the registered client `name`, or None if there is no such registration.

        name: the name of the registration.

        Raises `UsageError` for invalid options, and before `init_app`.
        """
        if self.app is None:
            raise UsageError("this registry has no application yet: call oauth.init_app(app) first")
        return super().create_client(name)

    @clears_locals
    def register(self, name: Any, overwrite: bool = False, **options: Any) -> Any:
        """Register a provider, and return its client. Before `init_app`, the client is created on first use.

        A second registration of a name issues a warning and changes nothing, unless `overwrite` is True.

        name: the name of the registration, as text or an enum member.
        overwrite: True to replace the registration of this name. The settings of the application then take precedence
            over `options`.
        options: as for every registry.

        Raises `UsageError` for an invalid value.
        """
        self._remember(name, overwrite, options)
        if self.app is not None:
            return self.create_client(name)
        return LocalProxy(lambda: self.create_client(name))
