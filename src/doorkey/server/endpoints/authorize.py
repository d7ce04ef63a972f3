"""The authorization endpoint (RFC 6749 §3.1).

An error in the client ID or the redirect URI is shown to the user, without a redirect. Every later error goes to the
client. A valid request needs a login (`login`), unless the browser has a session that satisfies the request.
"""

from __future__ import annotations

import re

from doorkey.errors import (
    ConsentRequired,
    InvalidClient,
    InvalidRequest,
    InvalidScope,
    LoginRequired,
    ServerError,
    UnauthorizedClient,
    UnsupportedResponseType,
)
from doorkey.protocol.pkce import METHOD
from doorkey.server.clients.redirect_uris import is_registered, only_one
from doorkey.server.clients.scopes import granted_scope
from doorkey.server.context import At
from doorkey.server.endpoints.consent import ConsentNeeded, ask_for_consent, is_consent_needed
from doorkey.server.endpoints.forms import Cookies
from doorkey.server.endpoints.login import LoginNeeded, ask_to_log_in
from doorkey.server.model import AuthorizationRequest, Session
from doorkey.server.registrations import AUTHORIZATION_CODE, Client
from doorkey.server.responses.authorization import RESPONSE_MODES, back_to_client, sent_back
from doorkey.server.responses.parameters import Parameters, form_of, query_of
from doorkey.server.storage.effects import FindBrowser, FindClient, FindSession, FindUser
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request, Response

PROMPTS = ("none", "login", "consent")
"""The values of `prompt` that have an effect (OpenID Connect Core §3.1.2.1)."""

_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_RESPONSE_TYPES = {"code", "token", "id_token", "none"}


def authorize(request: Request, at: At, cookies: Cookies) -> Flow[Response | LoginNeeded | ConsentNeeded]:
    """Respond to an authorization request with a redirect to the client, or with a page for a login or a consent.

    Raises `ServerError` for an error that only the user may see, and not the client.
    """
    parameters = query_of(request) if request.method == "GET" else form_of(request)
    client = yield from FindClient(parameters.get("client_id") or "")
    if client is None or AUTHORIZATION_CODE not in client.grants:
        raise InvalidClient(description="Client not found.", status=400)
    uri = parameters.get("redirect_uri") or only_one(client.redirect_uris)
    if uri is None or not is_registered(uri, client.redirect_uris):
        raise InvalidRequest(description="Invalid parameter: redirect_uri", status=400)
    try:
        authorization_request = _acceptable(parameters, client, uri)
        session = yield from _usable_session(parameters, authorization_request, at, cookies)
        user = (yield from FindUser(session.sub)) if session else None
        consent_needed = session is not None and (yield from is_consent_needed(authorization_request, session))
        if consent_needed and "none" in _prompts(parameters):
            raise ConsentRequired
    except ServerError as error:
        return _refusal(error, parameters, uri, at)
    if session is None or user is None or cookies.session is None:
        return ask_to_log_in(authorization_request, at, cookies)
    if consent_needed:
        return ask_for_consent(authorization_request, user, cookies.session, at)
    return (yield from back_to_client(authorization_request, session, at))


def _acceptable(parameters: Parameters, client: Client, uri: str) -> AuthorizationRequest:
    """Return the validated authorization request. Raises the `ServerError` for the client."""
    response_type = parameters.need("response_type")
    if not set(response_type.split()) <= _RESPONSE_TYPES:
        raise UnsupportedResponseType
    types = tuple(sorted(set(response_type.split())))
    if " ".join(types) not in client.response_types:
        flow = "Standard" if types in (("code",), ("none",)) else "Implicit"
        raise UnauthorizedClient(
            description="Client is not allowed to initiate browser login with given response_type."
            f" {flow} flow is disabled for the client."
        )
    for name in ("request", "request_uri"):  # OpenID Connect Core §3.1.2.6
        if parameters.get(name):
            raise ServerError(f"{name}_not_supported")
    prompts = _prompts(parameters)
    if "none" in prompts and len(prompts) > 1:  # OpenID Connect Core §3.1.2.1
        raise InvalidRequest(description="Invalid parameter: prompt")
    front_channel = types != ("code",)
    mode = parameters.get("response_mode") or ("fragment" if front_channel else "query")
    if mode not in RESPONSE_MODES:
        raise InvalidRequest(description="Invalid parameter: response_mode")
    if front_channel and mode == "query":  # tokens in a query are logged (OAuth 2.0 Multiple Response Types §5)
        raise InvalidRequest(description="Response_mode 'query' not allowed for implicit or hybrid flow")
    if "id_token" in types:
        parameters.need("nonce")  # OpenID Connect Core §3.2.2.1, §3.3.2.11
    try:
        scope = granted_scope(client, parameters.get("scope"))
    except InvalidScope as error:
        raise InvalidScope(description=error.description) from None
    if "id_token" in types and "openid" not in scope:
        raise InvalidScope(description="An ID token needs the scope openid")
    return AuthorizationRequest(
        client_id=client.client_id,
        redirect_uri=uri,
        redirect_uri_was_sent=parameters.get("redirect_uri") is not None,
        scope=scope,
        state=parameters.get("state"),
        nonce=parameters.get("nonce"),
        code_challenge=_challenge(parameters, client) if "code" in types else None,
        response_mode=mode,
        response_type=types,
        acr_values=tuple((parameters.get("acr_values") or "").split()),
        asks_consent="consent" in prompts,
    )


def _prompts(parameters: Parameters) -> list[str]:
    return (parameters.get("prompt") or "").split()


def _challenge(parameters: Parameters, client: Client) -> str | None:
    method, challenge = parameters.get("code_challenge_method"), parameters.get("code_challenge")
    if method is None and challenge is None and not client.require_pkce:
        return None
    if method is None:  # the default would be `plain` (RFC 7636 §4.3)
        raise InvalidRequest(description="Missing parameter: code_challenge_method")
    if method != METHOD:
        raise InvalidRequest(description="Invalid parameter: code challenge method is not matching the configured one")
    challenge = parameters.need("code_challenge")
    if not _CHALLENGE.fullmatch(challenge):
        raise InvalidRequest(description="Invalid parameter: code_challenge")
    return challenge


def _usable_session(
    parameters: Parameters, request: AuthorizationRequest, at: At, cookies: Cookies
) -> Flow[Session | None]:
    """Return the browser's session if it satisfies the request, or None if the user has to log in.

    Raises `LoginRequired` if the user has to log in, but the request has `prompt=none` (OpenID Connect Core §3.1.2.1).
    """
    prompts = _prompts(parameters)
    session_id = (yield from FindBrowser(cookies.session)) if cookies.session else None
    session = (yield from FindSession(session_id)) if session_id else None
    if session is not None and (max_age := parameters.get("max_age")) is not None:
        if not re.fullmatch(r"\d{1,9}", max_age):
            raise InvalidRequest(description="Invalid parameter: max_age")
        session = session if at.now - session.started_at <= int(max_age) else None
    wanted = [acr for acr in request.acr_values if acr in at.settings.acr_values]
    if session is not None and wanted and session.acr not in wanted:  # step up (RFC 9470 §5)
        session = None
    if "login" in prompts or (session is not None and (yield from FindUser(session.sub)) is None):
        session = None
    if session is None and "none" in prompts:
        raise LoginRequired
    return session


def _refusal(error: ServerError, parameters: Parameters, uri: str, at: At) -> Response:
    answer = {
        "error": error.error,
        "error_description": error.description or None,
        "state": parameters.get("state"),
        "iss": at.issuer,
    }
    implicit = {"token", "id_token"} & set((parameters.get("response_type") or "").split())
    mode = parameters.get("response_mode") or ("fragment" if implicit else "query")
    return sent_back(at, uri, answer, mode)
