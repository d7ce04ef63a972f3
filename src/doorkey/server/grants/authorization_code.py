"""The authorization code grant (RFC 6749 §4.1.3), with PKCE (RFC 7636 §4.6) and single use (RFC 9700
§4.5)."""

from __future__ import annotations

import hmac
from typing import Any

from doorkey.errors import InvalidGrant, UnauthorizedClient, UsageError
from doorkey.protocol.pkce import challenge_of
from doorkey.server.context import At
from doorkey.server.model import Code
from doorkey.server.registrations import AUTHORIZATION_CODE, Client
from doorkey.server.responses.parameters import Parameters
from doorkey.server.sessions import end_grant
from doorkey.server.storage.effects import FindCode, FindSession, FindUser, TakeCode
from doorkey.server.tokens.issuing import user_answer
from doorkey.wire.flow import Flow


def exchange_code(form: Parameters, client: Client, at: At) -> Flow[dict[str, Any]]:
    """Return the token response for an authorization code. Any attempt of its client, valid or not, uses the code up.

    A second use of a code by its client revokes the tokens of the first. An attempt by another client changes nothing.
    Raises `InvalidRequest`, `InvalidGrant` or `UnauthorizedClient`.
    """
    if AUTHORIZATION_CODE not in client.grants:
        raise UnauthorizedClient(description="Client is not allowed to initiate browser login", status=400)
    # Any caller can send the ID of a public client, so compare the client before the code is used up.
    found = yield from FindCode(form.need("code"))
    if found is not None and found.request.client_id != client.client_id:
        raise _invalid_grant("Auth error: Found different client_id in clientSession")
    code = yield from TakeCode(form.need("code"))
    if code is None:
        raise _invalid_grant("Code not valid")
    if code.used:
        yield from end_grant(code.session_id, code.grant_id)
        raise _invalid_grant("Code not valid")
    _check_redirect_uri(form, code)
    _check_verifier(form.get("code_verifier"), code.request.code_challenge)
    session = yield from FindSession(code.session_id)
    grant = session.grant(code.grant_id) if session else None
    user = (yield from FindUser(session.sub)) if session else None
    if session is None or grant is None or user is None:
        raise _invalid_grant("Session not active")
    return user_answer(at, client, user, session, grant)


def _check_redirect_uri(form: Parameters, code: Code) -> None:
    sent = form.get("redirect_uri")
    if sent is None and not code.request.redirect_uri_was_sent:
        return
    if sent != code.request.redirect_uri:
        raise _invalid_grant("Incorrect redirect_uri")


def _check_verifier(verifier: str | None, challenge: str | None) -> None:
    """Raise `InvalidGrant` for a wrong or missing verifier, and for a verifier if the request had no challenge."""
    if challenge is None:
        if verifier is not None:  # an attacker may have removed the challenge from the request (RFC 9700 §4.8)
            raise _invalid_grant("PKCE code verifier specified but challenge not present in authorization")
        return
    if verifier is None:
        raise _invalid_grant("PKCE code verifier not specified")
    try:
        computed = challenge_of(verifier)
    except UsageError:
        raise _invalid_grant("PKCE verification failed: Invalid code verifier") from None
    if not hmac.compare_digest(computed, challenge):
        raise _invalid_grant("PKCE verification failed: Code mismatch")


def _invalid_grant(description: str) -> InvalidGrant:
    return InvalidGrant(description=description, status=400)
