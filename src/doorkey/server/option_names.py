"""Misspelled keyword arguments: a `UsageError` that suggests the most similar name, instead of a `TypeError`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from doorkey.arguments import did_you_mean
from doorkey.errors import UsageError, printable

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


def suggests_names(what: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorate a function so that an unknown keyword raises `UsageError`. `what` names the function ("a fault")."""

    def decorated(call: Callable[P, R]) -> Callable[P, R]:
        known = [name for name in inspect.signature(call).parameters if name != "self"]

        @wraps(call)
        def checked(*args: P.args, **given: P.kwargs) -> R:
            check_names(given, known, what)
            return call(*args, **given)

        return checked

    return decorated


def check_names(given: object, known: list[str], what: str) -> None:
    """Raise `UsageError` for a key of `given` that is not `known`. Anything but a dictionary passes unchecked."""
    for name in given if isinstance(given, dict) else ():  # pyright: ignore[reportUnknownVariableType]
        if name not in known:
            shown = printable(str(name), 80)  # pyright: ignore[reportUnknownArgumentType]
            raise UsageError(f"{what} has no {shown!r}{did_you_mean(shown, known)}")


def options_checked(what: str) -> Callable[[type[T]], type[T]]:
    """Decorate a class so that an unknown keyword of its constructor raises `UsageError`. `what` names the class."""

    def decorated(kind: type[T]) -> type[T]:
        setattr(kind, "__init__", suggests_names(what)(kind.__init__))  # noqa: B010  # mypy refuses the assignment
        return kind

    return decorated
