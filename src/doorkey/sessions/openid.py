"""The ID tokens of a session, which are verified before their access tokens are used.

Theory of operation. A session that has an issuer verifies every ID token that it receives. The expected values come
from the authorization request (`Pending`) and from the response. A renewed ID token is verified too, and then compared
with the original. If it cannot be verified, for instance while the keys cannot be fetched, the session keeps the new
refresh token, because the old one may be invalid, and nothing else of the response. The same applies if the ID token
names another authentication of the same user. If it belongs to another user, the whole response is discarded. Sources
and vaults do the same (`sources.renewed_tokens`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from doorkey.arguments import instance, text
from doorkey.errors import UsageError, VerificationError
from doorkey.protocol.authorization import AuthorizationTransaction
from doorkey.sessions.authorizations import Pending, pending_of, unknown_request
from doorkey.values import Secret
from doorkey.wire.flow import Flow

if TYPE_CHECKING:
    from doorkey.oidc.core.expectations import ExpectedIDToken
    from doorkey.oidc.core.id_token import IDToken
    from doorkey.sessions.callbacks import AuthorizationResponse, Finished
    from doorkey.sessions.core import SessionCore
    from doorkey.sources.id_tokens import IDTokenVerifier
    from doorkey.tokens import OAuthToken

NO_LOGIN: Final = Pending()
"""The record for a token request without an authorization request."""


def knows_issuer(core: SessionCore) -> bool:
    """Return whether the session has an issuer, and therefore verifies ID tokens."""
    return core.options.metadata.issuer is not None


def verifier_of(core: SessionCore) -> Flow[IDTokenVerifier]:
    """Return the verifier for ID tokens of the session's issuer.

    Raises `UsageError` without an issuer, and the errors of discovery.
    """
    from doorkey.sources.id_tokens import IDTokenVerifier

    if not knows_issuer(core):
        raise UsageError("the issuer is missing: construct the session with issuer= or metadata=")
    options = core.options
    metadata = yield from core.provider()
    return IDTokenVerifier(
        keys=core.keys(),
        metadata=metadata.extra,
        clock=options.clock,
        secret=options.credential if isinstance(options.credential, Secret) else None,
        id_tokens=options.openid.protection("id_token"),
        userinfo=options.openid.protection("userinfo"),
        decryption_keys=options.openid.decryption_keys,
    )


def expected_by(core: SessionCore, pending: Pending, **more: Any) -> ExpectedIDToken:
    """Return the expected values in the ID token of the login `pending`. `more` contains further fields."""
    from doorkey.oidc.core.expectations import ExpectedIDToken

    options = core.options
    fields: dict[str, Any] = {"nonce": pending.nonce, "max_age": pending.max_age, "acr_values": pending.acr_values}
    return ExpectedIDToken(
        issuer=options.openid.tenant_issuer or options.metadata.issuer or "",
        client_id=options.client_id,
        trusted_audiences=options.openid.trusted_audiences,
        leeway=options.openid.id_token_leeway,
        **{**fields, **more},
    )


def verified(core: SessionCore, token: Secret, pending: Pending, **more: Any) -> Flow[IDToken]:
    """Return the verified claims of an ID token of the login `pending`. Raises `VerificationError`."""
    verifier = yield from verifier_of(core)  # before `expected_by`, because discovery may change the issuer's spelling
    return (yield from verifier.id_token(token, expected_by(core, pending, **more)))


def refuse_unknown_nonce(core: SessionCore, pending: Pending) -> None:
    """Raise `UsageError` if the nonce of the login is unknown, before its code is used. Another session began it.

    An authorization request with `openid` always sends a nonce, without which its ID token cannot be verified.
    """
    scope = pending.scope or core.options.scope or ()
    if knows_issuer(core) and pending.nonce is None and "openid" in scope:
        raise UsageError(
            "the ID token cannot be verified without the nonce of this login: finish it with the transaction= that "
            "begin_authorization() returned, or give the nonce= that its authorization request sent"
        )


def front_channel(core: SessionCore, finished: Finished) -> Flow[IDToken | None]:
    """Return the verified claims of the ID token in an authorization response (§3.2.2.11, §3.3.2.12), or None.

    Raises `VerificationError`. The caller must then use neither the code nor the access token of the response.
    """
    parameters = finished.callback.parameters
    token = parameters.get("id_token")
    if not token or not knows_issuer(core):
        return None
    return (yield from front_claims(core, Secret(token), finished.pending, parameters))


def front_claims(core: SessionCore, token: Secret, pending: Pending, parameters: Mapping[str, str]) -> Flow[IDToken]:
    """Return the verified claims of an ID token from an authorization response with these `parameters`."""
    kinds = {"id_token": token, "code": parameters.get("code"), "token": parameters.get("access_token")}
    return verified(
        core,
        token,
        pending,
        response_type=" ".join(kind for kind, value in kinds.items() if value),
        code=_secret(parameters.get("code")),
        access_token=_secret(parameters.get("access_token")),
        state=_secret(parameters.get("state")),
    )


def with_verified_claims(
    core: SessionCore, token: OAuthToken, pending: Pending = NO_LOGIN, code: Any = None, front: IDToken | None = None
) -> Flow[OAuthToken]:
    """Return `token` with the verified claims of its ID token. It was obtained by the `code` of the login `pending`.

    `front` are the claims of the front-channel ID token, with which the claims must agree (§3.3.3.6). Raises
    `VerificationError`. The caller must then neither use nor save the token.
    """
    if not knows_issuer(core):
        return token
    if token.id_token is None:
        return token if front is None else replace(token, id_token_claims=front)
    claims = yield from verified(core, token.id_token, pending, access_token=token.access_token, code=_secret(code))
    if front is not None:
        from doorkey.oidc.core.agreement import check_channels

        check_channels(front, claims)
    return replace(token, id_token_claims=claims)


def with_verified_renewal(core: SessionCore, renewed: OAuthToken, original: OAuthToken | None) -> Flow[OAuthToken]:
    """Return the `renewed` token with the verified claims of its ID token, which must be for the login of `original`.

    If the response has no ID token, that of the original is kept (§12.2). Raises `VerificationError` for an ID token
    that cannot be verified or belongs to another login. The caller must then neither use nor save the token.
    """
    from doorkey.sources.renewed_tokens import keeping_rotated

    return keeping_rotated(_checked(core, renewed, original), renewed, original, partial(core.keep_rotated, original))


def _checked(core: SessionCore, renewed: OAuthToken, original: OAuthToken | None) -> Flow[OAuthToken]:
    from doorkey.sources.renewed_tokens import same_login

    if renewed.id_token is not None and knows_issuer(core):
        more = {"any_nonce": True, "access_token": renewed.access_token}
        claims = yield from verified(core, renewed.id_token, NO_LOGIN, **more)
        renewed = replace(renewed, id_token_claims=claims)
    allows = core.options.openid.allow_changed_auth_time
    return (yield from same_login(renewed, original, allow_changed_auth_time=allows))


def subject_of(token: OAuthToken) -> str | None:
    """Return the `sub` of the token's ID token, or None. A stored ID token was verified before it was stored.

    Raises `VerificationError` if it is not text.
    """
    from doorkey.sources.renewed_tokens import claims_of

    claims = claims_of(token)
    sub: object = None if claims is None else claims.get("sub")
    if sub is not None and not isinstance(sub, str):
        raise VerificationError("sub", "of the stored ID token is not text")
    return sub


def _secret(value: str | Secret | None) -> Secret | None:
    return Secret(value) if value else None


def verify_id_token(
    core: SessionCore,
    id_token: str | Secret | AuthorizationResponse | None,
    transaction: AuthorizationTransaction | None,
    nonce: str | None,
    access_token: str | Secret | None,
    code: str | Secret | None,
) -> Flow[IDToken]:
    """Return the verified claims of an ID token. See `OAuth2Client.verify_id_token`."""
    from doorkey.sessions.callbacks import AuthorizationResponse

    if transaction is not None:
        instance(transaction, AuthorizationTransaction, "transaction must be the result of begin_authorization()")
    pending = unknown_request(core.options) if transaction is None else pending_of(transaction)
    if isinstance(id_token, AuthorizationResponse):
        if id_token.id_token is None:
            raise UsageError("this authorization response has no ID token")
        pending = (id_token._pending if transaction is None else pending).with_nonce(nonce)
        return (yield from front_claims(core, Secret(id_token.id_token), pending, id_token.parameters))
    own = core.token_view
    if id_token is None and (own is None or own.id_token is None):
        raise UsageError("there is no ID token: give id_token=, or call fetch_token() first")
    is_own = id_token is None and nonce is None and transaction is None
    given: Any = own.id_token if id_token is None and own is not None else id_token
    token = given if isinstance(given, Secret) else Secret(text(given, "id_token"))
    more = {"access_token": _secret(access_token), "code": _secret(code), "any_nonce": is_own}
    if is_own:
        more["nonce"] = None
    return (yield from verified(core, token, pending.with_nonce(nonce), **more))
