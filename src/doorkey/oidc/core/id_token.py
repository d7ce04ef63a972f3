"""ID tokens: claims, and their checks (OpenID Connect Core §2, §3.1.3.7, §3.2.2.11, §3.3.2.12)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final, cast

from doorkey.arguments import seconds, texts
from doorkey.errors import UsageError
from doorkey.jose.claim_rules import audiences, check_text, listed, numeric_date
from doorkey.jose.claims import JWTClaims
from doorkey.jose.errors import InvalidClaimError, MissingClaimError
from doorkey.oidc.core.hashes import check_hash
from doorkey.oidc.core.issuers import TenantIssuer
from doorkey.values import Secret
from doorkey.wire.urls import how_issuers_differ

MAX_SUB: Final = 255

_SECRETS: Final = ("nonce", "access_token", "code", "state")
_HASHES: Final = {"at_hash": "access_token", "c_hash": "code", "s_hash": "state"}
_OTHER_KINDS: Final = frozenset({"bearer", "dpop", "refresh", "offline", "logout"})


class IDToken(JWTClaims):
    """The claims of an ID token. `CodeIDToken`, `ImplicitIDToken` and `HybridIDToken` are for one flow each.

    payload: the claims.
    header: the header of the token.
    options: conditions for each claim, as for `JWTClaims`.
    params: the expected values. A claim is compared only if its value is given: `issuer` (a URL or a `TenantIssuer`),
        `client_id`, `nonce`, `access_token`, `code` and `state` of this login, `max_age` (seconds since the last
        authentication of the user), `acr_values` (the requested authentication context classes) and
        `trusted_audiences` (a list of other clients that the token may be for as well).

    For a login, give `issuer`, `client_id` and `nonce`. In place of the first two, `options` may have `iss` and `aud`.
    Raises `UsageError` for invalid options and params.
    """

    __slots__ = ()
    REGISTERED_CLAIMS: ClassVar[tuple[str, ...]] = (
        *JWTClaims.REGISTERED_CLAIMS,
        *("auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash", "s_hash", "sid"),
    )
    ESSENTIAL_CLAIMS: ClassVar[tuple[str, ...]] = ("iss", "sub", "aud", "exp", "iat")
    PARAMS: ClassVar[tuple[str, ...]] = (
        *("issuer", "client_id", *_SECRETS, "max_age", "acr_values", "trusted_audiences"),
    )
    REQUIRED_HASHES: ClassVar[tuple[str, ...]] = ()
    """The hash claims that are required if the hashed value is given."""

    def _validate_at(self, now: float, leeway: float) -> None:
        self._check_type()
        super()._validate_at(now, leeway)
        check_text(self, "sub", longest=MAX_SUB)
        self._check_issuer(self._params.get("issuer"))
        self._check_audience()
        self._check_login(now, leeway)
        self._check_hashes()

    def _check_issuer(self, issuer: str | TenantIssuer | None) -> None:
        if isinstance(issuer, TenantIssuer):
            issuer.check(self)
        elif issuer is not None and self["iss"] != issuer:
            reason = f"is not the issuer of this login{how_issuers_differ(self['iss'], issuer)}"
            raise InvalidClaimError("iss", reason, expected=issuer)

    def _check_type(self) -> None:
        typ: object = self.header.get("typ", "JWT")
        if not isinstance(typ, str) or typ.lower().removeprefix("application/") != "jwt":
            raise InvalidClaimError("typ", "belongs to another kind of token", expected="JWT")
        # Keycloak distinguishes its tokens by a claim `typ`. Logout and security event tokens have `events` (RFC 8417).
        if str(self.get("typ")).lower() in _OTHER_KINDS:
            raise InvalidClaimError("typ", "belongs to another kind of token", expected="an ID token")
        if "events" in self:
            raise InvalidClaimError("events", "is not allowed in an ID token: this is another kind of token")

    def _check_audience(self) -> None:
        """Check that the token is for this client, and otherwise only for trusted clients (§3.1.3.7, 3 to 5)."""
        found = audiences(self)
        check_text(self, "azp")
        if len(found) > 1 and "azp" not in self:
            raise MissingClaimError("azp", "is missing, although the token has several audiences")
        in_options = [value for rule in self._rules if rule.name == "aud" for value in rule.values]
        client_id = self._params.get("client_id")
        ours = in_options if client_id is None else [client_id]
        if not ours:
            return
        if not any(one in ours for one in found):
            raise InvalidClaimError("aud", "does not contain this client", expected=listed(ours))
        trusted = {*map(str, ours), *map(str, in_options), *self._params.get("trusted_audiences", ())}
        if untrusted := set(found) - trusted:
            reason = f"has {len(untrusted)} further audiences that trusted_audiences= does not list"
            raise InvalidClaimError("aud", reason)
        if "azp" in self and self["azp"] not in ours:
            raise InvalidClaimError("azp", "is another client", expected=listed(ours))

    def _check_login(self, now: float, leeway: float) -> None:
        """Check the `nonce` of this login, and the time and class of its authentication (§3.1.3.7, 11 to 13)."""
        for name in ("nonce", "acr"):
            check_text(self, name)
        amr: object = self.get("amr", [])
        if not isinstance(amr, list) or not all(isinstance(one, str) for one in cast("list[object]", amr)):
            raise InvalidClaimError("amr", "is not a list of texts")
        nonce = self._params.get("nonce")
        if nonce is not None and Secret(self.get("nonce", "")) != nonce:
            raise InvalidClaimError("nonce", "is not that of the request: this token belongs to another login")
        auth_time, max_age = numeric_date(self, "auth_time"), self._params.get("max_age")
        if auth_time is not None and auth_time > now + leeway:
            raise InvalidClaimError("auth_time", f"is {auth_time - now:.0f} seconds in the future")
        if max_age is not None:
            if auth_time is None:
                raise MissingClaimError("auth_time", "is missing, although max_age was requested")
            if now - auth_time > max_age + leeway:
                raise InvalidClaimError("auth_time", f"is longer ago than {max_age:g} seconds")
        requested = self._params.get("acr_values")
        if requested is not None and self.get("acr") not in requested:
            raise InvalidClaimError("acr", "is none of the requested classes", expected=listed(sorted(requested)))

    def _check_hashes(self) -> None:
        for name, of in _HASHES.items():
            check_text(self, name)
            value = self._params.get(of)
            if value is None or (name not in self and name not in self.REQUIRED_HASHES):
                continue
            if name not in self:
                raise MissingClaimError(name, f"is missing, although the {of} came with the ID token")
            check_hash(self, name, value, self.header.get("alg"))

    def _read_params(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        read = {**super()._read_params(params)}
        for name in _SECRETS:
            if isinstance(value := read.get(name), str):
                read[name] = Secret(value)
            elif not isinstance(value, Secret | None):
                raise UsageError(f"the {name} to compare with must be text, not {type(value).__name__}")
        for name, kinds in (("issuer", str | TenantIssuer | None), ("client_id", str | None)):
            if not isinstance(read.get(name), kinds):
                raise UsageError(f"the {name} to compare with must be text, not {type(read[name]).__name__}")
        if "max_age" in read:
            read["max_age"] = seconds(read["max_age"], "max_age")
        if "trusted_audiences" in read:
            read["trusted_audiences"] = _texts(read["trusted_audiences"])
        if "acr_values" in read:
            requested = texts(read["acr_values"], "acr_values")
            read["acr_values"] = frozenset(one for value in requested for one in value.split())
            if not read["acr_values"]:
                raise UsageError("the acr_values to compare with are missing; omit them if the request had none")
        return read


class CodeIDToken(IDToken):
    """An ID token from the token endpoint, for the response type `code` (§3.1.3.6)."""

    __slots__ = ()
    RESPONSE_TYPES: ClassVar[tuple[str, ...]] = ("code",)


class ImplicitIDToken(IDToken):
    """An ID token from the authorization endpoint. It needs `nonce`, and `at_hash` if a token came too (§3.2.2.10)."""

    __slots__ = ()
    RESPONSE_TYPES: ClassVar[tuple[str, ...]] = ("id_token", "id_token token")
    ESSENTIAL_CLAIMS: ClassVar[tuple[str, ...]] = (*IDToken.ESSENTIAL_CLAIMS, "nonce")
    REQUIRED_HASHES: ClassVar[tuple[str, ...]] = ("at_hash",)


class HybridIDToken(ImplicitIDToken):
    """An ID token from the authorization endpoint of a hybrid flow. It needs `c_hash` if a code came (§3.3.2.11)."""

    __slots__ = ()
    RESPONSE_TYPES: ClassVar[tuple[str, ...]] = ("code id_token", "code token", "code id_token token")
    REQUIRED_HASHES: ClassVar[tuple[str, ...]] = ("at_hash", "c_hash")


def _texts(value: object) -> frozenset[str]:
    texts = list(cast("Iterable[object]", value)) if isinstance(value, Iterable) else [value]
    if isinstance(value, str) or not all(isinstance(text, str) for text in texts):
        raise UsageError("trusted_audiences must be a list of client IDs")
    return frozenset(cast("list[str]", texts))
