"""The logout endpoint: a client's request with a refresh token, as in Keycloak, or a redirect of the browser (OpenID
Connect RP-Initiated Logout)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from doorkey.errors import InvalidGrant, InvalidRequest, UsageError, VerificationError
from doorkey.jose.verification import unsafe_claims, verify
from doorkey.server.clients.authentication import authenticate
from doorkey.server.clients.redirect_uris import is_registered
from doorkey.server.context import At
from doorkey.server.ended_sessions import Ended, end_session
from doorkey.server.endpoints.forms import Cookies
from doorkey.server.registrations import SECRET_ALGS
from doorkey.server.responses.parameters import Parameters, form_of, query_of
from doorkey.server.responses.responses import NO_STORE, answered, redirect
from doorkey.server.storage.effects import FindBrowser, FindClient
from doorkey.server.tokens.kinds import ID, REFRESH
from doorkey.server.tokens.reading import read_own
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Pairs, Request, Response


@dataclass(frozen=True, slots=True, repr=False)
class ConfirmLogout:
    """Ask the user whether to log out, with a form that contains `csrf` and the `fields`."""

    csrf: str
    fields: Pairs = ()


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """Show the page for a session that has ended.

    The page loads `frames` (Front-Channel Logout §3), and then goes to the URL `redirect` unless it is None.
    """

    frames: tuple[str, ...] = ()
    redirect: str | None = None


def log_out(request: Request, at: At, cookies: Cookies) -> Flow[Response | ConfirmLogout | LoggedOut]:
    """Respond to a request to end a session.

    Without an ID token for the session, the user has to confirm the logout, because a link on another site must not log
    anyone out. A `post_logout_redirect_uri` must be registered, and is compared like a redirect URI (RP-Initiated
    Logout §3). Raises `ServerError` for an error that only the user may see.
    """
    parameters = form_of(request) if request.method == "POST" else query_of(request)
    if request.method == "POST" and "refresh_token" in parameters:
        return (yield from answered(_by_refresh_token(request, parameters, at)))
    hint = parameters.get("id_token_hint")
    if hint is None:
        return (yield from _by_browser(request, parameters, cookies, at))
    claims = yield from _claims_of_hint(hint, at)
    if claims is None or parameters.get("client_id") not in (None, claims["azp"]):
        raise InvalidRequest(description="Invalid parameter: id_token_hint", status=400)
    back = yield from _post_logout_url(parameters, claims["azp"])
    ended = (yield from end_session(at, claims["sid"])) if "sid" in claims else Ended(found=False)
    return _logged_out(ended, back)


def _claims_of_hint(hint: str, at: At) -> Flow[Mapping[str, Any] | None]:
    """Return the claims of an ID token of this issuer, expired or not, or None.

    Its signature may be an HMAC with the secret of the client.
    """
    claims = read_own(at, hint, ID)
    if claims is not None:
        return claims
    try:
        client = yield from FindClient(str(unsafe_claims(hint).get("azp")))
        if client is None or client.secret is None or client.id_token_signed_response_alg not in SECRET_ALGS:
            return None
        found = verify(hint, client.secret, algorithms=(client.id_token_signed_response_alg,), typ="JWT").claims
    except (VerificationError, UsageError):
        return None
    is_own = (found.get("iss"), found.get("typ"), found.get("azp")) == (at.issuer, ID, client.client_id)
    return found if is_own and isinstance(found.get("sid", ""), str) else None


def _post_logout_url(parameters: Parameters, client_id: str) -> Flow[str | None]:
    """Return the URL for the redirect after the logout, or None. Raises `InvalidRequest` if it is not registered."""
    uri = parameters.get("post_logout_redirect_uri")
    if uri is None:
        return None
    client = yield from FindClient(client_id)
    if client is None or not is_registered(uri, client.post_logout_redirect_uris):
        raise InvalidRequest(description="Invalid redirect uri", status=400)
    return redirect(uri, {"state": parameters.get("state")}).header("location")


def _logged_out(ended: Ended, back: str | None) -> Response | LoggedOut:
    if ended.frames or back is None:
        return LoggedOut(ended.frames, back)
    return redirect(back, {})


def _by_refresh_token(request: Request, form: Parameters, at: At) -> Flow[Response]:
    client = yield from authenticate(request, form, at)
    claims = read_own(at, form.need("refresh_token"), REFRESH)
    if claims is None:
        raise InvalidGrant(description="Invalid refresh token", status=400)
    if claims["azp"] != client.client_id:
        description = "Invalid refresh token. Token client and authorized client don't match"
        raise InvalidGrant(description=description, status=400)
    yield from end_session(at, cast(str, claims["sid"]))
    return Response(204, NO_STORE)


def _by_browser(
    request: Request, parameters: Parameters, cookies: Cookies, at: At
) -> Flow[Response | ConfirmLogout | LoggedOut]:
    back = yield from _post_logout_url(parameters, parameters.get("client_id") or "")
    session_id = (yield from FindBrowser(cookies.session)) if cookies.session else None
    if cookies.session is None or session_id is None:
        return _logged_out(Ended(found=False), back)
    # Only the server and the browser have the cookie, so only they can compute this value.
    csrf = hashlib.sha256(b"logout:" + cookies.session.encode()).hexdigest()
    if request.method != "POST" or not hmac.compare_digest(csrf, parameters.get("csrf") or ""):
        kept = ((name, parameters.get(name)) for name in ("client_id", "post_logout_redirect_uri", "state"))
        return ConfirmLogout(csrf, tuple((name, value) for name, value in kept if value is not None))
    return _logged_out((yield from end_session(at, session_id)), back)
