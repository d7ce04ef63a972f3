"""The conditions that a valid access token must meet for a request."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, cast

from doorkey.arguments import blocking, mapping, seconds, texts
from doorkey.errors import UsageError
from doorkey.jose.claim_rules import numeric_date
from doorkey.protocol.rejections import InsufficientPrivileges, StepUpRequired
from doorkey.resource.access_token import AccessToken
from doorkey.values import Scope, ShownDefaults

ClaimName: TypeAlias = str | tuple[str, ...]
ClaimCheck: TypeAlias = "Callable[[Any], object] | str | int | float | bool | None"

_MISSING: Final = object()
_CHECK: Final = "the requirement of a claim must be a value, or a synchronous function of the claim's value"


@dataclass(frozen=True, slots=True)
class Requirement:
    """The conditions that the access token of a request must meet. Without arguments, any valid token is accepted.

    scopes: the scopes that the token must have, all of them: text with spaces between them, or several texts.
    claims: the required claims by name, each with a value, or with a function that returns whether it accepts the
        claim's value. A claim that is a list must contain the value. A tuple names a nested claim:
        ``("realm_access", "roles")``.
    acr: authentication context classes. The claim `acr` of the token must be one of them (RFC 9470 §3).
    max_age: the maximum number of seconds since the user's last authentication, `auth_time` (RFC 9470 §3).

    Raises `UsageError` for values of other types.
    """

    __signature__ = ShownDefaults()

    scopes: str | Iterable[str] = ()
    claims: Mapping[ClaimName, ClaimCheck] = field(default_factory=dict[ClaimName, ClaimCheck], hash=False)
    acr: str | Iterable[str] = ()
    max_age: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "scopes", Scope.of(self.scopes).tokens)
        object.__setattr__(self, "acr", texts(self.acr, "acr"))
        if self.max_age is not None:
            object.__setattr__(self, "max_age", seconds(self.max_age, "max_age"))
        for name, check in mapping(self.claims, "claims").items():
            named: object = name
            if not isinstance(named, str):
                texts(named, "the name of a claim")
            if callable(check):
                blocking(check, _CHECK)

    def check(self, token: AccessToken, now: float, leeway: float = 0.0) -> None:
        """Raise `InsufficientPrivileges` or `StepUpRequired` unless `token` meets this requirement.

        token: the verified access token.
        now: seconds since the epoch.
        leeway: the seconds by which two clocks may differ.
        """
        wanted = cast("tuple[str, ...]", self.scopes)
        if not token.has_scope(*wanted):
            raise InsufficientPrivileges("scope", "does not permit this request", scopes=wanted)
        for name, check in self.claims.items():
            _check_claim(token.claims, name, check)
        if self.acr or self.max_age is not None:
            self._check_authentication(token.claims, now, leeway)

    def _check_authentication(self, claims: Mapping[str, Any], now: float, leeway: float) -> None:
        acr_values, max_age = cast("tuple[str, ...]", self.acr), self.max_age
        if acr_values and claims.get("acr") not in acr_values:
            reason = "is not an authentication context class that this request accepts: log in again"
            raise StepUpRequired("acr", reason, acr_values=acr_values, max_age=max_age)
        if max_age is None:
            return
        at = numeric_date(claims, "auth_time")
        if at is None or now - at > max_age + leeway:
            reason = "is missing" if at is None else f"is more than {max_age:.0f} s ago"
            raise StepUpRequired("auth_time", f"{reason}: log in again", acr_values=acr_values, max_age=max_age)


def _check_claim(claims: Mapping[str, Any], name: ClaimName, check: object) -> None:
    path = (name,) if isinstance(name, str) else name
    value: object = claims
    for member in path:
        value = cast("Mapping[str, object]", value).get(member, _MISSING) if isinstance(value, Mapping) else _MISSING
    shown = ".".join(path)
    if value is _MISSING:
        raise InsufficientPrivileges(shown, "is missing, and this request needs it")
    if not (_accepted(check, value) if callable(check) else _equals(check, value)):
        raise InsufficientPrivileges(shown, "does not permit this request")


def _accepted(check: Callable[[Any], object], value: object) -> bool:
    accepted = check(value)
    if inspect.isawaitable(accepted):  # an awaitable is true, so it would accept every value
        if inspect.iscoroutine(accepted):
            accepted.close()
        raise UsageError(_CHECK)
    return bool(accepted)


def _equals(wanted: object, value: object) -> bool:
    several: list[object] = cast("list[object]", value) if isinstance(value, list) else [value]
    return any(one == wanted and isinstance(one, bool) == isinstance(wanted, bool) for one in several)
