"""`StarletteOAuth2App`: a registered client for Starlette, whose methods take the request."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, ClassVar

from starlette.datastructures import Secret
from starlette.responses import RedirectResponse

from doorkey.errors import UsageError
from doorkey.integrations.httpx_client import AsyncOAuth2Client
from doorkey.integrations.starlette_client.forms import posted_form
from doorkey.login.proxy_settings import STARLETTE
from doorkey.login.registry.apps import AwaitingApp
from doorkey.values import clears_locals

if TYPE_CHECKING:
    from starlette.requests import Request

__all__ = ["StarletteOAuth2App"]

_NO_SESSION = (
    "this request has no session, which must store the login: call app.add_middleware(SessionMiddleware, secret_key=…)"
)


class StarletteOAuth2App(AwaitingApp):
    """The client of a provider in a Starlette or FastAPI application. Its methods are coroutines.

    framework: the `StarletteIntegration` of this registration.
    name: the name of the registration.
    options: the options of `OAuth.register`. A `Secret` of Starlette is converted to text.

    Raises `UsageError` for an invalid option.
    """

    client_cls: ClassVar[Any] = AsyncOAuth2Client
    _proxy_setting: ClassVar[str] = STARLETTE

    @clears_locals
    def __init__(self, framework: Any, name: Any = None, **options: Any) -> None:
        revealed = {option: str(value) for option, value in options.items() if isinstance(value, Secret)}
        super().__init__(framework, name, **{**options, **revealed})

    def _browser_session(self, request: Request) -> MutableMapping[str, Any]:
        if "session" not in request.scope:
            raise UsageError(_NO_SESSION)
        return request.session

    def _renew_session(self, browser: MutableMapping[str, Any], request: Any) -> None:
        """Renew the ID of a server-side session, for instance of starsessions. Starlette's own session is a cookie."""
        renew: Any = getattr(request.scope.get("session_handler"), "regenerate_id", None)
        if callable(renew):
            renew()

    async def _callback(self, request: Request) -> Mapping[str, Any]:
        return await posted_form(request) if _method(request) == "POST" else request.query_params

    def _query(self, request: Request) -> Mapping[str, Any]:
        return request.query_params

    def _header(self, request: Request, name: str) -> str:
        headers: list[tuple[bytes, bytes]] = request.scope.get("headers") or []  # may be missing in a test
        return dict(headers).get(name.encode(), b"").decode("latin-1")

    def _redirect(self, url: str) -> RedirectResponse:
        return RedirectResponse(url, status_code=302)


def _method(request: Request) -> str:
    method: str = request.scope.get("method", "GET")
    return method
