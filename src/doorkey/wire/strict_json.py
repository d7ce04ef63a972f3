"""Strict JSON for protocol messages: one object, no duplicate members, no NaN, bounded nesting.

Parsers disagree about repeated members. So one value could pass a check, and another one could then be used.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from doorkey.errors import scrubbed

MAX_DEPTH = 32

# Possessive, and matching an unterminated string too, so that each byte is examined once.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_BRACKET = re.compile(rb"[\[\]{}]")


class JSONProblem(Exception):
    """A text is not acceptable JSON. Callers convert this exception to a public error.

    problem: a stable word: `not_json`, `not_an_object`, `duplicate_member`, `too_deep`.
    detail: the text of the exception.
    """

    def __init__(self, problem: str, detail: str) -> None:
        self.problem = problem
        super().__init__(detail)


def parse_object(data: bytes, *, max_depth: int = MAX_DEPTH, finite: bool = True) -> dict[str, Any]:
    """Return the JSON object in `data` (RFC 8259, UTF-8).

    max_depth: the maximum nesting of objects and arrays.
    finite: True to reject a number beyond the range of a double, such as 1e400, which no store could hold.

    Raises `JSONProblem`, whose text never quotes the data, because the data may contain a secret.
    """
    if data.count(b"{") + data.count(b"[") > max_depth:  # with fewer brackets, the nesting cannot be too deep
        _check_depth(data, max_depth)
    try:
        value = (_FINITE if finite else _ANY).decode(data.decode("utf-8"))
    except JSONProblem:
        raise
    except (ValueError, RecursionError) as error:  # ValueError: not JSON, not UTF-8, a number of thousands of digits
        del data
        raise JSONProblem("not_json", "the body is not JSON") from scrubbed(error)
    if not isinstance(value, dict):
        raise JSONProblem("not_an_object", "the body is JSON, but not an object")
    return value  # pyright: ignore[reportUnknownVariableType]  # json.loads returns Any


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise JSONProblem("duplicate_member", "a member of the JSON object occurs twice")
    return members


def _no_constant(name: str) -> NoReturn:
    raise JSONProblem("not_json", f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise JSONProblem("not_json", "the JSON has a number beyond the range of a double")
    return number


_FINITE, _ANY = (
    json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=parse_float)
    for parse_float in (_finite, float)
)


def _check_depth(data: bytes, limit: int) -> None:
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", data)):
        depth += 1 if bracket in b"[{" else -1
        if depth > limit:
            raise JSONProblem("too_deep", f"the JSON is nested more than {limit} deep")
