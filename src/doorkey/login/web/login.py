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
    from flask import Flask
    from starlette.applications import Starlette
    from starlette.requests import HTTPConnection

    from doorkey.stores.protocol import AsyncStoreCalls, StoreCalls
    from doorkey.values import Secret

V = TypeVar("V", bound=Callable[..., Any])

__all__ = ["Login"]


class Login(NotPicklable):
    """The login of an application: its routes, its sessions, and the user of each request.

    ``Login(issuer="https://…", client_id="my-app", client_secret="…")`` has one provider, several `LoginProvider` are
    given by position. ``login.mount(app)`` adds it to Starlette or FastAPI, ``login.init_app(app)`` to Flask. One
    object serves all requests, threads and tasks.

    providers: where users log in. With several, a page lets the user choose one.
    base_url: the URL of the application as users reach it, such as https://app.example. None: the address of the
        request, which is accepted on this machine only.
    secret: at least 32 random characters; encrypts the sessions in the store and the pending logins in cookies.
        Several: the first one encrypts, all of them decrypt. None: a random one for the cookies, kept in the store.
    sessions: the store of the sessions, or its URL: ``sqlite:///PATH``, ``redis://…``, a database URL of SQLAlchemy, or
        ``memory:``. None: the file doorkey-sessions.sqlite3 in the working directory.
    prefix: the path of the routes.
    lifetime: seconds that a browser stays logged in.
    after_login, after_logout: the paths to which the user goes.
    cookie: the prefix of the names of cookies.
    name: the name of the application on pages.
    clock: returns seconds since the epoch; None: `time.time`.
    options: for one provider, the arguments of `LoginProvider`: `client_id`, `client_secret`, `issuer`, `preset` …

    Raises `UsageError`.
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
        **options: Any,
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
        self._start: Callable[[Site], LoginProvider] | None = options.pop("_start", None)  # of dev()
        if options:
            if providers:
                raise UsageError("the options of a provider belong to its LoginProvider, when providers are given")
            if options.get("client_id") is None:
                raise UsageError("client_id= is missing: the ID under which this application is registered there")
            given: dict[str, Any] = {} if clock is None else {"clock": clock}
            self._providers = (LoginProvider(DEFAULT_NAME, **{**given, **options}),)
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
    def from_env(cls, environment: Mapping[str, str] | None = None, **options: Any) -> Self:
        """Return the login that environment variables describe.

        - `DOORKEY_ISSUER`, or `DOORKEY_PRESET`: the provider.
        - `DOORKEY_CLIENT_ID`, `DOORKEY_CLIENT_SECRET`, `DOORKEY_SCOPE`: the registration there.
        - `DOORKEY_HTTP_HOSTS`: hosts that plain http may reach, with spaces, such as a container of a compose file.
        - `DOORKEY_PROVIDERS`: names of several providers, with spaces. Then each has variables of its own, such as
          `DOORKEY_GOOGLE_CLIENT_ID`. The name of a preset needs no issuer.
        - `DOORKEY_BASE_URL`, `DOORKEY_SECRET`, `DOORKEY_SESSIONS`: as `base_url`, `secret` and `sessions`. Several
          secrets are separated by spaces.

        environment: the variables; None: `os.environ`.
        options: further arguments of `Login`, which take precedence.

        Raises `UsageError` that names a missing variable.
        """
        settings = settings_of(os.environ if environment is None else environment)
        providers = settings.pop("providers")
        return cls(*providers, **{**settings, **options})

    @classmethod
    def dev(cls, environment: Mapping[str, str] | None = None, **options: Any) -> Self:
        """Return a login for development, at a provider that runs in this process: no account is needed anywhere.

        Its users are alice (password wonderland) and bob (password builder). Sessions are kept in memory, unless
        `DOORKEY_SESSIONS` is set. If the environment names a provider, this is `from_env()`.

        environment, options: as for `from_env`.

        Raises `UsageError`, also for a registration in the environment without its provider.
        """
        variables = os.environ if environment is None else environment
        if names_a_provider(variables):
            return cls.from_env(variables, **options)
        given: dict[str, Any] = {"sessions": MEMORY, **site_settings(variables), **options}
        return cls(**given, _start=_started)

    def mount(self, app: Starlette) -> None:
        """Add the routes to a Starlette or FastAPI application."""
        from doorkey.login.web.on_starlette import mount

        self._check(AwaitingBackend)
        mount(self, app)
        self._applications.add(app)

    def init_app(self, app: Flask) -> None:
        """Add the routes to a Flask application."""
        from doorkey.login.web.on_flask import init_app

        self._check(BlockingBackend)
        init_app(self, app)
        self._applications.add(app)

    @property
    def User(self) -> Any:  # noqa: N802  # it stands where a type does
        """The dependency of a FastAPI path operation that needs a user: ``def home(user: login.User)``.

        A request without a user is redirected to the login, or answered with 401.
        """
        return self._dependency(optional=False)

    @property
    def OptionalUser(self) -> Any:  # noqa: N802  # as above
        """The same dependency for a path operation that works without a user too: None."""
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
        """Return the user of a request of Starlette or FastAPI, or None."""
        from doorkey.login.web.on_starlette import user_of

        return await user_of(self, request)

    def required(self, view: V) -> V:
        """Return a view of Flask, or an endpoint of Starlette, that is called for logged-in users only.

        It stands below the decorator of the route. A request without a user is redirected to the login, or answered
        with 401. Raises `UsageError` for a view that an application of this login has already.
        """
        from doorkey.login.web.required import required

        return required(self, view)

    @property
    def blocking(self) -> Routes:
        """The routes for a framework that blocks, made on first use."""
        return self._routes(BlockingBackend)

    @property
    def awaiting(self) -> Routes:
        """The routes for a framework that awaits, made on first use."""
        return self._routes(AwaitingBackend)

    def respond(self, route: str, request: WebRequest) -> WebReply:
        """Return the reply to a request to a route, such as ``callback``; blocks."""
        routes = self.blocking
        reply: WebReply = routes.backend.do(routes.reply(route, request))
        return reply

    async def arespond(self, route: str, request: WebRequest) -> WebReply:
        """Return the reply to a request to a route, such as ``callback``."""
        routes = self.awaiting
        reply: WebReply = await routes.backend.do(routes.reply(route, request))
        return reply

    def close(self) -> None:
        """Close the connections to the providers, and a store that was given as a URL, of frameworks that block.

        A server that ends need not call it. The next request opens them again, but `memory:` loses its sessions.
        """
        with self._lock:
            made = self._made.pop(BlockingBackend, None)
        if made is not None:
            made.backend.close()

    async def aclose(self) -> None:
        """Close the connections and the store of frameworks that await, as `close` does."""
        with self._lock:
            made = self._made.pop(AwaitingBackend, None)
        if made is not None:
            await made.backend.close()

    def __repr__(self) -> str:
        return f"<Login at {', '.join(one.name for one in self._providers) or 'the embedded provider'}>"

    def _check(self, kind: type[Backend]) -> None:
        """Raise `UsageError` for wrong settings when the application starts: later they are a response with 500.

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
                    if owned and not kind.awaited:  # one that is awaited opens nothing before its first use
                        store.close()
                    raise
                self._made[kind] = Routes(self.site, backend)
        return self._made[kind]


def _started(site: Site) -> LoginProvider:
    from doorkey.login.web.development import development_provider

    return development_provider(site)
