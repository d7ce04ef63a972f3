"""UserInfo of a session: requested with its token, verified if it is signed, and compared with the ID token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from doorkey.arguments import mapping, text
from doorkey.jose.errors import InvalidClaimError
from doorkey.oidc.core.user_info import UserInfo
from doorkey.protocol.userinfo import parse_userinfo, userinfo_request
from doorkey.renewal.effects import Active
from doorkey.sessions.issuer import missing_endpoint
from doorkey.sessions.openid import knows_issuer, subject_of, verifier_of
from doorkey.values import Secret
from doorkey.wire.flow import Flow, maybe_await
from doorkey.wire.messages import Pairs
from doorkey.wire.parameters import with_query

if TYPE_CHECKING:
    from doorkey.sessions.core import SessionCore


def userinfo(
    core: SessionCore,
    url: str | None,
    sub: str | None,
    fix: Callable[[dict[str, Any]], Any] | None = None,
    *,
    needs_sub: bool = True,
    query: Pairs = (),
) -> Flow[UserInfo]:
    """Return the claims of the userinfo endpoint. See `OAuth2Client.userinfo`.

    fix: converts the claims of a nonstandard response, before `sub` is checked. It may return an awaitable.
    needs_sub: False for a server without OpenID Connect, whose claims have no `sub`. A known `sub` is still compared.
    query: parameters that are added to the URL.
    """
    endpoint = yield from core.located("userinfo", url)
    if endpoint is None:
        raise missing_endpoint(core.options.metadata, "userinfo")
    token = yield from Active()
    options, client = core.options, core.client()
    auth = client.method_for(None, options.metadata, "token")
    place = client.placed(endpoint, auth, options.metadata)
    place = with_query(place, query) if query else place
    request = userinfo_request(place, token, options.token_placement, options.metadata.http_hosts)
    response = yield from replace(request, needs_certificate=client.proves_certificate(auth))
    found = parse_userinfo(response, options.clock())
    openid, issuer = options.openid, options.openid.tenant_issuer or options.metadata.issuer
    if isinstance(found, Secret) or knows_issuer(core):
        verifier = yield from verifier_of(core)
        members = yield from verifier.user_info(found, issuer or "", options.client_id, openid.id_token_leeway)
    else:
        members = found
    if fix is not None:
        members = dict(
            mapping((yield from maybe_await(fix(dict(members)))), "the claims that userinfo_compliance_fix returns")
        )
    return checked_sub(UserInfo(members), subject_of(token) if sub is None else text(sub, "sub"), needs_sub=needs_sub)


def checked_sub(info: UserInfo, expected: str | None, *, needs_sub: bool) -> UserInfo:
    """Return `info` after a check of its `sub`, which must equal `expected`.

    If `expected` is None, any `sub` is accepted, and it may be missing unless `needs_sub`. Raises `VerificationError`
    otherwise.
    """
    if expected is not None:
        info.check_sub(expected)
    elif needs_sub and not (isinstance(info.get("sub"), str) and info["sub"]):
        raise InvalidClaimError("sub", "of the userinfo response is missing or not text (§5.3.2)")
    return info
