"""The program in Flask."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import flask

from tests.support.login_programs.programs import (
    NAME,
    Program,
    aged,
    outcome,
    success,
)
from tests.support.web_sites import OnWSGI, Site


def _route(app: flask.Flask, kind: type[Exception], path: str, *methods: str) -> Callable[[Callable[[], Any]], None]:
    def add(view: Callable[[], Any]) -> None:
        def guarded() -> Any:
            try:
                return view()
            except Exception as error:  # noqa: BLE001  # the program says which
                return outcome(error, kind)

        app.add_url_rule(path, path, guarded, methods=methods or ("GET",))

    return add


def application(program: Program) -> flask.Flask:
    """Return the WSGI application."""
    module, session, request = program.module("flask"), flask.session, flask.request
    app = flask.Flask(__name__)
    app.secret_key = program.secret
    app.config["SESSION_COOKIE_SAMESITE"] = program.same_site
    app.config["SESSION_COOKIE_SECURE"] = True

    def update_token(_: str, token: Any, refresh_token: str | None = None, access_token: str | None = None) -> None:
        program.updated(token, refresh_token)

    oauth = module.OAuth(app, cache=program.cache, update_token=update_token)
    client = oauth.register(NAME, **program.options)

    route = partial(_route, app, module.OAuthError)

    @route("/login")
    def _() -> Any:
        return client.authorize_redirect(program.callback, **request.args.to_dict())

    @route("/callback", "GET", "POST")
    def _() -> Any:
        token = client.authorize_access_token()
        session["user"] = program.keep(token)
        return success(session["user"], token)

    @route("/api")
    def _() -> Any:
        answer = client.get(program.api, token=program.tokens[session["user"]])
        return {"status": answer.status_code, "body": answer.json()}

    @route("/userinfo")
    def _() -> Any:
        return dict(client.userinfo(token=program.tokens[session["user"]]))

    @route("/logout")
    def _() -> Any:
        return client.logout_redirect(post_logout_redirect_uri=program.logged_out, client_id=client.client_id)

    @route("/logged-out")
    def _() -> Any:
        return dict(client.validate_logout_response() or {})

    @route("/age")
    def _() -> Any:
        aged(session, float(request.args["seconds"]))
        return {}

    return app


def site(program: Program) -> Site:
    """Return a new process of the program."""
    return OnWSGI(application(program))
