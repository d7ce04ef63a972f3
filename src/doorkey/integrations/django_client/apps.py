"""`DjangoOAuth2App`: a registered client for Django, whose methods take the request."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.sessions.backends.base import SessionBase
from django.core.exceptions import SuspiciousOperation
from django.http import HttpResponseRedirect
from django.http.request import UnreadablePostError

from doorkey.errors import UsageError, VerificationError
from doorkey.integrations.base_client.session_classes import default_session_class
from doorkey.login.proxy_settings import DJANGO
from doorkey.login.registry.apps import BlockingRequestApp

if TYPE_CHECKING:
    from django.http import HttpRequest

__all__ = ["DjangoOAuth2App"]

_NO_SESSION = (
    "this request has no session, which must store the login: add "
    "'django.contrib.sessions.middleware.SessionMiddleware' to the setting MIDDLEWARE"
)


class DjangoOAuth2App(BlockingRequestApp):
    """The client of a provider in a Django project.

    framework: the `DjangoIntegration` of this registration.
    name: the name of the registration.
    options: the options of `OAuth.register`.

    Raises `UsageError` for an invalid option.
    """

    client_cls: ClassVar[Any] = default_session_class()
    _proxy_setting: ClassVar[str] = DJANGO
    _client_id_setting: ClassVar[str] = "the member client_id of DOORKEY_OAUTH_CLIENTS[{name!r}]"

    def _browser_session(self, request: HttpRequest) -> MutableMapping[str, Any]:
        session: Any = getattr(request, "session", None)
        if session is None:
            raise UsageError(_NO_SESSION)
        found: MutableMapping[str, Any] = session
        return found

    def _renew_session(self, browser: MutableMapping[str, Any], request: Any) -> None:
        if isinstance(browser, SessionBase):  # a test may use a dictionary as the session
            browser.cycle_key()

    def _callback(self, request: HttpRequest) -> Mapping[str, Any]:
        if request.method != "POST":
            return request.GET
        try:
            return request.POST
        except (SuspiciousOperation, UnreadablePostError) as error:
            failed = VerificationError("callback", f"is a form that Django cannot read ({type(error).__name__})")
        raise failed

    def _query(self, request: HttpRequest) -> Mapping[str, Any]:
        return request.GET

    def _header(self, request: HttpRequest, name: str) -> str:
        return request.headers.get(name, "")

    def _redirect(self, url: str) -> HttpResponseRedirect:
        return HttpResponseRedirect(url)
