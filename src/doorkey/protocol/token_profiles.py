"""Descriptions of JWT access tokens, as data: those of RFC 9068, and those of well-known servers.

A profile defines how an access token differs from other JWTs of its issuer (ID tokens above all), which claims are
required, and which claims contain the client and the scopes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from doorkey.arguments import did_you_mean, instance, members, text, texts
from doorkey.errors import UsageError, printable

JWT: Final = "JWT"
"""The type of a JWT whose header has no `typ` (RFC 7519 §5.1)."""

_GROUPS: Final = "required_any of a TokenProfile must be groups of claims, for instance (('scp', 'roles'),)"
_PAIRS: Final = "values of a TokenProfile must be pairs of a claim and its values, such as (('typ', ('Bearer',)),)"
_ID_TOKEN_ONLY: Final = ("at_hash", "c_hash", "s_hash")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenProfile:
    """A kind of JWT access token. `dataclasses.replace(KEYCLOAK, …)` returns a variant of a profile.

    name: the name of the profile in errors.
    types: the accepted values of the header `typ`. `JWT` includes a header without `typ`.
    required: claims that the token must have.
    required_any: groups of claims. The token must have at least one claim of each group.
    forbidden: claims of other kinds of tokens, which the token must not have.
    values: (claim, values) pairs. The claim must have one of the values.
    client_claims: the claims that may contain the client ID. The first one that is present is used.
    scope_claims: the claims that may contain the scopes, as text with spaces or as a list.

    Raises `UsageError` for a value of another type, and without `types`.
    """

    name: str
    types: tuple[str, ...]
    required: tuple[str, ...] = ("iss", "exp", "aud")
    required_any: tuple[tuple[str, ...], ...] = ()
    forbidden: tuple[str, ...] = ("events", *_ID_TOKEN_ONLY)
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    client_claims: tuple[str, ...] = ("client_id", "azp")
    scope_claims: tuple[str, ...] = ("scope",)

    def __post_init__(self) -> None:
        for name in ("types", "required", "forbidden", "client_claims", "scope_claims"):
            object.__setattr__(self, name, texts(getattr(self, name), f"{name} of a TokenProfile"))
        groups = tuple(texts(group, _GROUPS) for group in members(self.required_any, _GROUPS))
        object.__setattr__(self, "required_any", groups)
        pairs = tuple(_pair(pair) for pair in members(self.values, _PAIRS))
        object.__setattr__(self, "values", pairs)
        text(self.name, "name of a TokenProfile")
        if not self.types:
            raise UsageError("a TokenProfile needs the types of its tokens, for instance types=('at+jwt',)")


def _pair(pair: object) -> tuple[str, tuple[str, ...]]:
    both = members(pair, _PAIRS)
    if len(both) != 2:
        raise UsageError(_PAIRS)
    return text(both[0], _PAIRS), texts(both[1], _PAIRS)


RFC9068: Final = TokenProfile(
    name="RFC 9068",
    types=("at+jwt",),
    required=("iss", "exp", "aud", "sub", "client_id", "iat", "jti"),
    client_claims=("client_id",),
)
"""RFC 9068 §2: the type `at+jwt` distinguishes an access token from every other JWT."""

KEYCLOAK: Final = TokenProfile(
    name="Keycloak",
    types=(JWT, "at+jwt"),
    required=("iss", "exp", "aud", "iat", "jti", "typ"),
    values=(("typ", ("Bearer", "DPoP")),),
    client_claims=("azp", "client_id"),
)
"""Keycloak: the claim `typ` distinguishes its tokens (`Bearer`, `ID`, `Refresh`). A lightweight token has no `sub`."""

ENTRA: Final = TokenProfile(
    name="Microsoft Entra ID",
    types=(JWT,),
    required=("iss", "exp", "aud", "iat", "nbf", "sub", "tid"),
    required_any=(("scp", "roles"), ("azp", "appid")),
    forbidden=("events", "nonce", *_ID_TOKEN_ONLY),
    client_claims=("azp", "appid"),
    scope_claims=("scp",),
)
"""Microsoft Entra ID, versions 1 and 2: `scp` is for a user, `roles` for an application. The client is `azp` or
`appid`."""

AUTH0: Final = TokenProfile(
    name="Auth0",
    types=(JWT, "at+jwt"),
    required=("iss", "exp", "aud", "iat", "sub"),
    required_any=(("azp", "client_id"),),
    forbidden=("events", "nonce", *_ID_TOKEN_ONLY),
    client_claims=("client_id", "azp"),
)
"""Auth0: the client is `azp`. The claim `permissions` lists the user's permissions, not the scopes of the client."""

PROFILES: Final[Mapping[str, TokenProfile]] = {
    "rfc9068": RFC9068,
    "keycloak": KEYCLOAK,
    "entra": ENTRA,
    "auth0": AUTH0,
}
"""The presets by the names that `profile=` accepts."""


def profile_named(given: str | TokenProfile) -> TokenProfile:
    """Return the preset with the name `given`, or `given` itself if it is a profile. Raises `UsageError` otherwise."""
    if isinstance(given, str):
        if given not in PROFILES:
            hint = did_you_mean(given, PROFILES, f": there are {', '.join(PROFILES)}")
            raise UsageError(f"there is no profile {printable(given, 40)!r}{hint}")
        return PROFILES[given]
    return instance(given, TokenProfile, "profile must be the name of a preset, or a TokenProfile")
