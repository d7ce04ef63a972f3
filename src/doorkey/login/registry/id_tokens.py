"""The claims of a registered client's ID tokens: conditions that the program adds, and the member `userinfo`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from doorkey.arguments import mapping
from doorkey.oidc.core.id_token import CodeIDToken, IDToken
from doorkey.oidc.core.user_info import UserInfo
from doorkey.tokens import OAuth2Token

LEEWAY: Final = 60.0


def check_claims(
    claims: IDToken,
    claims_options: Mapping[str, Any] | None,
    claims_cls: Any,
    leeway: float | None,
    now: float,
    **params: Any,
) -> None:
    """Check verified `claims` against the conditions of the program, at `now` in seconds since the epoch.

    claims_options: conditions for claims, as for `jwt.decode`.
    claims_cls: a class of claims; None: `CodeIDToken`.
    leeway: seconds of clock skew; None: 60.
    params: the values with which the class compares claims. It gets only those that its `PARAMS` contain.

    Raises `VerificationError` for a claim that fails a condition, and `UsageError` for an unknown condition.
    """
    if claims_options is None and claims_cls is None:
        return
    kind = claims_cls or CodeIDToken
    known = getattr(kind, "PARAMS", params)
    given = {name: value for name, value in params.items() if value and name in known}
    made = kind(dict(claims), dict(claims.header), claims_options, given)
    made.validate(now, LEEWAY if leeway is None else leeway)


def with_userinfo(token: OAuth2Token, claims: Mapping[str, Any]) -> OAuth2Token:
    """Return `token` with the verified `claims` as its member `userinfo`."""
    members = {**token.value.extra, "userinfo": UserInfo(claims)}
    return OAuth2Token(replace(token.value, extra=MappingProxyType(members)))


def issuer_in(claims_options: Mapping[str, Any] | None) -> str | None:
    """Return the issuer that `claims_options` require; None if they contain no issuer or several."""
    options = mapping({} if claims_options is None else claims_options, "claims_options")
    rule = mapping(options.get("iss", {}), "the claims_options of 'iss'")
    values: list[Any] = [rule["value"]] if rule.get("value") else list(rule.get("values") or ())
    return values[0] if len(values) == 1 and isinstance(values[0], str) else None
