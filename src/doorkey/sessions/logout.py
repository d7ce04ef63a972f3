"""Logout of a session's user, begun by the client, or by the provider through the front channel or back channel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from doorkey.arguments import function, text
from doorkey.errors import MismatchingStateError, UsageError
from doorkey.jose.claim_rules import numeric_date
from doorkey.jose.errors import InvalidClaimError
from doorkey.protocol.authorization import callback_pairs, new_state
from doorkey.protocol.logout import check_logout_response, logout_parameters, logout_url
from doorkey.sessions.authorizations import Pending, refuse_masked
from doorkey.sessions.issuer import endpoint_of, missing_endpoint
from doorkey.values import Secret
from doorkey.wire.flow import Flow, Settle
from doorkey.wire.parameters import pairs_of

if TYPE_CHECKING:
    from doorkey.oidc.logout import FrontChannelLogout, LogoutToken
    from doorkey.sessions.core import SessionCore


def logout_request(
    core: SessionCore,
    url: str | None,
    id_token_hint: str | None,
    post_logout_redirect_uri: str | None,
    state: str | None,
    extra: Mapping[str, Any],
) -> tuple[str, str | None]:
    """Return the URL of a logout request, and its state. See `OAuth2Client.create_logout_url`."""
    options = core.options
    endpoint = endpoint_of(options.metadata, url, "end_session")
    if not endpoint:
        raise missing_endpoint(options.metadata, "end_session")
    given = (("id_token_hint", id_token_hint), ("post_logout_redirect_uri", post_logout_redirect_uri), ("state", state))
    for name, value in given:
        if value is not None:
            text(value, name)
    refuse_masked(id_token_hint)
    if post_logout_redirect_uri is None and state is not None:
        raise UsageError("state is only returned to a post_logout_redirect_uri: give that too")
    if post_logout_redirect_uri is not None:
        state = state or new_state()
        core.logouts.remember(state, Pending())
    ours = pairs_of(
        {
            "id_token_hint": id_token_hint or _own_hint(core),
            "client_id": options.client_id or None,
            "post_logout_redirect_uri": post_logout_redirect_uri,
            "state": state,
        }
    )
    return logout_url(endpoint, ours, pairs_of(extra), options.metadata.http_hosts), state


def _own_hint(core: SessionCore) -> str | None:
    token = core.token_view.id_token if core.token_view is not None else None
    return None if token is None or token.count(".") == 4 else token  # the provider cannot decrypt it


def check_response(core: SessionCore, response: str | Mapping[str, Any], state: str | None) -> None:
    """Check the state of a logout response. See `OAuth2Client.validate_logout_response`."""
    if not isinstance(response, Mapping):
        text(response, "the response, the URL that the browser requested,")
    if state is not None:
        check_logout_response(response, state=text(state, "state"))
        core.logouts.forget(state)
        return
    found = dict(callback_pairs(response)).get("state")
    check_logout_response(response, state=found)
    if found is None or not core.logouts.forget(found):
        raise MismatchingStateError("does not belong to a logout request of this session, or was used before")


def front_channel(core: SessionCore, request: str | Mapping[str, Any]) -> FrontChannelLogout:
    """Return the parameters of a front-channel logout. See `OAuth2Client.parse_frontchannel_logout`."""
    from doorkey.oidc.logout import FrontChannelLogout

    if not isinstance(request, Mapping):
        text(request, "the request, a URL or its parameters,")
    return FrontChannelLogout.of(logout_parameters(request), _issuer_of(core))


def verify_logout_token(
    core: SessionCore, logout_token: str | Secret, first_use: Callable[[str, float], Any] | None
) -> Flow[LogoutToken]:
    """Return the verified claims of a logout token. See `OAuth2Client.verify_logout_token`."""
    from doorkey.sessions.openid import verifier_of

    if first_use is not None:
        function(first_use, "first_use must be a callable (identifier, expires_at) that returns whether it is new")
    token = logout_token if isinstance(logout_token, Secret) else Secret(text(logout_token, "logout_token"))
    verifier = yield from verifier_of(core)
    options = core.options
    claims = yield from verifier.logout_token(
        token, _issuer_of(core), options.client_id, options.openid.id_token_leeway
    )
    if first_use is not None:
        identifier = f"{claims['iss']} {claims['jti']}"
        expires_at = (numeric_date(claims, "exp") or 0.0) + options.openid.id_token_leeway
        if not (yield from Settle(first_use(identifier, expires_at))):
            raise InvalidClaimError("jti", "was accepted before: a logout token may be used only once")
    return claims


def _issuer_of(core: SessionCore) -> Any:
    issuer = core.options.openid.tenant_issuer or core.options.metadata.issuer
    if issuer is None:
        raise UsageError("the issuer is missing: construct the session with issuer= or metadata=")
    return issuer
