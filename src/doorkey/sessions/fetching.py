"""Getting a token by a call: from its arguments to the grant, and from an authorization response to its code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from doorkey.errors import UsageError
from doorkey.protocol.token_endpoint import token_of
from doorkey.sessions import openid
from doorkey.sessions.authorizations import unknown_request
from doorkey.sessions.callbacks import AuthorizationResponse, Finished, finish, speaks_of_a_fragment, with_promised
from doorkey.sessions.grant_inference import grant_of, grant_type_of
from doorkey.sessions.near_misses import refuse_near_misses
from doorkey.sessions.token_call import extra_pairs
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
    """Request the token that the arguments of `OAuth2Client.fetch_token` describe; `given` are its parameters."""
    core.refuse_within_saving()
    refuse_near_misses(given)
    finished, front = None, None
    pending = openid.NO_LOGIN
    if authorization_response is not None:
        fragment = speaks_of_a_fragment(authorization_response)
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
        if finished.brings_a_token:
            return (yield from _take(core, finished))
        given["code"] = finished.code()
        pending = finished.pending
        openid.refuse_unknown_nonce(core, pending)
        front = yield from openid.front_channel(core, finished)
        grant_type = grant_type or "authorization_code"
    elif transaction is not None:
        raise UsageError("a transaction is finished with the authorization_response= that came back")
    endpoint = yield from core.token_endpoint(url)
    kind = grant_type_of(grant_type, given, core.usual_grant_type())
    if kind == "refresh_token":
        current = given.pop("refresh_token", None)
        overrides = core.overrides_of(body, given, auth, headers, method)
        return (yield from core.refresh_now(url, Secret(current) if current else None, overrides))
    promised = None
    if kind == "authorization_code":
        if finished is None:
            pending = unknown_request(core.options).with_nonce(nonce)
            openid.refuse_unknown_nonce(core, pending)
        given = with_promised(given, finished, core.options, body)
        promised = (finished.pending.scope if finished else None) or core.options.scope
    elif given.get("scope") is None and core.options.scope and "scope" not in dict(extra_pairs(body, {})):
        given["scope"] = str(core.options.scope)
    own = core.own_grant()
    repeats = own is not None and kind == own.grant_type and given.get("assertion") is None
    grant = own if own is not None and repeats else grant_of(kind, given)
    call = TokenCall(endpoint, grant, promised=promised, repeats=repeats)
    call = call.overridden(core.overrides_of(body, given, auth, headers, method))
    token = yield from core.ask(call)
    if token.token_type == NOT_FOR_ACCESS:
        return OAuth2Token(token)
    token = yield from openid.identified(core, token, pending, given.get("code"), front)
    return (yield from core.save_and_adopt(token, call, RedactedDict()))


def token_from_fragment(core: SessionCore, authorization_response: str, state: str | None) -> Flow[OAuth2Token]:
    """Take the token of the implicit grant from the fragment of a callback's URL (RFC 6749 §4.2.2)."""
    finished = finish(authorization_response, core.options, core.authorizations, state=state, may_read_fragment=True)
    return (yield from _take(core, finished))


def _take(core: SessionCore, finished: Finished) -> Flow[OAuth2Token]:
    parameters = {k: v for k, v in finished.callback.parameters.items() if k not in ("state", "iss")}
    types = {**core.options.token_types, **KNOWN_TYPES}
    token = token_of(parameters, asked_at=core.options.clock(), types=types)
    token = replace(token, id_token_claims=(yield from openid.front_channel(core, finished)))
    return (yield from core.save_and_adopt(token, None, RedactedDict()))
