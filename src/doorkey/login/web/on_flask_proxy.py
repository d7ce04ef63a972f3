"""`ApiProxy` on Flask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

from doorkey.login.web.on_flask import response_of, web_request
from doorkey.login.web.proxied_api import METHODS

if TYPE_CHECKING:
    from doorkey.login.web.api_proxy import ApiProxy


def init_app(proxy: ApiProxy, app: Flask) -> None:
    """Add the paths of `proxy` to an application."""

    def respond(path: str = "") -> Response:
        body: bytes = request.stream.read(proxy.max_request + 1)
        return response_of(proxy.respond(web_request(), None if len(body) > proxy.max_request else body))

    endpoint = f"doorkey_proxy_{proxy.api.prefix.strip('/').replace('/', '_')}"
    options: dict[str, Any] = {"methods": list(METHODS), "provide_automatic_options": False}
    for rule in (f"{proxy.api.prefix}/", f"{proxy.api.prefix}/<path:path>"):
        app.add_url_rule(rule, endpoint, respond, **options)
    csrf: Any = app.extensions.get("csrf")
    if csrf is not None:  # Flask-WTF: exempt, because the proxy has its own check
        csrf.exempt(respond)
