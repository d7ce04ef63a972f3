"""`AccessToken`: a verified access token in an API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, SupportsIndex, cast

from doorkey.errors import UsageError
from doorkey.jose.claim_rules import audiences, numeric_date
from doorkey.jose.claims import NamedClaims
from doorkey.protocol.access_token import client_of, scopes_of
from doorkey.protocol.token_profiles import TokenProfile
from doorkey.values import Scope
from doorkey.wire.urls import shown_url

_PLAIN: Final = frozenset({str, int, float, bool, type(None)})


class _Claims(NamedClaims):
    """The claims of a token. They are read-only at every depth, because several requests share them."""

    __slots__ = ()


class _Items(list[Any]):
    """A read-only list in shared claims."""

    __slots__ = ()

    def _read_only(self, *_: object, **__: object) -> Any:
        raise UsageError("claims are read-only: change a copy, list(…)")

    if not TYPE_CHECKING:  # type checkers must see the methods of a list
        __setitem__ = __delitem__ = __iadd__ = __imul__ = _read_only
        append = extend = insert = pop = remove = clear = sort = reverse = _read_only

    def __reduce_ex__(self, protocol: SupportsIndex) -> tuple[Any, ...]:
        return list, (list(self),)


@dataclass(frozen=True, slots=True, repr=False)
class AccessToken:
    """A verified access token. It does not contain the token itself.

    issuer: the issuer of the authorization server.
    sub: the subject: the user, or the client if it acts for itself; None if the server does not state it.
    client_id: the client that the token was issued to; None if the server does not state it.
    scopes: the scopes of the token (RFC 6749 §3.3).
    audience: the APIs for which the token was issued.
    expires_at: the expiry in seconds since the epoch; None if the server does not state it.
    claims: all claims, or the members of the introspection response; read-only.

    The identity of a user is the exact pair (`issuer`, `sub`).
    """

    issuer: str
    sub: str | None
    client_id: str | None
    scopes: Scope
    audience: tuple[str, ...]
    expires_at: float | None
    claims: Mapping[str, Any] = field(hash=False)

    def has_scope(self, *scopes: str) -> bool:
        """Return whether the token has all of these `scopes`."""
        return all(scope in self.scopes.tokens for scope in scopes)

    def __repr__(self) -> str:  # claims are personal
        shown = f"client_id={self.client_id!r} scopes={str(self.scopes)!r}"
        return f"<AccessToken issuer={shown_url(self.issuer)!r} {shown}>"


def access_token_of(issuer: str, claims: Mapping[str, Any], profile: TokenProfile) -> AccessToken:
    """Return the token of `issuer` whose `claims` have been checked."""
    return AccessToken(
        issuer=issuer,
        sub=claims.get("sub"),
        client_id=client_of(claims, profile.client_claims),
        scopes=scopes_of(claims, profile.scope_claims),
        audience=tuple(audiences(claims)),
        expires_at=numeric_date(claims, "exp"),
        claims=_frozen(claims),
    )


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        members = cast("Mapping[str, Any]", value).items()
        return _Claims({name: one if type(one) in _PLAIN else _frozen(one) for name, one in members})
    if isinstance(value, list):
        return _Items([_frozen(one) for one in cast("list[object]", value)])
    return value
