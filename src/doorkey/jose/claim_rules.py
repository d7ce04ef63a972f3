"""Checks of single claims without a clock: times, texts, audiences, and rules of the program (RFC 7519 §4.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from doorkey.arguments import LATEST, mapping
from doorkey.errors import UsageError, printable
from doorkey.jose.errors import ExpiredTokenError, InvalidClaimError, NotYetValidError
from doorkey.values import Secret
from doorkey.wire.urls import how_issuers_differ

LEEWAY: Final = 60.0
"""The default leeway for clock skew, in seconds (RFC 7519 §4.1.4)."""
MAX_LEEWAY: Final = 3600.0
"""The largest accepted leeway, in seconds. A longer one would in effect disable the check of times."""

_OPTIONS: Final = ("essential", "value", "values", "validate")
_SHOWN_IN_ERRORS: Final = frozenset({"iss", "aud", "azp", "acr"})
"""Claims whose expected value may appear in an error. Others may be secret, for instance a nonce."""


def numeric_date(claims: Mapping[str, Any], name: str) -> float | None:
    """Return the value of a claim in seconds since the epoch, or None if the claim is absent (RFC 7519 §2).

    Raises `VerificationError` for any other value: text, true, NaN, or a time beyond the year 33000.
    """
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not -LATEST < value < LATEST:
        raise InvalidClaimError(name, "is not a time in seconds (RFC 7519 §2)")
    return float(value)


def audiences(claims: Mapping[str, Any]) -> list[str]:
    """Return the audiences in `aud`, which may be one text or a list; empty without `aud` (RFC 7519 §4.1.3).

    Raises `VerificationError` unless each audience is a text that is not empty.
    """
    if "aud" not in claims:
        return []
    members = _members(claims["aud"])
    if not members or not all(isinstance(member, str) and member for member in members):
        raise InvalidClaimError("aud", "is neither text nor a list of texts")
    return cast("list[str]", members)


def check_text(claims: Mapping[str, Any], name: str, *, longest: int | None = None) -> None:
    """Raise `VerificationError` if the claim is present and is not a text of 1 to `longest` characters."""
    if name not in claims:
        return
    value = claims[name]
    if not isinstance(value, str) or not value or (longest is not None and len(value) > longest):
        raise InvalidClaimError(name, "is not a text" + (f" of 1 to {longest} characters" if longest else ""))


def check_times(claims: Mapping[str, Any], now: float, leeway: float) -> None:
    """Raise `VerificationError` unless `now` is between `nbf` and `exp`, and not before `iat` (RFC 7519 §4.1.4-6).

    now: seconds since the epoch.
    leeway: seconds by which two clocks may differ.

    An absent claim is not checked.
    """
    expires, begins, issued = (numeric_date(claims, name) for name in ("exp", "nbf", "iat"))
    if expires is not None and now >= expires + leeway:
        raise ExpiredTokenError(
            "exp", f"was {now - expires:.0f} seconds ago: the token has expired, or this machine's clock is ahead"
        )
    if begins is not None and begins > now + leeway:
        raise NotYetValidError("nbf", _ahead(begins - now))
    if issued is not None and issued > now + leeway:
        raise NotYetValidError("iat", _ahead(issued - now))


def _ahead(by: float) -> str:
    return f"is {by:.0f} seconds in the future: this machine's clock is behind, or the issuer's is ahead"


def listed(values: Iterable[object]) -> str:
    """Return the expected values as text for an error."""
    return " or ".join(str(value) for value in values)


@dataclass(frozen=True, slots=True)
class ClaimRule:
    """The program's rule for one claim: whether it is required, its allowed `values`, and a function to check it."""

    name: str
    essential: bool
    values: tuple[object, ...]
    agrees: Callable[[Any, Any], object] | None

    def check(self, claims: Mapping[str, Any]) -> None:
        """Raise `VerificationError` unless the claim satisfies the rule. One matching audience of several is enough."""
        value: object = claims.get(self.name)
        if self.values:
            found = _members(value) if self.name == "aud" else [value]
            if not any(_same(one, wanted) for one in found for wanted in self.values):
                expected = listed(self.values) if self.name in _SHOWN_IN_ERRORS else None
                hints = [how_issuers_differ(value, wanted) for wanted in self.values if self.name == "iss"]
                reason = "is not the expected value" + next(filter(None, hints), "")
                raise InvalidClaimError(self.name, reason, expected=expected)
        if self.agrees is not None and self.name in claims and not self.agrees(claims, value):
            raise InvalidClaimError(self.name, "was rejected by the program's own check")


def rules_of(options: Mapping[str, Mapping[str, Any]] | None) -> tuple[ClaimRule, ...]:
    """Return the rules in `claims_options`, which maps each claim to `essential`, `value`, `values` or `validate`.

    Raises `UsageError` for an unknown option, and for an expected value of None or the empty text: a missing setting
    must not disable the check.
    """
    given: Mapping[str, Any] = {} if options is None else mapping(options, "claims_options")
    return tuple(_rule(name, option) for name, option in given.items())


def _rule(name: str, given: object) -> ClaimRule:
    shown = printable(str(name), 40)
    option = mapping(given, f"each of claims_options, {shown} too,")
    if unknown := [printable(str(key), 40) for key in option if key not in _OPTIONS]:
        raise UsageError(f"the claims_options of {shown} have {unknown[0]!r}; known are {', '.join(_OPTIONS)}")
    values: list[object] = [option["value"]] if "value" in option else []
    if "values" in option:
        several: object = option["values"]
        if isinstance(several, str | bytes | Mapping) or not isinstance(several, Iterable):
            raise UsageError(f"the option `values` of {shown} must be a list")
        values += cast("Iterable[object]", several)
    if ("value" in option or "values" in option) and (not values or any(value in (None, "") for value in values)):
        raise UsageError(f"the expected value of {shown} is missing; omit it to accept any value")
    agrees = option.get("validate")
    if not (agrees is None or callable(agrees)):
        raise UsageError(f"the option `validate` of {shown} must be a function of the claims and the value")
    return ClaimRule(str(name), bool(option.get("essential")) or bool(values), tuple(values), agrees)


def _members(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else [value]


def _same(one: object, other: object) -> bool:
    if isinstance(one, str) and isinstance(other, str):
        return Secret(one) == Secret(other)  # in constant time, because it may be a nonce
    return one == other and isinstance(one, bool) == isinstance(other, bool)  # in JSON true is not 1
