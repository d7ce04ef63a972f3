"""The checks of an access token after its signature is verified, or after its introspection (RFC 9068 §4)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final, cast

from doorkey.errors import VerificationError
from doorkey.jose.claim_rules import audiences, check_text, check_times, listed, numeric_date
from doorkey.protocol.rejections import InvalidAccessToken
from doorkey.protocol.token_profiles import JWT, TokenProfile
from doorkey.values import Scope, Secret
from doorkey.wire.urls import how_issuers_differ

_FIX_TYPE: Final = (
    "is not that of {profile} access tokens: if the server issues other ones, give its profile=, such as 'keycloak'"
)

_ACCESS_TOKEN_TYPES: Final = frozenset({"bearer", "dpop", "access_token"})


def check_jwt(
    header: Mapping[str, Any],
    claims: Mapping[str, Any],
    profile: TokenProfile,
    *,
    issuer: str,
    audience: Collection[str],
    now: float,
    leeway: float,
) -> None:
    """Raise `InvalidAccessToken` unless a JWT is a valid access token of `issuer` for this API (RFC 9068 §4).

    header, claims: the header and the claims of the token, whose signature the caller has verified.
    profile: the kind of access tokens that the issuer issues.
    audience: the names of this API. The token must be for one of them.
    now: seconds since the epoch.
    leeway: seconds by which two clocks may differ.
    """
    check_kind(header, claims, profile)
    check_use(claims, issuer=issuer, audience=audience, now=now, leeway=leeway)


def check_kind(header: Mapping[str, Any], claims: Mapping[str, Any], profile: TokenProfile) -> None:
    """Raise `InvalidAccessToken` unless the token is of the kind that `profile` describes, and not an ID token.

    header, claims: the header and the claims of the verified token.
    """
    typ: object = header.get("typ", JWT)
    wanted = {name.lower() for name in profile.types}
    if not isinstance(typ, str) or typ.lower().removeprefix("application/") not in wanted:
        reason = _FIX_TYPE.format(profile=profile.name)
        raise InvalidAccessToken("typ", reason, expected=listed(profile.types))
    for name in profile.required:
        if claims.get(name) in (None, ""):
            raise InvalidAccessToken(name, f"is missing, although {profile.name} access tokens have it")
    for names in profile.required_any:
        if not any(name in claims for name in names):
            raise InvalidAccessToken(
                names[0], f"is missing, although {profile.name} access tokens have {listed(names)}"
            )
    for name in profile.forbidden:
        if name in claims:
            raise InvalidAccessToken(name, f"is not in {profile.name} access tokens: this is another kind of token")
    for name, values in profile.values:
        if claims.get(name) not in values:
            raise InvalidAccessToken(name, "belongs to another kind of token", expected=listed(values))


def check_use(
    claims: Mapping[str, Any],
    *,
    issuer: str,
    audience: Collection[str],
    now: float,
    leeway: float,
    audience_required: bool = True,
) -> None:
    """Raise `InvalidAccessToken` unless the token is of `issuer`, for this API, and valid at `now`.

    claims: the claims of the token.
    audience_required: True to reject a token without an audience. Only an introspection response may omit it (RFC 7662
        §2.2).

    The other parameters are those of `check_jwt`.
    """
    try:
        for name in ("iss", "sub", "jti", "client_id", "azp"):
            check_text(claims, name)
        found = audiences(claims)
        check_times(claims, now, leeway)
        authenticated = numeric_date(claims, "auth_time")
    except VerificationError as wrong:
        raise InvalidAccessToken(wrong.claim, wrong.reason, expected=wrong.expected) from None
    if authenticated is not None and authenticated > now + leeway:
        raise InvalidAccessToken("auth_time", "is in the future")
    if (named := claims.get("iss", issuer)) != issuer:
        reason = f"is not the expected issuer{how_issuers_differ(named, issuer)}"
        raise InvalidAccessToken("iss", reason)
    if not found and audience_required:
        raise InvalidAccessToken("aud", "is missing: the token does not name the API that it is for")
    if found and not any(one in audience for one in found):
        raise InvalidAccessToken("aud", "does not contain this API", expected=listed(audience))


def check_introspected(members: Mapping[str, Any], profile: TokenProfile) -> None:
    """Raise `InvalidAccessToken` unless an introspection response is about an access token (RFC 7662 §2.2).

    members: the members of the response.
    profile: the kind of access tokens that the API accepts.

    Servers report refresh tokens as active too. Members that the response does not contain are not checked.
    """
    kind: object = members.get("token_type", "Bearer")
    if not isinstance(kind, str) or kind.lower() not in _ACCESS_TOKEN_TYPES:
        raise InvalidAccessToken("token_type", "is not that of an access token", expected="Bearer or DPoP")
    for name, values in profile.values:
        if members.get(name, values[0]) not in values:
            raise InvalidAccessToken(name, "belongs to another kind of token", expected=listed(values))


def check_binding(
    claims: Mapping[str, Any], *, certificate: str | None = None, proven_key: str | None = None, scheme: str = "Bearer"
) -> None:
    """Raise `InvalidAccessToken` unless the sender of a bound token has proven possession of the key (RFC 7800 §3).

    claims: the claims of the token. Without `cnf`, it is not bound.
    certificate: the SHA-256 thumbprint of the client certificate of the connection, in base64url (RFC 8705 §3.1).
    proven_key: the thumbprint of the key of a verified DPoP proof (RFC 9449 §6.1).
    scheme: the scheme of the `Authorization` header, `Bearer` or `DPoP`.

    A token with an unsupported kind of binding is rejected, because the binding cannot be checked.
    """
    binding: object = claims.get("cnf", {})
    if not isinstance(binding, Mapping) or ("cnf" in claims and not binding):
        raise InvalidAccessToken("cnf", "is not an object that names a key (RFC 7800 §3.1)")
    bound = cast("Mapping[str, object]", binding)
    for name, value in bound.items():
        if name == "x5t#S256":
            _check_thumbprint(value, certificate, "the client certificate of the TLS connection")
        elif name == "jkt":
            _check_thumbprint(value, proven_key, "a DPoP proof: Authorization: DPoP … and a DPoP header")
        else:
            raise InvalidAccessToken("cnf", "binds the token to a key in a way that is not supported here")
    if scheme == "DPoP" and "jkt" not in bound:
        raise InvalidAccessToken("cnf", "does not bind the token to a DPoP key: send it as Bearer (RFC 9449 §7.1)")


def _check_thumbprint(wanted: object, found: str | None, proof: str) -> None:
    if found is None:
        raise InvalidAccessToken("cnf", f"binds the token to a key that the request does not prove: it needs {proof}")
    if not isinstance(wanted, str) or Secret(wanted) != Secret(found):
        raise InvalidAccessToken("cnf", f"is another key than that of {proof}")


def scopes_of(claims: Mapping[str, Any], names: Collection[str] = ("scope",)) -> Scope:
    """Return the scopes in the claims `names`, each a text with spaces between the scopes, or a list of texts."""
    return Scope.granted([token for name in names for token in _tokens(claims.get(name))])


def _tokens(value: object) -> list[str]:
    if isinstance(value, str):
        return value.split()
    several: list[object] = cast("list[object]", value) if isinstance(value, list) else []
    return [one for one in several if isinstance(one, str)]


def client_of(claims: Mapping[str, Any], names: Collection[str] = ("client_id", "azp")) -> str | None:
    """Return the client ID: the first of the claims `names` that is present and a text that is not empty, or None."""
    return next((value for name in names if isinstance(value := claims.get(name), str) and value), None)
