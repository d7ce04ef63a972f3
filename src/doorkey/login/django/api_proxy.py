"""`api_proxy`: the view of an `ApiProxy` in a Django project."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from doorkey.login.django.apps import project_login
from doorkey.login.django.messages import django_reply, web_request
from doorkey.login.django.views import open_to_all
from doorkey.login.web.api_proxy import ApiProxy
from doorkey.login.web.login import Login
from doorkey.login.web.messages import WebReply
from doorkey.login.web.proxied_api import ProxiedAPI

__all__ = ["api_proxy"]


def api_proxy(url: str, **options: Any) -> Callable[..., HttpResponseBase]:
    """Return the view of an API behind the project: ``path("api/<path:path>", api_proxy("https://api.example"))``.

    url: the URL of the API.
    options: the options of `doorkey.login.ApiProxy`, such as `request_headers`. With `stream`, serve the project with
        WSGI, because under ASGI Django collects the whole response before it sends it.

    Raises `UsageError` for an invalid URL or header name. The other options are checked at the first request.
    """
    ProxiedAPI.of("/api", url, options.get("request_headers", ()), options.get("response_headers", ()))

    @lru_cache(maxsize=64)
    def proxy_at(login: Login, prefix: str) -> ApiProxy:
        return ApiProxy(login, prefix, url, **options)

    @open_to_all
    @csrf_exempt  # the proxy has its own check
    def view(request: HttpRequest, path: str = "", **_: Any) -> HttpResponseBase:
        site = project_login().login.site
        root = request.META.get("SCRIPT_NAME", "").rstrip("/")
        proxy = proxy_at(project_login().login, request.path.removesuffix(path).rstrip("/").removeprefix(root))
        body = request.read(proxy.max_request + 1)
        known: Any = request.user
        converted = web_request(request, site, of_user=known.is_authenticated)
        reply = proxy.respond(converted, None if len(body) > proxy.max_request else body)
        return django_reply(reply, site).response if reply.stream is None else _streamed(reply)

    return view


def _streamed(reply: WebReply) -> StreamingHttpResponse:
    response = StreamingHttpResponse(reply.stream, status=reply.status)
    del response["Content-Type"]
    for name, value in reply.headers:
        response[name] = value
    return response
