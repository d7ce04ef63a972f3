"""The same API in every framework: each function returns it as a function of requests."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, TypeAlias

from tests.support.django_apis import django_api
from tests.support.django_project import project
from tests.support.framework_requests import Answer, Call, asgi, wsgi

Api: TypeAlias = Callable[[Call], Answer]

REQUIREMENTS: dict[str, dict[str, Any]] = {
    "/any": {},
    "/orders": {"scopes": ["orders:read"]},
    "/both": {"scopes": ["orders:read", "orders:write"]},
    "/admin": {"claims": {"role": "admin"}},
    "/fresh": {"acr": "mfa", "max_age": 600},
    "/optional": {"optional": True},
}
"""What each path requires, as the arguments of `require` and `middleware`; scopes are positional."""


def split(path: str) -> tuple[list[str], dict[str, Any]]:
    """The positional and the named arguments of a path's requirement."""
    options = dict(REQUIREMENTS[path])
    return options.pop("scopes", []), options


def page(token: Any) -> dict[str, Any]:
    """What each endpoint responds."""
    return {"sub": None if token is None else token.sub}


def wsgi_middleware(verifier: Any, **options: Any) -> Api:
    from doorkey.resource.on_wsgi import WSGIGuard

    guard = WSGIGuard(verifier, **options)

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(page(environ["doorkey.access_token"])).encode()]

    guarded: dict[str, Any] = {}
    for path in REQUIREMENTS:
        scopes, more = split(path)
        guarded[path] = guard.middleware(app, *scopes, **more)
    return lambda call: wsgi(guarded.get(call.path, guarded["/any"]), call)


def flask_decorator(verifier: Any, *, awaiting: bool = False, **options: Any) -> Api:
    from flask import Flask

    from doorkey.resource.on_flask import FlaskGuard

    app, guard = Flask(__name__), FlaskGuard(verifier, **options)
    if options.get("resource"):
        guard.init_app(app)

    def view() -> dict[str, Any]:
        return page(guard.access_token)

    async def aview() -> dict[str, Any]:
        return page(guard.access_token)

    for path in REQUIREMENTS:
        scopes, more = split(path)
        guarded = guard.require(*scopes, **more)(aview if awaiting else view)
        app.add_url_rule(path, endpoint=path, view_func=guarded)
    return partial(wsgi, app)


def asgi_middleware(verifier: Any, **options: Any) -> Api:
    return partial(asgi, asgi_app(verifier, **options))


def asgi_app(verifier: Any, **options: Any) -> Any:
    """A plain ASGI application behind the middleware; a WebSocket gets the subject as a text."""
    from doorkey.resource.on_asgi import ASGIGuard

    guard = ASGIGuard(verifier, **options)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = json.dumps(page(scope["state"]["access_token"]))
        if scope["type"] == "websocket":
            await send({"type": "websocket.accept"})
            await send({"type": "websocket.send", "text": body})
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body.encode()})

    guarded: dict[str, Any] = {}
    for path in REQUIREMENTS:
        scopes, more = split(path)
        guarded[path] = guard.middleware(app, *scopes, **more)

    async def dispatch(scope: Any, receive: Any, send: Any) -> None:
        await guarded.get(scope["path"], guarded["/any"])(scope, receive, send)

    return dispatch


def starlette_decorator(verifier: Any, **options: Any) -> Api:
    return partial(asgi, starlette_app(verifier, **options))


def starlette_app(verifier: Any, *, awaiting: bool = True, **options: Any) -> Any:
    """A Starlette application whose endpoints are decorated."""
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route, WebSocketRoute
    from starlette.websockets import WebSocket

    from doorkey.resource.on_starlette import StarletteGuard

    guard = StarletteGuard(verifier, **options)

    def endpoint(request: Request) -> JSONResponse:
        return JSONResponse(page(request.state.access_token))

    async def aendpoint(request: Request) -> JSONResponse:
        return JSONResponse(page(request.state.access_token))

    async def websocket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(json.dumps(page(websocket.state.access_token)))

    routes: list[Any] = [*guard.routes]
    for path in REQUIREMENTS:
        scopes, more = split(path)
        required = guard.require(*scopes, **more)
        routes += [
            Route(path, required(aendpoint if awaiting else endpoint)),
            WebSocketRoute(path, required(websocket)),
        ]
    return Starlette(routes=routes)


def starlette_middleware(verifier: Any, **options: Any) -> Api:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    from doorkey.resource.on_starlette import StarletteGuard

    guard = StarletteGuard(verifier, **options)

    async def endpoint(request: Request) -> JSONResponse:
        return JSONResponse(page(request.state.access_token))

    apps: dict[str, Any] = {}
    for path in REQUIREMENTS:
        scopes, more = split(path)
        apps[path] = Starlette(routes=[Route(path, endpoint)])
        apps[path].add_middleware(guard.middleware, *scopes, **more)
    return lambda call: asgi(apps.get(call.path, apps["/any"]), call)


def fastapi_dependency(verifier: Any, **options: Any) -> Api:
    return partial(asgi, fastapi_app(verifier, **options))


def fastapi_app(verifier: Any, *, awaiting: bool = True, **options: Any) -> Any:
    """A FastAPI application whose path operations take the token."""
    from fastapi import FastAPI, WebSocket

    from doorkey.resource import AccessToken
    from doorkey.resource.on_fastapi import FastAPIGuard

    app, guard = FastAPI(), FastAPIGuard(verifier, **options)
    app.include_router(guard.router)

    def add(path: str) -> None:
        scopes, more = split(path)
        required: Any = guard.require(*scopes, **more)

        def operation(token: Annotated[AccessToken | None, required]) -> dict[str, Any]:
            return page(token)

        async def aoperation(token: Annotated[AccessToken | None, required]) -> dict[str, Any]:
            return page(token)

        async def websocket(websocket: WebSocket, token: Annotated[AccessToken | None, required]) -> None:
            await websocket.accept()
            await websocket.send_text(json.dumps(page(token)))

        for function in (operation, aoperation, websocket):  # FastAPI cannot resolve texts of names in a function
            function.__annotations__ = {
                "token": Annotated[AccessToken | None, required],
                **({"websocket": WebSocket} if function is websocket else {}),
            }
        app.add_api_route(path, aoperation if awaiting else operation, methods=["GET", "HEAD", "POST"])
        app.add_api_websocket_route(path, websocket)

    for path in REQUIREMENTS:
        add(path)
    return app


def _django_view(*, awaiting: bool) -> Any:
    from django.http import HttpRequest, JsonResponse

    def view(request: HttpRequest) -> JsonResponse:
        found: Any = request
        return JsonResponse(page(found.access_token))

    async def aview(request: HttpRequest) -> JsonResponse:
        return view(request)

    return aview if awaiting else view


def django_decorator(verifier: Any, *, awaiting: bool = False, **options: Any) -> Api:
    from django.urls import path as route

    from doorkey.resource.on_django import DjangoGuard

    guard, view = DjangoGuard(verifier, **options), _django_view(awaiting=awaiting)
    patterns: list[Any] = [*guard.urls]
    for path in REQUIREMENTS:
        scopes, more = split(path)
        patterns.append(route(path[1:], guard.require(*scopes, **more)(view)))
    return django_api(patterns, awaiting=awaiting)


def django_middleware(verifier: Any, *, awaiting: bool = False, **options: Any) -> Api:
    from django.urls import path as route

    from doorkey.resource.on_django import DjangoGuard

    guard, view = DjangoGuard(verifier, **options), _django_view(awaiting=awaiting)
    apis: dict[str, Api] = {}
    for path in REQUIREMENTS:
        scopes, more = split(path)
        patterns: list[Any] = [route(path[1:], view)]
        apis[path] = django_api(patterns, middleware=[guard.middleware(*scopes, **more)], awaiting=awaiting)
    return lambda call: apis.get(call.path, apis["/any"])(call)


def rest_framework(verifier: Any, **options: Any) -> Api:
    with project():
        from django.urls import path as route
        from rest_framework.request import Request
        from rest_framework.response import Response
        from rest_framework.views import APIView

        from doorkey.resource.on_rest_framework import RestFrameworkGuard

        guard = RestFrameworkGuard(verifier, **options)

        class View(APIView):
            authentication_classes = [guard.authentication]  # noqa: RUF012  # as this framework wants it

            def get(self, request: Request) -> Response:
                return Response(page(request.auth))

        patterns: list[Any] = [*guard.urls]
        for path in REQUIREMENTS:
            scopes, more = split(path)
            optional = more.pop("optional", False)
            permissions = [] if optional else [guard.permission(*scopes, **more)]
            view: Any = type("Endpoint", (View,), {"permission_classes": permissions})
            patterns.append(route(path[1:], view.as_view()))
        return django_api(patterns)


BLOCKING: dict[str, Callable[..., Api]] = {
    "wsgi": wsgi_middleware,
    "flask": flask_decorator,
    "flask-async-view": partial(flask_decorator, awaiting=True),
    "django": django_decorator,
    "django-middleware": django_middleware,
    "rest-framework": rest_framework,
}
"""Frameworks that block: they take an `AccessTokenVerifier`."""

AWAITING: dict[str, Callable[..., Api]] = {
    "asgi": asgi_middleware,
    "starlette": starlette_decorator,
    "starlette-def": partial(starlette_decorator, awaiting=False),
    "starlette-middleware": starlette_middleware,
    "fastapi": fastapi_dependency,
    "fastapi-def": partial(fastapi_dependency, awaiting=False),
    "django-async": partial(django_decorator, awaiting=True),
    "django-async-middleware": partial(django_middleware, awaiting=True),
}
"""Frameworks that await: they take both verifiers."""

WEBSOCKETS: dict[str, Callable[..., Callable[..., Awaitable[None]]]] = {
    "asgi": asgi_app,
    "starlette": starlette_app,
    "fastapi": fastapi_app,
}
"""Frameworks with WebSockets, as their applications."""
