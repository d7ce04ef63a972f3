"""The flow of `fetch_token`: selects the grant by the arguments, and takes the code from an authorization response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from doorkey.errors import UsageError
from doorkey.protocol.token_endpoint import token_of
from doorkey.sessions import openid
from doorkey.sessions.authorizations import unknown_request
from doorkey.sessions.call_arguments import extra_pairs
from doorkey.sessions.callbacks import (
    AuthorizationResponse,
    Finished,
    finish,
    response_is_in_fragment,
    with_request_parameters,
)
from doorkey.sessions.grant_inference import grant_of, grant_type_of
from doorkey.sessions.near_misses import refuse_near_misses
from doorkey.sources.token_call import TokenCall
from doorkey.tokens import KNOWN_TYPES, NOT_FOR_ACCESS, OAuth2Token
from doorkey.values import RedactedDict, Secret
from doorkey.wire.flow import Flow

if TYPE_CHECKING:
    from doorkey.protocol.authorization import AuthorizationTransaction
    from doorkey.sessions.core import SessionCore


def fetch_token(
    core: SessionCore,
    url: str | None,
    given: dict[str, Any],
    body: str | Mapping[str, Any] | None,
    method: str,
    headers: Any,
    auth: Any,
    grant_type: str | None,
    state: str | None,
    authorization_response: str | Mapping[str, Any] | AuthorizationResponse | None,
    transaction: AuthorizationTransaction | None,
    nonce: str | None,
) -> Flow[OAuth2Token]:
    """Request a token for the arguments of `OAuth2Client.fetch_token`. `given` contains its keyword arguments."""
    core.refuse_within_update_token()
    refuse_near_misses(given)
    finished, front = None, None
    pending = openid.NO_LOGIN
    if authorization_response is not None:
        fragment = response_is_in_fragment(authorization_response)
        if not fragment or "code=" in str(authorization_response):  # there is a code to exchange
            yield from core.located("token", url)  # first, because the metadata may promise `iss` in the callback
        implicit = url is None and core.options.metadata.token_endpoint is None
        finished = finish(
            authorization_response,
            core.options,
            core.authorizations,
            state=state,
            transaction=transaction,
            token_endpoint=core.known_token_endpoint(url),
            may_read_fragment=implicit and fragment,
        ).with_nonce(nonce)
        if finished.is_token_response:
            return (yield from _front_channel_token(core, finished))
        given["code"] = finished.code()
        pending = finished.pending
        openid.refuse_unknown_nonce(core, pending)
        front = yield from openid.front_channel(core, finished)
        grant_type = grant_type or "authorization_code"
    elif transaction is not None:
        raise UsageError("transaction= needs authorization_response=, the callback that ends the login")
    endpoint = yield from core.token_endpoint(url)
    kind = grant_type_of(grant_type, given, core.default_grant_type())
    if kind == "refresh_token":
        current = given.pop("refresh_token", None)
        overrides = core.overrides_of(body, given, auth, headers, method)
        return (yield from core.refresh_now(url, Secret(current) if current else None, overrides))
    promised = None
    if kind == "authorization_code":
        if finished is None:
            pending = unknown_request(core.options).with_nonce(nonce)
            openid.refuse_unknown_nonce(core, pending)
        given = with_request_parameters(given, finished, core.options, body)
        promised = (finished.pending.scope if finished else None) or core.options.scope
    elif given.get("scope") is None and core.options.scope and "scope" not in dict(extra_pairs(body, {})):
        given["scope"] = str(core.options.scope)
    own = core.own_grant()
    repeats = own is not None and kind == own.grant_type and given.get("assertion") is None
    grant = own if own is not None and repeats else grant_of(kind, given)
    call = TokenCall(endpoint, grant, promised=promised, repeats=repeats)
    call = call.overridden(core.overrides_of(body, given, auth, headers, method))
    token = yield from core.request_token(call)
    if token.token_type == NOT_FOR_ACCESS:
        return OAuth2Token(token)
    token = yield from openid.with_verified_claims(core, token, pending, given.get("code"), front)
    return (yield from core.save_and_adopt(token, call, RedactedDict()))


def token_from_fragment(core: SessionCore, authorization_response: str, state: str | None) -> Flow[OAuth2Token]:
    """Store the token of the implicit grant, from the fragment of a callback URL, and return it (RFC 6749 §4.2.2)."""
    finished = finish(authorization_response, core.options, core.authorizations, state=state, may_read_fragment=True)
    return (yield from _front_channel_token(core, finished))


def _front_channel_token(core: SessionCore, finished: Finished) -> Flow[OAuth2Token]:
    parameters = {k: v for k, v in finished.callback.parameters.items() if k not in ("state", "iss")}
    types = {**core.options.token_types, **KNOWN_TYPES}
    token = token_of(parameters, requested_at=core.options.clock(), types=types)
    token = replace(token, id_token_claims=(yield from openid.front_channel(core, finished)))
    return (yield from core.save_and_adopt(token, None, RedactedDict()))
