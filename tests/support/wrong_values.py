"""Values of every wrong kind, and the errors that they may raise: only an `OAuthError`."""

import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from doorkey.errors import OAuthError

WRONG: Final[dict[str, Any]] = {
    "None": None,
    "5": 5,
    "-1": -1,
    "True": True,
    "nan": float("nan"),
    "a huge number": 10**400,
    "no bytes": b"",
    "bytes": b"\xff",
    "no text": "",
    "a lone surrogate": "\ud800",
    "a NUL": "a\x00b",
    "a list": ["a", 5],
    "no list": [],
    "a mapping": {"a": object()},
    "no mapping": {},
    "an object": object(),
}


def parameters_of(call: Callable[..., Any]) -> list[str]:
    """Return the names of the parameters that can be given by keyword."""
    by_keyword = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [p.name for p in inspect.signature(call).parameters.values() if p.kind in by_keyword and p.name != "self"]


def failures(
    call: Callable[..., Any],
    good: dict[str, Any],
    names: Iterable[str] | None = None,
    *,
    also: tuple[type[Exception], ...] = (),
) -> Iterator[str]:
    """Call with each wrong value in place of each argument, and tell of each exception that is none of ours.

    `good` are the arguments that the call gets otherwise; `names` those to replace, by default all of its parameters.
    `also` are exceptions of other libraries, which are permitted.
    """
    for name in parameters_of(call) if names is None else names:
        for kind, value in WRONG.items():
            try:
                call(**{**good, name: value})
            except OAuthError as error:
                if not f"{error}{error!r}".encode():
                    yield f"{name} = {kind}: says nothing"
            except also:
                pass
            except Exception as error:  # noqa: BLE001  # that is what is looked for
                yield f"{name} = {kind}: {type(error).__name__}: {error}"


def refused(*failed: Iterator[str]) -> None:
    """Fail with the list of what came out that is none of our own."""
    told = [line for lines in failed for line in lines]
    assert not told, "\n".join(told)
