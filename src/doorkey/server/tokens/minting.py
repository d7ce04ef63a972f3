"""Tokens for tests: for any subject, with any claim, expired, or signed with another key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from doorkey.arguments import mapping, nonempty_text, seconds, texts
from doorkey.errors import UsageError
from doorkey.jose.keys import Key, import_key
from doorkey.jose.signers import algorithm_for
from doorkey.jose.signing import sign
from doorkey.server.checks import check_json
from doorkey.server.context import At
from doorkey.server.ended_sessions import LOGOUT_TYPE, logout_token_claims
from doorkey.server.registrations import Client, User
from doorkey.server.tokens.claims import about_user, profile, service_account
from doorkey.server.tokens.id_tokens import id_token_claims
from doorkey.server.tokens.issuing import access_token_claims
from doorkey.server.tokens.signed import encrypted_for, id_token_alg, signed_for

BACKDATED = 60
"""Seconds between the `iat` and the `exp` of a token that is minted as expired."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class TokenChanges:
    """How a minted token differs from a token that the realm would issue.

    claims: replace the default claims; None removes a claim.
    lifetime: seconds from now; negative for an expired token; None: the realm's lifetime.
    key: a private key that signs in place of the realm's key.
    """

    claims: Mapping[str, Any] = field(default_factory=dict[str, Any])
    lifetime: float | None = None
    key: Key | None = None

    @classmethod
    def of(cls, claims: object = None, expires_in: object = None, key: object = None) -> TokenChanges:
        """Return the changes after checking the arguments.

        claims: a mapping of JSON values, or None.
        expires_in: the `lifetime`.
        key: a private key in any form that `doorkey.jose.keys.import_key` accepts, or None.

        Raises `UsageError`.
        """
        replaced = mapping({} if claims is None else claims, "claims")
        check_json(replaced, "claims")
        lifetime = None if expires_in is None else seconds(expires_in, "expires_in", least=-1e9, most=1e9)
        return cls(claims=replaced, lifetime=lifetime, key=None if key is None else import_key(key))

    def applied(self, claims: Mapping[str, Any], now: float) -> dict[str, Any]:
        """Return `claims` with these changes, at `now` (POSIX seconds)."""
        times: dict[str, Any] = {}
        if self.lifetime is not None:
            expires_at = now + self.lifetime
            started_at = now if self.lifetime > 0 else expires_at - BACKDATED
            times = {"exp": int(expires_at), "iat": int(started_at)}
        changed = {**claims, **times, **self.claims}
        return {name: value for name, value in changed.items() if not (value is None and name in self.claims)}


def mint_access_token(
    at: At, client: Client, user: User | None, changes: TokenChanges, *, scopes: object = (), audience: object = None
) -> str:
    """Return an access token for `user`, or for the client's own account if `user` is None. It depends on no session.

    scopes: exactly the scopes of the token, one text or several; empty: the default scopes of the client.
    audience: one name or several; None: the audience of the realm and of the scopes.

    Raises `UsageError`.
    """
    requested = texts(scopes, "scopes")
    scope = (
        tuple(dict.fromkeys(nonempty_text(one, "a scope") for text in requested for one in text.split()))
        or client.default_scopes
    )
    about = about_user(user, scope) if user else {**service_account(client), "client_id": client.client_id}
    claims = access_token_claims(at, client, scope, about)
    if audience is not None:
        several = texts(audience, "audience")
        claims["aud"] = several[0] if len(several) == 1 else list(several)
    typ = "at+jwt" if at.settings.rfc9068 else "JWT"
    return _signed(at, changes.applied(claims, at.now), changes, at.settings.signing_alg, typ)


def mint_id_token(
    at: At,
    client: Client,
    user: User,
    changes: TokenChanges,
    *,
    nonce: str | None = None,
    access_token: str | None = None,
    code: str | None = None,
) -> str:
    """Return an ID token about `user` for `client`, with hashes of `access_token` and `code`. Raises `UsageError`."""
    about = {"sub": user.sub, "auth_time": int(at.now), **profile(user, client.default_scopes), **user.id_token_claims}
    about |= {} if nonce is None else {"nonce": nonce}
    claims = id_token_claims(at, client, about, access_token=access_token, code=code)
    claims = changes.applied(claims, at.now)
    return _for_client(at, client, claims, changes, "JWT")


def mint_logout_token(
    at: At, client: Client, user: User | None, changes: TokenChanges, *, sid: str | None = None
) -> str:
    """Return a logout token about `user`, the session `sid` or both. Raises `UsageError` if both are None."""
    if user is None and sid is None:
        raise UsageError("a logout token is about a user, a session (sid) or both (Back-Channel Logout §2.4)")
    about = {**({"sub": user.sub} if user else {}), **({"sid": nonempty_text(sid, "sid")} if sid is not None else {})}
    return _for_client(
        at, client, changes.applied(logout_token_claims(at, client, about), at.now), changes, LOGOUT_TYPE
    )


def _for_client(at: At, client: Client, claims: Mapping[str, Any], changes: TokenChanges, typ: str) -> str:
    if changes.key is not None:
        signed = _signed(at, claims, changes, "", typ)
    else:
        signed = signed_for(at, client, claims, id_token_alg(at, client), typ=typ)
    return encrypted_for(client, "id_token", signed)


def _signed(at: At, claims: Mapping[str, Any], changes: TokenChanges, alg: str, typ: str) -> str:
    if changes.key is None:
        return sign(claims, at.keys.signer(alg), alg=alg, header={"typ": typ})
    return sign(claims, changes.key, alg=algorithm_for(changes.key), header={"typ": typ})


def with_rfc9068(at: At, rfc9068: bool | None) -> At:  # three values
    """Return `at` with the setting `rfc9068`; None: `at` unchanged."""
    return at if rfc9068 is None else replace(at, settings=replace(at.settings, rfc9068=rfc9068))
