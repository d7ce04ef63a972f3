"""`login.required`: call a view only for logged-in users, in any supported framework."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from doorkey.arguments import awaits
from doorkey.errors import UsageError

if TYPE_CHECKING:
    from doorkey.login.web.login import Login

V = TypeVar("V", bound=Callable[..., Any])

_NO_REQUEST = "@login.required is for views of Flask, and for endpoints of Starlette that take the request"


def required(login: Login, view: V) -> V:
    """Return a view that checks the user before it calls `view`; see `Login.required`."""
    if any(view in _views_of(app) for app in login._applications):
        raise UsageError(
            "this view is already a route of the application, which would stay open to everyone: put @login.required "
            "below the decorator of the route"
        )
    if awaits(view):

        @wraps(view)
        async def guarded_async(*args: Any, **kwargs: Any) -> Any:
            connection = _connection_of((*args, *kwargs.values()))
            if connection is not None:
                from doorkey.login.web.on_starlette import denial

                denied: Any = await denial(login, connection)
            else:
                denied = _flask_denial(login)
            return denied if denied is not None else await view(*args, **kwargs)

        return cast("V", guarded_async)

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        connection = _connection_of((*args, *kwargs.values()))
        if connection is not None:  # Starlette calls a blocking endpoint in a worker thread
            from anyio.from_thread import run

            from doorkey.login.web.on_starlette import denial

            denied: Any = run(denial, login, connection)
        else:
            denied = _flask_denial(login)
        return denied if denied is not None else view(*args, **kwargs)

    return cast("V", guarded)


def _views_of(app: Any) -> list[Any]:
    """Return the views of a Flask application, or the endpoints of a Starlette application."""
    if hasattr(app, "view_functions"):
        return [*app.view_functions.values()]
    return [getattr(route, "endpoint", None) for route in app.routes]


def _connection_of(values: Iterable[Any]) -> Any:
    """Return the request among the arguments of an endpoint of Starlette, or None."""
    requests = sys.modules.get("starlette.requests")
    if requests is None:
        return None
    return next((value for value in values if isinstance(value, requests.HTTPConnection)), None)


def _flask_denial(login: Login) -> Any:
    if "flask" not in sys.modules:
        raise UsageError(_NO_REQUEST)
    from doorkey.login.web.on_flask import denial

    return denial(login)
