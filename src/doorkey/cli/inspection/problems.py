"""All problems of a token, in words.

The library's checks raise an error for the first problem. So after each error, the invalid value is replaced by a valid
value in a copy of the token, and the checks run again. In this way the library's own checks find all problems.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from doorkey.cli.times import absolute, in_words
from doorkey.errors import VerificationError, printable
from doorkey.jose.claim_rules import numeric_date

Members = dict[str, Any]
Check = Callable[[Members, Members], object]
"""A function that checks header and claims, and raises `VerificationError`."""

_MOST: Final = 32
_SHOWN: Final = 200
_SOON: Final = 3600.0
_ABSENT: Final = object()
_UNSHOWN: Final = frozenset({"nonce", "at_hash", "c_hash", "s_hash"})


@dataclass(frozen=True, slots=True)
class Problem:
    """A problem of one claim or header parameter: the `message`, the `expected` value, and the value in the token."""

    claim: str
    message: str
    expected: str | None = None
    got: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidValues:
    """Values that pass the checks, and replace invalid values.

    types: the accepted header types (`typ`).
    claims: valid claims by name.
    """

    types: tuple[str, ...]
    claims: Mapping[str, Any]


def every_problem(
    check: Check, header: Mapping[str, Any], claims: Mapping[str, Any], valid: ValidValues, now: float
) -> tuple[Problem, ...]:
    """Return all problems that `check` finds in a token, in the order of its checks.

    check: raises an error for the first problem.
    header, claims: the header and the claims of the token.
    valid: values that pass the check.
    now: seconds since the epoch, for the messages.
    """
    tried_header, tried = dict(header), dict(claims)
    problems: dict[tuple[str, str, bool], Problem] = {}
    repairs: dict[str, int] = {}
    for _ in range(_MOST):
        try:
            check(tried_header, tried)
        except VerificationError as wrong:
            is_claim = wrong.claim in claims and not _is_of_header(wrong, check, tried_header, tried, valid)
            problem = problem_of(wrong, claims if is_claim else header, now)
            problems.setdefault((wrong.claim, wrong.reason, is_claim), problem)
            attempt = repairs[wrong.claim] = repairs.get(wrong.claim, 0) + 1
            if not _repair(wrong.claim, attempt, tried_header, tried, valid, now):
                break
        else:
            break
    return tuple(problems.values())


def _is_of_header(wrong: VerificationError, check: Check, header: Members, claims: Members, valid: ValidValues) -> bool:
    """Return whether a `typ` that was rejected is that of the header: a valid one there removes the error."""
    if wrong.claim != "typ":
        return False
    try:
        check({**header, "typ": valid.types[0]}, claims)
    except VerificationError as other:
        return (other.claim, other.expected) != (wrong.claim, wrong.expected)
    return True


def _repair(name: str, attempt: int, header: Members, claims: Members, valid: ValidValues, now: float) -> bool:
    """Replace the rejected value, or remove it if it was replaced before. Return False if no way is left."""
    times = {"exp": now + _SOON, "iat": now, "nbf": now, "auth_time": now}
    ways: list[tuple[Members, object]] = [(claims, {**times, **valid.claims}.get(name, "-")), (claims, _ABSENT)]
    if name == "typ":
        ways.insert(0, (header, valid.types[0]))
    if attempt > len(ways):
        return False
    members, value = ways[attempt - 1]
    if value is _ABSENT:
        members.pop(name, None)
    else:
        members[name] = value
    return True


def problem_of(wrong: VerificationError, members: Mapping[str, Any], now: float) -> Problem:
    """Return the problem for a library error, with the value in the token.

    members: the header or the claims, whichever contains the rejected value.
    now: seconds since the epoch.
    """
    name = wrong.claim
    message = f"{name} {wrong.reason}"
    if name in ("exp", "nbf", "iat", "auth_time"):
        message = _in_time(name, members, now) or message
    got = None if name in _UNSHOWN or name not in members else shown_value(members[name])
    return Problem(name, message, wrong.expected, got)


def _in_time(name: str, claims: Mapping[str, Any], now: float) -> str | None:
    """Return a message with the difference of an invalid time to `now`; None if it is valid, or not a time."""
    try:
        at = numeric_date(claims, name)
    except VerificationError:
        return None
    if at is None:
        return None
    if name == "exp" and at <= now:
        return f"expired {in_words(now - at)} ago: {absolute(at)}"
    if name == "nbf" and at > now:
        return f"not valid yet: it begins in {in_words(at - now)}, {absolute(at)}"
    if name in ("iat", "auth_time") and at > now:
        what = "issued" if name == "iat" else "the user authenticated"
        return f"{what} {in_words(at - now)} in the future, {absolute(at)}: one of the clocks is wrong"
    return None


def shown_value(value: object) -> str:
    """Return a value of a token as printable text, cut to 200 characters."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return printable(text, _SHOWN)
