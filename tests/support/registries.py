"""Registries of every framework under one interface: a test writes its views once.

    def view(visit):                                     # what `await` is in Starlette, `yield` is here
        return (yield visit.client.authorize_redirect(*visit.request, HOME))

    page = world.visit(view)

A view is a generator; what it yields is awaited where it is awaitable. Its result is `world.value`, and the response if
it is one of the framework. What it raises, `visit` raises.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Mapping, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, TypeAlias

from anyio.from_thread import BlockingPortal

from tests.support.django_project import project
from tests.support.openid_provider import CLIENT, SECRET, OpenIDProvider
from tests.support.relying_party import parameters
from tests.support.web_browser import Browser
from tests.support.web_sites import OnASGI, OnWSGI, Page, Site

FRAMEWORKS = ("flask", "starlette", "django")
NAME = "op"
ORIGIN = "https://rp.example"
HOME = f"{ORIGIN}/callback"
CONFIGURATION = "/.well-known/openid-configuration"

Steps: TypeAlias = Generator[Any, Any, Any]


def django_settings() -> AbstractContextManager[None]:
    """Return the settings of the Django programs, as a context manager."""
    return project(
        MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
        ROOT_URLCONF=f"{__name__}_urls",
        SECRET_KEY="of the session cookie",
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        SESSION_SERIALIZER="django.contrib.sessions.serializers.JSONSerializer",
    )


@dataclass
class Visit:
    """One request, as a view sees it."""

    world: World
    request: tuple[Any, ...]
    """The arguments for the request that the methods of this framework take: none in Flask."""
    session: MutableMapping[str, Any]

    @property
    def client(self) -> Any:
        return self.world.client


@dataclass
class World:
    """An application of one framework, its registry, and a provider."""

    framework: str
    provider: OpenIDProvider
    portal: BlockingPortal
    oauth: Any = None
    value: Any = None
    """What the last view returned."""
    error: BaseException | None = None
    view: Callable[[Visit], Steps] | None = None
    saved: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """The calls of `update_token`."""

    # -- the registry ------------------------------------------------------------------------------------------------

    @property
    def module(self) -> Any:
        return import_module(f"doorkey.integrations.{self.framework}_client")

    @property
    def app_cls(self) -> Any:
        """The class of this framework's clients."""
        return getattr(self.module, f"{self.framework.capitalize()}OAuth2App")

    @property
    def awaits(self) -> bool:
        return self.framework == "starlette"

    def registry(self, settings: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """Make the application and its registry; `settings` are those of the framework, by name in Flask's style."""
        if self.framework == "flask":
            import flask

            app: Any = flask.Flask("registries")
            app.secret_key = "of the session cookie"
            app.config.update(settings or {})
            app.add_url_rule("/<path:path>", "any", self._flask_view, methods=["GET", "POST"])
            self.oauth = self.module.OAuth(app, **options)
            self._site: Site = OnWSGI(app)
        elif self.framework == "starlette":
            from starlette.applications import Starlette
            from starlette.middleware import Middleware
            from starlette.middleware.sessions import SessionMiddleware
            from starlette.routing import Route

            middleware = [Middleware(SessionMiddleware, secret_key="of the session cookie")]
            routes = [Route("/{path:path}", self._starlette_view, methods=["GET", "POST"])]
            self.oauth = self.module.OAuth(settings, **options)
            self._site = OnASGI(Starlette(routes=routes, middleware=middleware), self.portal.call)
        else:
            from django.core.handlers.wsgi import WSGIHandler

            self.oauth = self.module.OAuth(**options)
            self._site = OnWSGI(WSGIHandler(), environment={"doorkey.world": self})
        return self.oauth

    @property
    def usual(self) -> dict[str, Any]:
        """The options with which `register` registers the provider unless a test says otherwise."""
        return {
            "client_id": CLIENT,
            "client_secret": SECRET,
            "server_metadata_url": self.provider.server.url(CONFIGURATION),
            "client_kwargs": {"scope": "openid profile"},
        }

    def close(self) -> None:
        """Close the connections of the application."""
        if self.oauth is not None and self.awaits:
            self.portal.call(self.oauth.aclose)
        elif self.oauth is not None:
            self.oauth.close()

    def register(self, _name: Any = NAME, **options: Any) -> Any:
        """Register the provider with the usual options and these; None removes one."""
        oauth: Any = self.oauth or self.registry()
        given = {name: value for name, value in {**self.usual, **options}.items() if value is not None}
        return oauth.register(_name, **given)

    @property
    def client(self) -> Any:
        """The client of the provider, registered when it is first needed."""
        oauth: Any = self.oauth or self.registry()
        if NAME not in oauth._clients:
            self.register()
        return oauth.create_client(NAME)

    def callback(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return `function` as a program of this framework writes a callback: a coroutine function in Starlette."""
        if not self.awaits:
            return function

        async def awaited(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return awaited

    def update_token(self) -> Callable[..., Any]:
        """Return an `update_token` that notes its calls in `saved`."""
        return self.callback(lambda *args, **kwargs: self.saved.append({"args": args, **kwargs}))

    # -- requests ----------------------------------------------------------------------------------------------------

    def browser(self) -> Browser:
        if self.oauth is None:
            self.registry()
        return Browser(self._site, ORIGIN)

    def visit(
        self,
        view: Callable[[Visit], Steps],
        browser: Browser | None = None,
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Page:
        """Let a browser send a request that `view` answers. Raises what the view raised."""
        browser = browser or self.browser()
        self.view, self.value, self.error = view, None, None
        page = browser.get("/view", query=query) if form is None else browser.post("/view", form)
        if self.error is not None:
            raise self.error
        return page

    def ask(self, view: Callable[[Visit], Steps], browser: Browser | None = None, **request: Any) -> Any:
        """Return the result of a view."""
        self.visit(view, browser, **request)
        return self.value

    def call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Return the result of a method of the client that needs no request, called in one."""

        def view(visit: Visit) -> Steps:
            return (yield getattr(visit.client, name)(*args, **kwargs))

        return self.ask(view)

    # -- a login -------------------------------------------------------------------------------------------------------

    def begin(self, browser: Browser, redirect_uri: Any = HOME, **extra: Any) -> str:
        """Begin a login, and return the URL of the authorization request."""

        def view(visit: Visit) -> Steps:
            return (yield visit.client.authorize_redirect(*visit.request, redirect_uri, **extra))

        return self.visit(view, browser).location

    def answer(self, url: str) -> dict[str, str]:
        """Let the user log in at the provider, and return the parameters of its response."""
        came = self.provider.log_in(url)
        return parameters(came) if isinstance(came, str) else came

    def finish(self, browser: Browser, response: Mapping[str, str], *, post: bool = False, **extra: Any) -> Any:
        """Bring a response to the callback, and return the token."""

        def view(visit: Visit) -> Steps:
            return (yield visit.client.authorize_access_token(*visit.request, **extra))

        return self.ask(view, browser, **({"form": response} if post else {"query": response}))

    def log_in(self, browser: Browser | None = None, **extra: Any) -> Any:
        """Log a user in, and return the token."""
        browser = browser or self.browser()
        return self.finish(browser, self.answer(self.begin(browser, **extra)))

    def state_of(self, browser: Browser) -> dict[str, Any]:
        """Return the entries of pending logins in the session of a browser."""

        def view(visit: Visit) -> Steps:
            yield None
            return {key: visit.session[key] for key, _ in visit.session.items() if key.startswith("_state_")}

        found: dict[str, Any] = self.ask(view, browser)
        return found

    # -- views ---------------------------------------------------------------------------------------------------------

    def _flask_view(self, path: str) -> Any:
        import flask

        return self._blocking(Visit(self, (), flask.session), flask.Response, lambda: flask.Response(""))

    def django_view(self, request: Any) -> Any:
        from django.http import HttpResponse

        return self._blocking(Visit(self, (request,), request.session), HttpResponse, HttpResponse)

    async def _starlette_view(self, request: Any) -> Any:
        from starlette.responses import Response

        steps = self._begun(Visit(self, (request,), request.session))
        try:
            outcome: Any = None
            while True:
                step = steps.send(outcome)
                try:
                    outcome = await step if inspect.isawaitable(step) else step
                except Exception as error:  # noqa: BLE001  # as `await` in a view does
                    outcome = await self._thrown(steps, error)
        except StopIteration as done:
            self.value = done.value
        except Exception as error:  # noqa: BLE001  # `visit` raises it
            self.error = error
        return self.value if isinstance(self.value, Response) else Response("")

    async def _thrown(self, steps: Steps, error: Exception) -> Any:
        step = steps.throw(error)
        return await step if inspect.isawaitable(step) else step

    def _begun(self, visit: Visit) -> Steps:
        assert self.view is not None
        return self.view(visit)

    def _blocking(self, visit: Visit, kind: type, empty: Callable[[], Any]) -> Any:
        steps = self._begun(visit)
        try:
            outcome: Any = None
            while True:
                outcome = steps.send(outcome)
        except StopIteration as done:
            self.value = done.value
        except Exception as error:  # noqa: BLE001  # `visit` raises it
            self.error = error
        return self.value if isinstance(self.value, kind) else empty()


def settings_of(framework: str) -> AbstractContextManager[None]:
    """Return the context in which the applications of a framework run."""
    return django_settings() if framework == "django" else nullcontext()
