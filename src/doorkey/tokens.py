"""A token as a value (`OAuthToken`), and as the read-only dictionary that users' programs hold (`OAuth2Token`)."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Final, Self, cast

from doorkey.arguments import seconds
from doorkey.errors import UsageError
from doorkey.values import MASK, ReadOnlyDict, Scope, Secret, ShownDefaults, clears_locals, hides_locals

__all__ = ["OAuth2Token", "OAuthToken"]

TEN_YEARS: Final = 10 * 366 * 24 * 3600
MARGIN: Final = 60.0
"""The default margin in seconds: a token is renewed at most this long before it expires, unless `leeway` is given."""

NOT_FOR_ACCESS: Final = "N_A"
"""The `token_type` of an issued token that is not an access token (RFC 8693 §2.2.1)."""
KNOWN_TYPES: Final = {"bearer": "Bearer", "dpop": "DPoP"}
"""The normalized token types; servers write them in any case (RFC 6749 §5.1)."""

MAX_TOKEN: Final = 128 * 1024
"""The maximum length of one issued token, in characters. Three such tokens, sealed, fit into a record of a store."""

_STANDARD = frozenset({"access_token", "token_type", "expires_in", "expires_at", "refresh_token", "scope", "id_token"})
_SHOWN = frozenset({"token_type", "scope", "issued_token_type"})
"""Text members that a repr shows. By RFC 6749 §5.1 and RFC 8693 §2.2.1, they are not secrets."""
_SHOWN_NUMBERS = frozenset({"expires_in", "expires_at", "refresh_expires_in", "refresh_token_expires_in"})

_NUMBER = re.compile(r"[0-9]{1,10}(\.[0-9]{1,20})?")


class OtherMembers(ReadOnlyDict):
    """Members that the protocol does not define. Their values may be secrets, so the repr shows only their names."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(dict.fromkeys(self, MASK))

    __str__ = __repr__

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


def legal_token(value: object) -> bool:
    """Return whether an HTTP header can carry `value` as a token.

    It must be a non-empty string of visible ASCII (RFC 6750 §2.1).
    """
    # This repeats `legal_refresh_token` instead of calling it, for speed: a renewal checks five tokens.
    return (
        isinstance(value, str)
        and value.isascii()
        and value.isprintable()
        and value not in ("", MASK)
        and " " not in value
    )


def legal_refresh_token(value: object) -> bool:
    """Return whether `value` is a non-empty string of VSCHAR, spaces included (RFC 6749 Appendix A.17).

    `***` is not legal, because a printed token shows it in place of a secret.
    """
    return isinstance(value, str) and value.isascii() and value.isprintable() and value not in ("", MASK)


def token_problem(value: object) -> str:
    """Return the end of a message about an illegal token `value`: the problem or the rule, without the value."""
    if value == MASK:
        return f"{MASK!r} is what a printed token shows in place of a secret: store dict(token), not its text"
    return "it must be a non-empty string of visible ASCII characters"


def lifetime_of(value: object) -> float | None:
    """Return `expires_in` in whole seconds, rounded down, or None (unknown).

    value: a finite number or numeric text above 0 and up to ten years (RFC 6749 §5.1 defines an integer). All other
        values mean unknown, also 0, which servers send for a token that does not expire.
    """
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= TEN_YEARS:
        return None
    return float(math.floor(value))


def expiry_of(value: object, now: float) -> float | None:
    """Return an `expires_at` of a server's response, in seconds since the epoch, or None (unknown).

    Unknown are 0, which servers send for a token that does not expire, and a time more than ten years from `now`,
    for instance one in milliseconds.
    """
    moment = moment_of(value)
    return moment if moment and abs(moment - now) <= TEN_YEARS else None


def moment_of(value: object) -> float | None:
    """Return a stored `expires_at` in seconds since the epoch, or None if it is not a finite number of 0 or more."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        moment = float(value)
    except OverflowError:  # an integer of hundreds of digits
        return None
    return moment if math.isfinite(moment) and moment >= 0 else None


@dataclass(frozen=True, slots=True)
class OAuthToken:
    """The tokens of a token response (RFC 6749 §5.1).

    access_token: the access token.
    token_type: its type, normalized to ``Bearer`` or ``DPoP``.
    expires_at: time at which it expires, in seconds since the epoch; None if unknown.
    lifetime: seconds for which it was issued; None if unknown.
    refresh_token: the refresh token, or None.
    scope: the granted scope; None if the server did not name it, because it is the requested scope.
    id_token: the ID token, or None.
    extra: members of the response that the protocol does not define.
    raw_token_type: the type as the server wrote it, or None.
    dropped: names of members of the response that were dropped, because no store could hold them.
    id_token_claims: verified claims of `id_token`; None if it was not verified. They are never stored.
    """

    __signature__ = ShownDefaults()

    access_token: Secret
    token_type: str = "Bearer"
    expires_at: float | None = None
    lifetime: float | None = None
    refresh_token: Secret | None = None
    scope: Scope | None = None
    id_token: Secret | None = None
    extra: Mapping[str, Any] = field(default_factory=OtherMembers, repr=False, compare=False)
    raw_token_type: str | None = field(default=None, repr=False, compare=False)
    dropped: tuple[str, ...] = field(default=(), compare=False)
    id_token_claims: Mapping[str, Any] | None = field(default=None, repr=False, compare=False)

    @classmethod
    @hides_locals
    def from_mapping(cls, members: Mapping[str, Any], *, now: float) -> OAuthToken:
        """Return the token in a mapping, for instance one restored from a store.

        members: a mapping with the members of a token response, as `fetch_token` and `to_dict` return it.
        now: the time from which `expires_in` counts if there is no `expires_at`, in seconds since the epoch.

        Raises `UsageError` if `access_token` is missing or cannot be sent, or if `token_type` cannot be sent.
        """
        if not isinstance(members, Mapping):
            raise UsageError(f"a token must be a mapping with an 'access_token', not {type(members).__name__}")
        if not legal_token(members.get("access_token")):
            raise UsageError(f"a token needs an 'access_token': {token_problem(members.get('access_token'))}")
        token_type = members.get("token_type") or "Bearer"
        if not legal_token(token_type):
            raise UsageError("the token's 'token_type' must be a word like 'Bearer'")
        lifetime = lifetime_of(members.get("expires_in"))
        expires_at = moment_of(members.get("expires_at"))
        if expires_at is None and lifetime is not None:
            expires_at = seconds(now, "now") + lifetime
        scope: Any = members.get("scope")
        return cls(
            access_token=Secret(members["access_token"]),
            token_type=KNOWN_TYPES.get(str(token_type).lower(), str(token_type)),
            expires_at=expires_at,
            lifetime=lifetime,
            refresh_token=_optional_secret(members.get("refresh_token")),
            scope=Scope.granted(cast("Any", scope)) if isinstance(scope, str | list | tuple) else None,
            id_token=_optional_secret(members.get("id_token")),
            extra=OtherMembers({k: v for k, v in members.items() if k not in _STANDARD}),
            raw_token_type=str(token_type),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return a plain dictionary with the secrets, which can be stored as JSON and read by `from_mapping`."""
        token_type = self.raw_token_type or self.token_type
        members: dict[str, Any] = {"access_token": self.access_token.reveal(), "token_type": token_type}
        if self.lifetime is not None:
            members["expires_in"] = int(self.lifetime)
        if self.expires_at is not None:
            members["expires_at"] = int(self.expires_at)
        if self.refresh_token is not None:
            members["refresh_token"] = self.refresh_token.reveal()
        if self.scope is not None:
            members["scope"] = str(self.scope)
        if self.id_token is not None:
            members["id_token"] = self.id_token.reveal()
        return {**members, **self.extra}

    def with_refresh_token(self, refresh_token: Secret | None) -> OAuthToken:
        """Return a copy with this `refresh_token`; None removes it."""
        return replace(self, refresh_token=refresh_token)

    def of_type(self, types: Mapping[str, str]) -> OAuthToken:
        """Return the token with its type replaced by its meaning, if `types` lists the type.

        types: the meaning of each lower-case type that only this server uses, as `check_token_types` returns it.
        """
        meaning = types.get(self.token_type.lower())
        return self if meaning is None else replace(self, token_type=meaning)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def margin(self, leeway: float | None = None) -> float:
        """Return how many seconds before its expiry the token is renewed.

        leeway: this number of seconds; None means min(60, lifetime / 2), or 60 if the lifetime is unknown.
        """
        if leeway is not None:
            return leeway
        return MARGIN if self.lifetime is None else min(MARGIN, self.lifetime / 2)


class OAuth2Token(ReadOnlyDict):
    """A token as `fetch_token` returns it: a read-only dictionary, whose repr shows no secret.

    params: a mapping with at least `access_token`, or an `OAuthToken`.

    It is read-only because every change of a session's token goes through the session. `dict(token)` returns a copy
    that can be changed. The token can be pickled like any dictionary; the pickle contains the secrets. The repr shows
    the values of a few members that are not secrets, and only the names of the others.

    Raises `UsageError` for a mapping without a valid `access_token`.
    """

    __slots__ = ("value",)
    value: OAuthToken
    _read_only_because: ClassVar[str] = (
        "a token is read-only: change a copy, dict(token), and assign that to session.token"
    )

    @hides_locals
    def __init__(self, params: Mapping[str, Any] | OAuthToken) -> None:
        self.value = params if isinstance(params, OAuthToken) else OAuthToken.from_mapping(params, now=time.time())
        super().__init__(self.value.to_dict())

    @classmethod
    @clears_locals
    def from_dict(cls, token: Mapping[str, Any] | OAuthToken | None) -> Self | None:
        """Return `token` as an `OAuth2Token`: a mapping is converted, None and an `OAuth2Token` are returned unchanged.

        Raises `UsageError` for a mapping without a valid `access_token`.
        """
        return token if token is None or isinstance(token, cls) else cls(token)

    @property
    def access_token(self) -> str:
        """The access token itself."""
        return self.value.access_token.reveal()

    @property
    def token_type(self) -> str:
        """The normalized type, for instance ``Bearer``. The member ``["token_type"]`` is the server's spelling."""
        return self.value.token_type

    @property
    def refresh_token(self) -> str | None:
        """The refresh token, or None."""
        return self.value.refresh_token.reveal() if self.value.refresh_token else None

    @property
    def id_token(self) -> str | None:
        """The ID token as text, or None. Its content has not been verified."""
        return self.value.id_token.reveal() if self.value.id_token else None

    @property
    def id_token_claims(self) -> Mapping[str, Any] | None:
        """The claims of the ID token if a session has verified them, else None. They are not stored with the token."""
        return self.value.id_token_claims

    @property
    def expires_at(self) -> int | None:
        """The time of expiry in seconds since the epoch, or None if unknown."""
        return None if self.value.expires_at is None else int(self.value.expires_at)

    @property
    def scope(self) -> str | None:
        """The granted scope as text, or None if the server did not name it."""
        return None if self.value.scope is None else str(self.value.scope)

    def is_expired(self, leeway: float | None = None, *, now: float | None = None) -> bool:
        """Return whether the token has expired or is about to expire.

        leeway: seconds before its expiry from which the token counts as expired; None means min(60, lifetime / 2), or
            60 if the lifetime is unknown.
        now: the current time in seconds since the epoch; None means `time.time()`.

        A token without a known time of expiry is never expired. Raises `UsageError` for an invalid `leeway` or `now`.
        """
        if self.value.expires_at is None:
            return False
        at = time.time() if now is None else seconds(now, "now")
        margin = self.value.margin(None if leeway is None else seconds(leeway, "leeway"))
        return at >= self.value.expires_at - margin

    def __repr__(self) -> str:
        return repr({name: value if _harmless(name, value) else MASK for name, value in self.items()})

    __str__ = __repr__

    def __reduce_ex__(self, protocol: object) -> tuple[type[Self], tuple[dict[str, Any]]]:
        return type(self), (dict(self),)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


def _harmless(name: str, value: object) -> bool:
    """Return whether a repr may show this member. An unknown one may be an API key, or a URL that works without one."""
    if name in _SHOWN_NUMBERS:
        return isinstance(value, int | float)
    return name in _SHOWN and isinstance(value, str)


def _optional_secret(value: object) -> Secret | None:
    if value == MASK:
        raise UsageError(f"the stored token is the text of a printed token: {token_problem(value)}")
    return Secret(value) if isinstance(value, str) and value else None
