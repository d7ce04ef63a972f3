"""Convert requests and responses of Django from and to the values of the routes.

Theory of operation. The ID of the login's session is in Django's own session, so that there is one session cookie, and
`login()` and `logout()` of Django renew and end both. The routes use a cookie. So this module passes the ID to them as
that cookie, and stores the value of the cookie that they set in Django's session instead.
"""

from __future__ import annotations

from http.cookies import SimpleCookie
from typing import Final, NamedTuple

from django.http import HttpRequest, HttpResponse

from doorkey.login.proxy_settings import DJANGO
from doorkey.login.web.cookies import CookieRules
from doorkey.login.web.messages import WebReply, WebRequest
from doorkey.login.web.site import Site
from doorkey.wire.cookies import cookie_pairs
from doorkey.wire.messages import Pairs

SESSION: Final = "_doorkey_login"
"""The member of Django's session with the ID of the login's session."""
PROXY_SETTING: Final = DJANGO


class DjangoReply(NamedTuple):
    """A reply as a response of Django, without the session's cookie.

    identifier: the ID in this cookie; "" if the reply removes the cookie, None if the reply does not set it.
    """

    response: HttpResponse
    identifier: str | None


def web_request(request: HttpRequest, site: Site, form: Pairs = (), *, of_user: bool = True) -> WebRequest:
    """Return a request as a value.

    form: further parameters, in addition to those of the request's body.
    of_user: False: omit the login of this session, because Django has no active user for it.
    """
    names = _names(site)
    headers = [(name, value) for name, value in request.headers.items() if name.lower() != "cookie"]
    cookies = cookie_pairs([("Cookie", request.headers.get("Cookie", ""))])
    theirs = [f"{name}={value}" for name, value in cookies if name not in names]
    identifier = request.session.get(SESSION) if of_user else None
    ours = [f"{name}={identifier}" for name in names] if isinstance(identifier, str) else []
    posted = [(name, value) for name, values in request.POST.lists() for value in values]
    return WebRequest(
        method=request.method or "GET",
        scheme=request.scheme or "http",
        host=request.get_host(),
        path=request.path,
        query=request.META.get("QUERY_STRING", ""),
        headers=(*headers, ("Cookie", ";".join([*ours, *theirs]))),
        form=(*((str(name), str(value)) for name, value in posted), *form),
        root=request.META.get("SCRIPT_NAME", "").rstrip("/"),
        proxy_setting=PROXY_SETTING,
    )


def django_reply(reply: WebReply, site: Site) -> DjangoReply:
    """Return the response for a reply, and the change of the session."""
    response = HttpResponse(reply.body, status=reply.status)
    del response["Content-Type"]
    identifier: str | None = None
    for name, value in reply.headers:
        if name.lower() != "set-cookie":
            response[name] = value
            continue
        cookie = SimpleCookie(value)
        for own in _names(site):
            if own in cookie:
                identifier = cookie.pop(own).value
        response.cookies.update(cookie)
    return DjangoReply(response, identifier)


def _names(site: Site) -> tuple[str, ...]:
    """Return the names of the session's cookie over http and https."""
    return tuple(CookieRules(site.cookie, secure).name() for secure in (False, True))
