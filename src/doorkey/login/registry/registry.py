"""`BaseOAuth`: the registry of an application's providers by name, with a client for each provider."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from doorkey.errors import UsageError
from doorkey.login.registry.client import RegisteredClient
from doorkey.login.registry.integration import FrameworkIntegration
from doorkey.login.registry.names import registration_name
from doorkey.login.registry.options import FIELDS, RegistryOptions
from doorkey.runtime.callers import program_stacklevel
from doorkey.values import NotPicklable, clears_locals

OAUTH_CLIENT_PARAMS = FIELDS
"""The options of a registration that are not server metadata."""


class Clients(dict[Any, Any]):
    """The clients of a registry by name. An enum member stands for its name."""

    def __getitem__(self, name: object) -> Any:
        return super().__getitem__(registration_name(name))

    def __setitem__(self, name: object, client: Any) -> None:
        super().__setitem__(registration_name(name), client)

    def __delitem__(self, name: object) -> None:
        super().__delitem__(registration_name(name))

    def __contains__(self, name: object) -> bool:
        return super().__contains__(registration_name(name))

    def get(self, name: object, default: Any = None, /) -> Any:
        """Return the client of this name, or `default`."""
        return super().get(registration_name(name), default)

    def pop(self, name: object, *default: Any) -> Any:
        """Remove the client of this name and return it, or `default`."""
        return super().pop(registration_name(name), *default)


class BaseOAuth(NotPicklable):
    """The registry of an application. Each framework has its own subclass `OAuth`.

    cache: stores pending logins in place of the browser session. It has the methods `get(key)`, `delete(key)` and
        `set(key, value, expires)`, with `expires` in seconds.
    fetch_token: ``fetch_token(name)``, or ``fetch_token(name, request)`` if views get a request, returns the token that
        is stored for the current user, or None.
    update_token: ``update_token(name, token, refresh_token=None, access_token=None)`` stores a renewed token;
        `refresh_token` or `access_token` is the token that it replaces.
    """

    oauth1_client_cls: ClassVar[Any] = None
    """The class of clients with a `request_token_url`: the extension point for OAuth 1."""
    oauth2_client_cls: ClassVar[Any] = None
    framework_integration_cls: ClassVar[Any] = FrameworkIntegration

    def __init__(self, cache: Any = None, fetch_token: Any = None, update_token: Any = None) -> None:
        self._registry: dict[str, tuple[bool, dict[str, Any]]] = {}
        self._clients = Clients()
        self._made: set[str] = set()
        self.cache = cache
        self.fetch_token = fetch_token
        self.update_token = update_token

    @clears_locals
    def register(self, name: Any, overwrite: bool = False, **options: Any) -> Any:
        """Register a provider and return its client, which is also the attribute `name` of the registry.

        A second registration of a name causes a warning and changes nothing, unless `overwrite` is True.

        name: text, or an enum member.
        overwrite: replace the registration of this name; the settings of the framework take precedence over `options`.
        options: `client_id`, `client_secret`, `server_metadata_url`, `client_kwargs` and the other options in
            docs/logins/registries.md. Any other name is server metadata.

        Raises `UsageError` for an invalid value.
        """
        self._remember(name, overwrite, options)
        return self.create_client(name)

    def _remember(self, name: Any, overwrite: bool, options: dict[str, Any]) -> None:
        key = registration_name(name)
        removed = key in self._made and key not in self._clients
        if key in self._registry and not overwrite and not removed:
            warnings.warn(
                f"{key!r} is registered already, and the first registration stays: use overwrite=True to replace it",
                stacklevel=program_stacklevel(),
            )
            return
        self._registry[key] = overwrite, dict(options)
        self._made.discard(key)
        self._clients.pop(key, None)

    def _forget_clients(self) -> None:
        """Drop all clients. Each is created again at its next use. The registrations stay, and may be repeated."""
        self._clients.clear()
        self._made = set(self._registry)

    @clears_locals
    def create_client(self, name: Any) -> Any:
        """Return the client of a registration, or None if the name is not registered.

        name: text, or an enum member.

        Raises `UsageError` for an invalid option of the registration.
        """
        key = registration_name(name)
        if key not in self._clients and key in self._registry:
            # Two threads may create the client at the same time. Both get the client that was stored first.
            self._clients.setdefault(key, self._make(key))
            self._made.add(key)
        return self._clients.get(key)

    def _make(self, key: str) -> Any:
        overwrite, given = self._registry[key]
        settings = self.load_config(key, OAUTH_CLIENT_PARAMS)
        options = RegistryOptions.of(key, given, settings, overwrite=overwrite)
        for hint in options.hints:
            warnings.warn(f"registration {key!r}: {hint}", stacklevel=program_stacklevel())
        own = {option: value for option in FIELDS if (value := getattr(options, option)) not in (None, (), {})}
        kind = own.pop("client_cls", None) or (self.oauth1_client_cls if options.is_oauth1 else self.oauth2_client_cls)
        if kind is None:
            raise UsageError("OAuth 1 (request_token_url=) is not supported yet: register an OAuth 2 provider")
        for option, of_all in (("fetch_token", self.fetch_token), ("update_token", self.update_token)):
            if option not in own and of_all is not None:
                own[option] = partial(of_all, key)
        framework = self.framework_integration_cls(key, self.cache)
        made = {**own, **options.metadata}
        try:
            inspect.signature(kind).bind(framework, key, **made)
        except (TypeError, ValueError):  # ValueError: a builtin type has no signature
            raise UsageError(
                f"client_cls is called as client_cls(framework, name, **options), which {kind.__name__} does not "
                f"accept: use a subclass of {self.oauth2_client_cls.__name__}, whose attribute client_cls is the class "
                "of its sessions"
            ) from None
        return kind(framework, key, **made)

    def load_config(self, name: str, params: tuple[str, ...]) -> Mapping[str, Any] | None:
        """Return the options of a registration from the settings of the framework, or None.

        name: the name of the registration.
        params: the names of the options.
        """
        found: Mapping[str, Any] | None = self.framework_integration_cls.load_config(self, name, params)
        return found

    def __getattr__(self, name: str) -> Any:
        # `vars`, because `_registry` does not exist yet while the constructor runs.
        if name in vars(self).get("_registry", ()):
            return self.create_client(name)
        raise AttributeError(f"there is no client {name!r}: register it by oauth.register({name!r}, …)")

    def _open_clients(self) -> list[Any]:
        """Return the clients that may have connections."""
        return [client for client in self._clients.values() if isinstance(client, RegisteredClient)]


class BlockingOAuth(BaseOAuth):
    """The registry of a framework with synchronous views."""

    def close(self) -> None:
        """Close the connections of all clients, for instance at the end of a test. A later request opens new ones."""
        for client in self._open_clients():
            client.close()


class AwaitingOAuth(BaseOAuth):
    """The registry of a framework with asynchronous views."""

    async def aclose(self) -> None:
        """Close the connections of all clients, for instance in `lifespan`. A later request opens new ones."""
        for client in self._open_clients():
            await client.aclose()
