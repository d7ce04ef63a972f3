"""Checks of arguments: each raises a `UsageError` that names the expected value and the type of the given value.

Public functions check their arguments first, so the code behind them does not check again. No message contains the
value, because it may be a secret. For the same reason, each check deletes the value before it raises: error collectors
show the local variables of frames.

In these functions, `what` is the name of the argument in the message. `expected` is the beginning of the message, which
states the valid values.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeGuard, TypeVar, cast

from doorkey.errors import UsageError

__all__: list[str] = []

T = TypeVar("T")

_NONE_WRONG: Final = object()

LATEST: Final = 1e12
"""The maximum of a time in seconds: the year 33000. Without it, an integer could have any number of digits."""


def text(value: object, what: str) -> str:
    """Return `value` if it is text. Raises `UsageError` for anything else."""
    if isinstance(value, str):
        return value
    error = _wrong_type(f"{what} must be text", value)
    del value
    raise error


def encodable(value: str) -> bool:
    """Return whether `value` can be encoded as UTF-8: it has no lone surrogate."""
    return not any("\ud800" <= c <= "\udfff" for c in value)


def texts(value: object, what: str) -> tuple[str, ...]:
    """Return a text, or an iterable of texts, as a tuple. Raises `UsageError` for anything else."""
    if isinstance(value, str):
        return (value,)
    expected = f"{what} must be text, or a list of texts"
    several = _several(value)
    wrong = value if several is None else next((item for item in several if not isinstance(item, str)), _NONE_WRONG)
    if wrong is _NONE_WRONG:
        return cast("tuple[str, ...]", several)
    error = _wrong_type(expected, wrong)
    del value, several, wrong
    raise error


def members(value: object, expected: str) -> tuple[Any, ...]:
    """Return the items of a list, tuple or other iterable. Raises `UsageError` for anything else, also for text."""
    several = _several(value)
    if several is not None:
        return several
    error = _wrong_type(expected, value)
    del value
    raise error


def _several(value: object) -> tuple[Any, ...] | None:
    """Return the items of an iterable. Return None for text, bytes, a mapping and a value that is not iterable."""
    if isinstance(value, str | bytes | bytearray | Mapping) or not isinstance(value, Iterable):
        return None
    return tuple(value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # of any type


def seconds(value: object, what: str, *, least: float = 0.0, most: float = LATEST) -> float:
    """Return a number of seconds from `least` to `most`. Raises `UsageError` for anything else, also for NaN."""
    if isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most and value < LATEST:
        return float(value)
    del value
    raise UsageError(
        f"{what} must be a number of seconds"
        + (f", {least:g} or more" if least > -LATEST else "")
        + (f" and at most {most:g}" if most < LATEST else "")
    )


def count(value: object, what: str, *, least: int = 1, most: float = LATEST) -> int:
    """Return a whole number from `least` to `most`. Raises `UsageError` for anything else."""
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
        return value
    del value
    raise UsageError(
        f"{what} must be a whole number, {least} or more" + (f" and at most {most}" if most < LATEST else "")
    )


def nonempty_text(value: object, what: str) -> str:
    """Return a text that can be a name. Raises `UsageError` if it is empty or cannot be encoded as UTF-8."""
    if isinstance(value, str) and value and encodable(value):
        return value
    expected = f"{what} must be text that is not empty and has no lone surrogate"
    error = UsageError(expected) if isinstance(value, str) else _wrong_type(f"{what} must be text", value)
    del value
    raise error


def each(value: object, kind: type[T], expected: str) -> tuple[T, ...]:
    """Return an iterable of instances of `kind` as a tuple. Raises `UsageError` for anything else."""
    several = _several(value)
    wrong = value if several is None else next((item for item in several if not isinstance(item, kind)), _NONE_WRONG)
    if wrong is _NONE_WRONG:
        return cast("tuple[T, ...]", several)
    error = _wrong_type(expected, wrong)
    del value, several, wrong
    raise error


def mapping(value: object, what: str) -> Mapping[str, Any]:
    """Return `value` if it is a mapping. Raises `UsageError` for anything else."""
    if isinstance(value, Mapping):
        return cast("Mapping[str, Any]", value)
    error = _wrong_type(f"{what} must be a mapping", value)
    del value
    raise error


def function(value: object, expected: str) -> None:
    """Raise `UsageError` unless `value` is callable."""
    if not callable(value):
        error = _wrong_type(expected, value)
        del value
        raise error


def accepts(call: object, keywords: Iterable[Iterable[str]], expected: str) -> None:
    """Raise `UsageError` unless `call` accepts one positional argument with each set of `keywords`.

    A callable without a signature that Python can inspect, such as some builtins, is accepted.
    """
    try:
        signature = inspect.signature(cast("Any", call))
    except (TypeError, ValueError):
        return
    for names in keywords:
        try:
            signature.bind(None, **dict.fromkeys(names))
        except TypeError:
            given = ", ".join(signature.parameters)  # only names, because a default may be a secret
            raise UsageError(f"{expected}, and not one with the parameters ({given})") from None


def blocking(value: object, expected: str) -> None:
    """Raise `UsageError` unless `value` is callable and is not a coroutine function."""
    if not callable(value):
        error = _wrong_type(expected, value)
        del value
        raise error
    if awaits(value):
        raise UsageError(f"{expected}, and not a coroutine function: use the asynchronous twin of this class for that")


def awaits(call: object) -> bool:
    """Return whether `call` is a coroutine function, or an object whose `__call__` is one."""
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__call__", None))  # noqa: B004


def clock(value: object, expected: str = "clock must be a callable that returns seconds since the epoch") -> None:
    """Raise `UsageError` unless `value` is a callable that returns a time.

    The clock is called once here, so that its result needs no check at each use. A clock that raises is accepted: the
    error belongs to the program, and the next use of the clock raises it.
    """
    if not callable(value) or awaits(value):
        error = _wrong_type(expected, value)
        del value
        raise error
    try:
        now: object = value()
    except Exception:  # noqa: BLE001  # a clock that fails now may work later
        return
    if not _is_number(now) or not -LATEST < now < LATEST:
        raise UsageError(f"{expected}, and not {type(now).__name__}" + (" out of range" if _is_number(now) else ""))


def share(value: object, what: str) -> float:
    """Return a number from 0 to 1. Raises `UsageError` for anything else."""
    if not _is_number(value) or not 0 <= value <= 1:
        del value
        raise UsageError(f"{what} must be a number from 0 to 1")
    return float(value)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def instance(value: object, kind: type[T], expected: str) -> T:
    """Return `value` if it is an instance of `kind`. Raises `UsageError` for anything else."""
    if isinstance(value, kind):
        return value
    error = _wrong_type(expected, value)
    del value
    raise error


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """Return the end of a message about an unknown `name`: the most similar of the `known` names, or `otherwise`."""
    from difflib import get_close_matches

    near = get_close_matches(name, list(known), 1)
    return f": did you mean {near[0]!r}?" if near else otherwise


def _wrong_type(expected: str, value: object) -> UsageError:
    return UsageError(f"{expected}, not {type(value).__name__}")


def error_statuses(given: Iterable[object], name: str) -> frozenset[int]:
    """Return HTTP error statuses (400 to 599) as a set. Raises `UsageError` for anything but an iterable of them."""
    try:
        statuses = frozenset[object](given)
    except TypeError:
        raise _no_statuses(name) from None
    found = frozenset(status for status in statuses if isinstance(status, int) and 400 <= status <= 599)
    if len(found) != len(statuses):
        raise _no_statuses(name)
    return found


def _no_statuses(name: str) -> UsageError:
    return UsageError(f"{name} must be HTTP statuses from 400 to 599, for instance (401, 403)")


def flag(given: object, name: str) -> bool:
    """Return `given` if it is True or False. Raises `UsageError` for anything else."""
    return instance(given, bool, f"{name} must be True or False")
