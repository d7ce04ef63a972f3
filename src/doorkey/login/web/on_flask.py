"""The login on Flask: its routes, and the user of the current request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Response, has_request_context, request
from werkzeug.exceptions import HTTPException

from doorkey.arguments import instance
from doorkey.errors import InvalidGrant, MissingTokenError, OAuthError, TokenExpiredError, UsageError
from doorkey.login.proxy_settings import FLASK
from doorkey.login.web.messages import MAX_FORM, WebReply, WebRequest
from doorkey.login.web.user import User
from doorkey.resource.flask_request import bounded_form, request_values
from doorkey.wire.messages import Pairs

if TYPE_CHECKING:
    from doorkey.login.web.login import Login

PROXY_SETTING: Final = FLASK
_LOGINS: Final = "doorkey.login"
LOG_IN_AGAIN: Final = (InvalidGrant, MissingTokenError, TokenExpiredError)


def init_app(login: Login, app: Flask) -> None:
    """Add the routes of `login` to an application, and handlers for the errors of `user.client`."""

    def respond(route: str) -> Response:
        return response_of(login.respond(route, web_request(_form())))

    def log_in_again(error: OAuthError) -> Response:
        for one in app.extensions[_LOGINS]:
            user = (request_values() or {}).get(_name(one))
            if isinstance(user, User) and user.uses_token:
                return response_of(one.blocking.backend.do(one.blocking.end_and_deny(web_request())))
        raise error

    endpoint = f"doorkey_login_{login.site.prefix.strip('/').replace('/', '_')}"
    instance(app, Flask, "init_app takes a Flask application")
    try:
        app.add_url_rule(f"{login.site.prefix}/<path:route>", endpoint, respond, methods=["GET", "POST"])
    except AssertionError as error:
        raise UsageError(
            "add the login once, before the application has handled a request; two logins need two prefixes"
        ) from error
    app.extensions.setdefault(_LOGINS, []).append(login)
    for kind in LOG_IN_AGAIN:
        app.register_error_handler(kind, log_in_again)
    csrf: Any = app.extensions.get("csrf")
    if csrf is not None:  # Flask-WTF: exempt, because the routes have their own checks
        csrf.exempt(respond)


def current_user(login: Login) -> User | None:
    """Return the user of the current request, or None. Raises `UsageError` outside of a request."""
    kept = request_values() if has_request_context() else None
    if kept is None:
        raise UsageError("login.user is the user of the current request, but no request is being handled")
    if _name(login) not in kept:
        routes = login.blocking
        kept[_name(login)] = routes.backend.do(routes.user(web_request()))
    user: User | None = kept[_name(login)]
    return user


def denial(login: Login) -> Response | None:
    """Return the response to the current request if it has no user, else None."""
    routes = login.blocking
    try:
        if current_user(login) is not None:
            return None
    except UsageError:
        raise
    except OAuthError as error:
        return response_of(routes.failed(error, web_request()))
    if not login._applications:
        raise UsageError("the application has no routes of the login: call login.init_app(app)")
    return response_of(routes.denied(web_request()))


def web_request(form: Pairs = ()) -> WebRequest:
    """Return the current request as a value. Its body stays unread, because a view of the program may need it."""
    return WebRequest(
        method=request.method,
        scheme=request.scheme,
        host=request.host,
        path=request.root_path.rstrip("/") + request.path,
        query=request.query_string.decode("latin-1"),
        headers=tuple(request.headers.items()),
        form=form,
        root=request.root_path.rstrip("/"),
        proxy_setting=PROXY_SETTING,
    )


def response_of(reply: WebReply) -> Response:
    """Return a response of Flask."""
    response = Response(reply.body if reply.stream is None else reply.stream, reply.status)
    response.headers.clear()
    for name, value in reply.headers:
        response.headers.add(name, value)
    return response


def _form() -> Pairs:
    """Return the parameters of a posted form; () for any other body, and for a body that is too long."""
    try:
        return tuple(bounded_form(MAX_FORM).items(multi=True))
    except HTTPException:  # too long, or too many parts
        return ()


def _name(login: Login) -> str:
    """Return the name under which the user is stored. An application may have several logins."""
    return f"user_{id(login)}"
