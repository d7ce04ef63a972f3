"""The logout endpoint: with a refresh token, as in Keycloak, and by redirect (OpenID Connect RP-Initiated
Logout)."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import cast

from doorkey.errors import InvalidGrant, InvalidRequest
from doorkey.server.clients.authentication import authenticate
from doorkey.server.context import At
from doorkey.server.endpoints.login import Cookies
from doorkey.server.responses.parameters import Parameters, form_of, query_of
from doorkey.server.responses.responses import NO_STORE, answered, redirect
from doorkey.server.storage.effects import EndSession, FindBrowser, FindClient
from doorkey.server.tokens.kinds import ID, REFRESH
from doorkey.server.tokens.reading import read_own
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request, Response


@dataclass(frozen=True, slots=True, repr=False)
class ConfirmLogout:
    """The user is to be asked whether to log out; the form sends `csrf` along."""

    csrf: str


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """The page for a session that has ended is to be shown."""


def log_out(request: Request, at: At, cookies: Cookies) -> Flow[Response | ConfirmLogout | LoggedOut]:
    """Answer a request to end a session.

    Without an ID token that names the session the user is asked first: a link on another site must not log
    anyone out. A `post_logout_redirect_uri` must be registered, and is compared exactly (RP-Initiated Logout §3).
    Raises `ServerError` for an error that only the person at the browser may see.
    """
    parameters = form_of(request) if request.method == "POST" else query_of(request)
    if request.method == "POST" and "refresh_token" in parameters:
        return (yield from answered(_by_refresh_token(request, parameters, at)))
    hint = parameters.get("id_token_hint")
    if hint is None:
        return (yield from _by_browser(request, parameters, cookies))
    claims = read_own(at, hint, ID)
    if claims is None:
        raise InvalidRequest(description="Invalid parameter: id_token_hint", status=400)
    uri = parameters.get("post_logout_redirect_uri")
    client = yield from FindClient(claims["azp"])
    if uri is not None and (client is None or uri not in client.post_logout_redirect_uris):
        raise InvalidRequest(description="Invalid redirect uri", status=400)
    if "sid" in claims:
        yield from EndSession(claims["sid"])
    return LoggedOut() if uri is None else redirect(uri, {"state": parameters.get("state")})


def _by_refresh_token(request: Request, form: Parameters, at: At) -> Flow[Response]:
    client = yield from authenticate(request, form, at)
    claims = read_own(at, form.need("refresh_token"), REFRESH)
    if claims is None:
        raise InvalidGrant(description="Invalid refresh token", status=400)
    if claims["azp"] != client.client_id:
        description = "Invalid refresh token. Token client and authorized client don't match"
        raise InvalidGrant(description=description, status=400)
    yield from EndSession(cast(str, claims["sid"]))
    return Response(204, NO_STORE)


def _by_browser(request: Request, parameters: Parameters, cookies: Cookies) -> Flow[ConfirmLogout | LoggedOut]:
    session_id = (yield from FindBrowser(cookies.session)) if cookies.session else None
    if cookies.session is None or session_id is None:
        return LoggedOut()
    # It can be computed only from the cookie, which only the server and its browser have.
    csrf = hashlib.sha256(b"logout:" + cookies.session.encode()).hexdigest()
    if request.method != "POST" or not hmac.compare_digest(csrf, parameters.get("csrf") or ""):
        return ConfirmLogout(csrf)
    yield from EndSession(session_id)
    return LoggedOut()
