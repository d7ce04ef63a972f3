"""The control page as requests and responses: access checks, views and forms.

Theory of operation. The page changes the provider, and lets any user log in without a password. It is served only if no
other machine can reach the provider (`Provider` checks that). Each request is then checked:

- The caller's address is loopback, and no proxy has forwarded the request.
- `Host` is a loopback name, so that a page in a browser cannot reach it under another host name (DNS rebinding).
- A form was sent by this page. It has this page's `Origin`, a cookie that browsers do not send with a form of another
  site (`SameSite=Strict`), and a MAC over that cookie, which no other page can compute.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from doorkey.dev.control_page.actions import ACTIONS, DONE, Controlled
from doorkey.dev.control_page.people import sent_values, user_from, values_of
from doorkey.dev.control_page.views import RELOAD_SECONDS, Shown, overview, refusal, request_log, user_page
from doorkey.dev.cookies import cookie_of
from doorkey.dev.faults import Faults
from doorkey.dev.keycloak import ADMIN_REALM, Keycloak, bad_host
from doorkey.dev.limits import MAX_BODY
from doorkey.dev.request_log import RequestLog
from doorkey.dev.service import Service
from doorkey.errors import OAuthError, ServerError, UsageError
from doorkey.server.context import At
from doorkey.server.endpoints.forms import check_csrf, fingerprint, mac, refuse_other_origins
from doorkey.server.registrations import User
from doorkey.server.responses.parameters import Parameters, form_of, query_of
from doorkey.server.responses.responses import page_response, redirect
from doorkey.wire.messages import Request, Response
from doorkey.wire.urls import is_loopback

PATH: Final = "/dev"
COOKIE = "doorkey_dev"
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "via")
_USER = re.compile(r"/user(?:/([0-9a-f-]{1,64}))?")


class ControlPage:
    """Responds to the requests for the control page of a provider."""

    def __init__(self, service: Service, keycloak: Keycloak, faults: Faults, log: RequestLog) -> None:
        self._on = Controlled(service, keycloak, faults, log)

    def serves(self, path: str) -> bool:
        """Return whether requests for `path` are for this page."""
        return path in ("/", PATH) or path.startswith(f"{PATH}/")

    def answer(self, request: Request, address: str | None, *, size: int) -> Response:
        """Return the response to a request from `address`, whose body has `size` bytes."""
        origin = self._on.keycloak.hosts.origin_of(request)
        if origin is None:
            return bad_host()
        if not _is_local_request(request, address):
            return refusal("The control page is only available to a browser on this machine, without a proxy.", 403)
        if size > MAX_BODY:
            return refusal("This form is too long.", 413)
        try:
            return self._answer(request, self._on.keycloak.at_realm(ADMIN_REALM, f"{origin}/realms/{ADMIN_REALM}"))
        except ServerError as error:
            return refusal(error.description or error.error, error.status or 400)
        except OAuthError:  # for example, the store cannot be used; the page shows no details
            return refusal("Something went wrong here. Try again.", 500)

    def _answer(self, request: Request, at: At) -> Response:
        path = urlsplit(request.url).path.removeprefix(PATH)
        name, place = _cookie(at)
        cookie = cookie_of(request, name)
        if request.method == "POST":
            return self._changed(request, path, at, cookie)
        if request.method not in ("GET", "HEAD"):
            return refusal("The control page supports only the methods GET and POST.", 405)
        if path == "/":
            return redirect(PATH, {}, status=303)
        fresh = cookie or secrets.token_urlsafe(32)
        query = query_of(request)
        shown = Shown(PATH, _csrf(at, fresh), DONE.get(query.get("done") or "", ""))
        response = self._view(path, query, shown)
        header = ("Set-Cookie", f"{name}={fresh}; {place}; HttpOnly; SameSite=Strict")
        return replace(response, headers=(*response.headers, header))

    def _view(self, path: str, query: Parameters, shown: Shown) -> Response:
        if path == "":
            return page_response(overview(self._on, shown))
        if path == "/requests":
            reloads = query.get("reload") == "yes"
            response = page_response(request_log(self._on, shown, reloads=reloads))
            header = (("Refresh", str(RELOAD_SECONDS)),) if reloads else ()
            return replace(response, headers=(*response.headers, *header))
        if (found := _USER.fullmatch(path)) is not None:
            person = None if found[1] is None else self._user(sub=found[1])
            if person is not None or found[1] is None:
                return page_response(user_page(person, values_of(person), shown))
        return refusal("The control page has no page at this path.", 404)

    def _changed(self, request: Request, path: str, at: At, cookie: str | None) -> Response:
        """Perform the action of a form, and redirect to the page, or show it with the problem."""
        refuse_other_origins(request, at)
        form = form_of(request)
        csrf = check_csrf(form, _csrf(at, cookie) if cookie else secrets.token_urlsafe(32))
        shown = Shown(PATH, csrf)
        if path == "/user":
            return self._saved(form, shown)
        action = ACTIONS.get(path)
        if action is None:
            return refusal("The control page has no action at this path.", 404)
        try:
            return _done(action(self._on, form))
        except UsageError as error:
            return page_response(overview(self._on, replace(shown, problem=error.description or error.error)), 400)

    def _saved(self, form: Parameters, shown: Shown) -> Response:
        name = form.get("name")
        person = None if name is None else self._user(name)
        try:
            if person is None and self._user(form.get("username")) is not None:
                raise UsageError("A user with this name already exists. Edit that user.")
            self._on.service.set_user(user_from(form, person))
        except UsageError as error:
            failed = replace(shown, problem=error.description or error.error)
            return page_response(user_page(person, sent_values(form), failed), 400)
        return _done("saved")

    def _user(self, name: str | None = None, *, sub: str | None = None) -> User | None:
        people = list(self._on.service.users.values())
        wanted = None if name is None else name.lower()
        return next((one for one in people if one.sub == sub or one.username.lower() == wanted), None)


def _is_local_request(request: Request, address: str | None) -> bool:
    """Return whether the request came from this machine, to a loopback name, and without a proxy."""
    names = {name.lower() for name, _ in request.headers}
    host = urlsplit(request.url).hostname or ""
    return is_loopback(address or "") and is_loopback(host) and not names.intersection(_FORWARDED)


def _csrf(at: At, cookie: str) -> str:
    return mac(at, "control-page", fingerprint(cookie))


def _cookie(at: At) -> tuple[str, str]:
    """Return the name of the cookie, and its attributes `Path` and `Secure` (RFC 6265bis)."""
    if at.issuer.startswith("https:"):
        return f"__Host-{COOKIE}", "Path=/; Secure"
    return COOKIE, f"Path={PATH}"


def _done(key: str) -> Response:
    return redirect(PATH, {"done": key}, status=303)
