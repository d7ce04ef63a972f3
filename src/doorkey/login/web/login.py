"""`Login`: the login of an application, for Flask, Django, Starlette and FastAPI."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar
from weakref import WeakSet

from doorkey import arguments
from doorkey.arguments import each
from doorkey.errors import UsageError
from doorkey.login.web.backend import AwaitingBackend, Backend, BlockingBackend
from doorkey.login.web.environment import DEFAULT_NAME, names_a_provider, settings_of, site_settings
from doorkey.login.web.keys import secrets_of
from doorkey.login.web.messages import WebReply, WebRequest
from doorkey.login.web.providers import LoginProvider
from doorkey.login.web.routes import Routes
from doorkey.login.web.session_stores import DEFAULT, MEMORY, store_at
from doorkey.login.web.site import Site
from doorkey.login.web.user import User as UserOfRequest
from doorkey.runtime.clock import wall_time
from doorkey.runtime.extras import explained
from doorkey.runtime.forks import ForkSafeLock
from doorkey.values import NotPicklable, clears_locals

if TYPE_CHECKING:
    from typing import Unpack

    from flask import Flask
    from starlette.applications import Starlette
    from starlette.requests import HTTPConnection

    from doorkey.login.option_types import EnvironmentOptions, LoginOptions
    from doorkey.stores.protocol import AsyncStoreCalls, StoreCalls
    from doorkey.values import Secret

V = TypeVar("V", bound=Callable[..., Any])

__all__ = ["Login"]


class Login(NotPicklable):
    """The login of an application: its routes, its sessions, and the user of each request.

    ``Login(issuer="https://…", client_id="my-app", client_secret="…")`` has one provider. Pass several providers as
    positional arguments. ``login.mount(app)`` adds the login to Starlette or FastAPI, ``login.init_app(app)`` to Flask.
    All requests, threads and tasks may share one object.

    providers: the providers at which users log in. If there are several, the user chooses one on a page.
    base_url: the URL of the application for its users, such as https://app.example. None: the address of the request,
        which is accepted only on this machine.
    secret: at least 32 random characters; encrypts the sessions in the store and the pending logins in cookies. If
        there are several, the first one encrypts and all of them decrypt. None: sessions are not encrypted, and a
        random secret in the store encrypts the cookies.
    sessions: the store of the sessions, or its URL: ``sqlite:///PATH``, ``redis://…``, a database URL of SQLAlchemy, or
        ``memory:``. None: the file doorkey-sessions.sqlite3 in the working directory.
    prefix: the path of the routes.
    lifetime: seconds that a browser stays logged in.
    after_login: the path to which the user goes after a login that requested no other path.
    after_logout: the path to which the user goes after a logout.
    cookie: the prefix of the names of cookies.
    name: the name of the application on pages.
    clock: returns seconds since the epoch; None: `time.time`.
    options: for one provider, the arguments of `LoginProvider`: `client_id`, `client_secret`, `issuer`, `preset` …

    Raises `UsageError` for an invalid or missing argument.
    """

    @clears_locals
    def __init__(
        self,
        *providers: LoginProvider,
        base_url: str | None = None,
        secret: str | Secret | Iterable[str] | None = None,
        sessions: str | StoreCalls | AsyncStoreCalls | None = None,
        prefix: str = "/auth",
        lifetime: float = 43_200.0,
        after_login: str = "/",
        after_logout: str = "/",
        cookie: str = "doorkey",
        name: str = "",
        clock: Callable[[], float] | None = None,
        **options: Unpack[LoginOptions],
    ) -> None:
        self.site = Site(
            base_url=base_url,
            prefix=prefix,
            cookie=cookie,
            lifetime=lifetime,
            after_login=after_login,
            after_logout=after_logout,
            name=name,
        )
        self._clock = wall_time if clock is None else clock
        arguments.clock(self._clock)
        self._providers = each(providers, LoginProvider, "the providers of a login are LoginProvider")
        own: dict[str, Any] = {**options}
        self._start: Callable[[Site], LoginProvider] | None = own.pop("_start", None)  # set by dev()
        if own:
            if providers:
                raise UsageError("if providers are given, pass the options of each provider to its LoginProvider")
            if own.get("client_id") is None:
                raise UsageError("client_id= is missing: the ID of this application at the provider")
            given: dict[str, Any] = own if clock is None else {"clock": clock, **own}
            self._providers = (LoginProvider(DEFAULT_NAME, **given),)
        if not self._providers and self._start is None:
            raise UsageError("the provider is missing: give issuer= and client_id=, or use Login.dev()")
        names = [one.name for one in self._providers]
        if len(set(names)) < len(names):
            raise UsageError("two providers of a login have the same name")
        self._secrets = () if secret is None else secrets_of(secret)
        self._sessions = DEFAULT if sessions is None else sessions
        self._applications: WeakSet[Flask | Starlette] = WeakSet()
        self._made: dict[type[Backend], Routes] = {}
        self._lock = ForkSafeLock()

    @classmethod
    def from_env(cls, environment: Mapping[str, str] | None = None, **options: Unpack[EnvironmentOptions]) -> Self:
        """Return a login that environment variables configure.

        - `DOORKEY_ISSUER`, or `DOORKEY_PRESET`: the provider.
        - `DOORKEY_CLIENT_ID`, `DOORKEY_CLIENT_SECRET`, `DOORKEY_SCOPE`: the registration there.
        - `DOORKEY_HTTP_HOSTS`: hosts that may use plain http, such as a container of a compose file, separated by
          spaces.
        - `DOORKEY_PROVIDERS`: names of several providers, separated by spaces. Each provider has its own variables,
          such as `DOORKEY_GOOGLE_CLIENT_ID`. A provider with the name of a preset needs no issuer.
        - `DOORKEY_BASE_URL`, `DOORKEY_SECRET`, `DOORKEY_SESSIONS`: as `base_url`, `secret` and `sessions`. Several
          secrets are separated by spaces.

        environment: the variables; None: `os.environ`.
        options: further arguments of `Login`, which take precedence.

        Raises `UsageError` with the name of a missing variable, and for an invalid value.
        """
        settings = settings_of(os.environ if environment is None else environment)
        providers = settings.pop("providers")
        given: dict[str, Any] = {**settings, **options}
        return cls(*providers, **given)

    @classmethod
    def dev(cls, environment: Mapping[str, str] | None = None, **options: Unpack[EnvironmentOptions]) -> Self:
        """Return a login for development. Its provider runs in this process, so you need no account elsewhere.

        Its users are alice (password wonderland) and bob (password builder). Sessions are stored in memory, unless
        `DOORKEY_SESSIONS` is set. If the environment configures a provider, this calls `from_env`.

        environment, options: as for `from_env`.

        Raises `UsageError`, also if the environment has a client registration without its provider.
        """
        variables = os.environ if environment is None else environment
        if names_a_provider(variables):
            return cls.from_env(variables, **options)
        given: dict[str, Any] = {"sessions": MEMORY, **site_settings(variables), **options, "_start": _started}
        return cls(**given)

    def mount(self, app: Starlette) -> None:
        """Add the routes of the login to a Starlette or FastAPI application.

        app: the application.

        Raises `UsageError` for another object, for an application that has started, and for invalid settings.
        """
        from doorkey.login.web.on_starlette import mount

        self._check(AwaitingBackend)
        mount(self, app)
        self._applications.add(app)

    def init_app(self, app: Flask) -> None:
        """Add the routes of the login to a Flask application.

        app: the application.

        Raises `UsageError` for another object, for an application that has a login with this prefix or has handled a
        request, and for invalid settings.
        """
        from doorkey.login.web.on_flask import init_app

        self._check(BlockingBackend)
        init_app(self, app)
        self._applications.add(app)

    @property
    def User(self) -> Any:  # noqa: N802  # programs use it as a type
        """The dependency of a FastAPI path operation that needs a user: ``def home(user: login.User)``.

        A request without a user is redirected to the login, or gets a 401.
        """
        return self._dependency(optional=False)

    @property
    def OptionalUser(self) -> Any:  # noqa: N802  # as above
        """The same dependency for a path operation that also works without a user. Its value may be None."""
        return self._dependency(optional=True)

    def _dependency(self, *, optional: bool) -> Any:
        try:
            from doorkey.login.web.on_fastapi import dependency
        except ModuleNotFoundError as error:
            raise explained(error) from None
        return dependency(self, optional=optional)

    @property
    def user(self) -> UserOfRequest | None:
        """The user of the current request in Flask, or None. Never None in a view with ``@login.required``.

        Raises `UsageError` outside of a request.
        """
        from doorkey.login.web.on_flask import current_user

        return current_user(self)

    async def user_of(self, request: HTTPConnection) -> UserOfRequest | None:
        """Return the user of a request of Starlette or FastAPI, or None.

        request: the request, or a WebSocket. A WebSocket from another origin has no user.
        """
        from doorkey.login.web.on_starlette import user_of

        return await user_of(self, request)

    def required(self, view: V) -> V:
        """Decorate a view of Flask, or an endpoint of Starlette, so that it is called only for logged-in users.

        Put it below the decorator of the route. A request without a user is redirected to the login, or gets a 401.

        view: the function.

        Raises `UsageError` if an application of this login already has `view` as a route.
        """
        from doorkey.login.web.required import required

        return required(self, view)

    @property
    def blocking(self) -> Routes:
        """The routes for a synchronous framework, created on first use."""
        return self._routes(BlockingBackend)

    @property
    def awaiting(self) -> Routes:
        """The routes for an asynchronous framework, created on first use."""
        return self._routes(AwaitingBackend)

    def respond(self, route: str, request: WebRequest) -> WebReply:
        """Return the reply to a request to a route, for synchronous code.

        route: the path below the prefix, such as ``callback``.
        request: the request.
        """
        routes = self.blocking
        reply: WebReply = routes.backend.do(routes.reply(route, request))
        return reply

    async def arespond(self, route: str, request: WebRequest) -> WebReply:
        """Return the reply to a request to a route, for asynchronous code; see `respond`."""
        routes = self.awaiting
        reply: WebReply = await routes.backend.do(routes.reply(route, request))
        return reply

    def close(self) -> None:
        """Close the resources of synchronous frameworks: connections to providers, and a store that was given as a URL.

        A server need not call it when it ends. The next request opens them again, but `memory:` loses its sessions.
        """
        with self._lock:
            made = self._made.pop(BlockingBackend, None)
        if made is not None:
            made.backend.close()

    async def aclose(self) -> None:
        """Close the resources of asynchronous frameworks; see `close`."""
        with self._lock:
            made = self._made.pop(AwaitingBackend, None)
        if made is not None:
            await made.backend.close()

    def __repr__(self) -> str:
        return f"<Login at {', '.join(one.name for one in self._providers) or 'the embedded provider'}>"

    def _check(self, kind: type[Backend]) -> None:
        """Raise `UsageError` for invalid settings when the application starts. Later, they would cause a 500.

        The embedded provider starts at the first request, because an application may be imported without being served.
        """
        if self._providers:
            self._routes(kind)
        else:
            from doorkey.login.web.development import check_libraries

            check_libraries(awaited=kind.awaited)

    def _routes(self, kind: type[Backend]) -> Routes:
        found = self._made.get(kind)
        if found is not None:
            return found
        with self._lock:
            if kind not in self._made:
                if self._start is not None and not self._providers:
                    self._providers = (self._start(self.site),)
                given: Any = self._sessions
                owned = isinstance(given, str)
                store = store_at(given, awaited=kind.awaited) if owned else given
                try:
                    backend = kind(self._providers, store, self._secrets, self._clock, owns_store=owned)
                except BaseException:
                    if owned and not kind.awaited:  # an asynchronous store opens nothing before its first use
                        store.close()
                    raise
                self._made[kind] = Routes(self.site, backend)
        return self._made[kind]


def _started(site: Site) -> LoginProvider:
    from doorkey.login.web.development import development_provider

    return development_provider(site)
