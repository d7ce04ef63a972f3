"""The program in Starlette."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.support.login_programs.programs import (
    NAME,
    Program,
    aged,
    outcome,
    success,
)
from tests.support.web_sites import OnASGI, Site


def _route(
    routes: list[Route], kind: type[Exception], path: str, *methods: str
) -> Callable[[Callable[[Request], Awaitable[Any]]], None]:
    def add(view: Callable[[Request], Awaitable[Any]]) -> None:
        async def guarded(request: Request) -> Any:
            try:
                return await view(request)
            except Exception as error:  # noqa: BLE001  # the program says which
                return JSONResponse(*outcome(error, kind))

        routes.append(Route(path, guarded, methods=list(methods or ("GET",))))

    return add


def application(program: Program) -> Starlette:
    """Return the ASGI application."""
    module = program.module("starlette")

    async def update_token(
        _: str, token: Any, refresh_token: str | None = None, access_token: str | None = None
    ) -> None:
        program.updated(token, refresh_token)

    oauth = module.OAuth(cache=program.cache, update_token=update_token)
    program.opened.append(oauth)
    client = oauth.register(NAME, **program.options)
    routes: list[Route] = []

    route = partial(_route, routes, module.OAuthError)

    @route("/login")
    async def _(request: Request) -> Any:
        return await client.authorize_redirect(request, program.callback, **request.query_params)

    @route("/callback", "GET", "POST")
    async def _(request: Request) -> Any:
        token = await client.authorize_access_token(request)
        request.session["user"] = program.keep(token)
        return JSONResponse(success(request.session["user"], token))

    @route("/api")
    async def _(request: Request) -> Any:
        answer = await client.get(program.api, token=program.tokens[request.session["user"]])
        return JSONResponse({"status": answer.status_code, "body": answer.json()})

    @route("/userinfo")
    async def _(request: Request) -> Any:
        return JSONResponse(dict(await client.userinfo(token=program.tokens[request.session["user"]])))

    @route("/logout")
    async def _(request: Request) -> Any:
        return await client.logout_redirect(
            request, post_logout_redirect_uri=program.logged_out, client_id=client.client_id
        )

    @route("/logged-out")
    async def _(request: Request) -> Any:
        return JSONResponse(dict(await client.validate_logout_response(request) or {}))

    @route("/age")
    async def _(request: Request) -> Any:
        aged(request.session, float(request.query_params["seconds"]))
        return JSONResponse({})

    how: dict[str, Any] = {"same_site": program.same_site.lower(), "https_only": True}
    return Starlette(routes=routes, middleware=[Middleware(SessionMiddleware, secret_key=program.secret, **how)])


def site(program: Program) -> Site:
    """Return a new process of the program."""
    assert program.run is not None
    return OnASGI(application(program), program.run)
