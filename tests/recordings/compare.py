"""The differences between a recorded answer and another one, as lines that a person can read.

differences(recorded()["password grant"], run("password grant", realm), allowed=["headers.pragma"])
"""

import json
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, cast

RECORDED = Path(__file__).with_name("keycloak.json")


def recorded() -> dict[str, dict[str, Any]]:
    """Every recorded answer, by the scenario's name."""
    answers: dict[str, dict[str, Any]] = json.loads(RECORDED.read_text())["answers"]
    return answers


def differences(expected: Any, seen: Any, allowed: Iterable[str] = ()) -> list[str]:
    """One line for each difference; none where a pattern of `allowed` matches its path, like `body.error`."""
    patterns = list(allowed)
    return [
        f"{path}: expected {_shown(left)}, got {_shown(right)}"
        for path, left, right in _walk("", expected, seen)
        if not any(fnmatchcase(path, pattern) for pattern in patterns)
    ]


MISSING = object()


def _walk(path: str, expected: object, seen: object) -> Iterator[tuple[str, object, object]]:
    left, right = _members(expected), _members(seen)
    if left is not None and right is not None:
        for name in sorted({*left, *right}):
            inner = f"{path}.{name}" if path else name
            yield from _walk(inner, left.get(name, MISSING), right.get(name, MISSING))
    elif _shown(expected) != _shown(seen):  # as texts, because to Python 1 is True
        yield path, expected, seen


def _members(value: object) -> dict[str, object] | None:
    return cast("dict[str, object]", value) if isinstance(value, dict) else None


def _shown(value: object) -> str:
    return "nothing" if value is MISSING else json.dumps(value, sort_keys=True)
