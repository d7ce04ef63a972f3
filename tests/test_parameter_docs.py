"""Every parameter of the public API is explained: in the docstring, or in one that the docstring names in backticks.

Every default reads well in `help()`.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest

from tests.support.django_project import project
from tests.test_public_api import PUBLIC, belongs, home_of, names_of
from tools.docs.docstrings import parameters
from tools.docs.names import notes

REFERENCE = re.compile(r"`([A-Za-z_][\w.]*)`")
"""A name in backticks, whose docstring may explain the parameters instead."""


@pytest.fixture(autouse=True, scope="module")
def django_project() -> Iterator[None]:
    """Models are importable in a project that has their application."""
    with project(INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "doorkey.login.django"]):
        yield


def public_callables() -> Iterator[tuple[str, Any, Any]]:
    """Yield the path of each public class, function and method, the object, and the class of a method."""
    for module in map(importlib.import_module, PUBLIC):
        for name in names_of(module):
            value: Any = getattr(module, name)
            if not (inspect.isclass(value) or inspect.isfunction(value)):
                continue
            path = f"{module.__name__}.{name}"
            if not value.__module__.startswith("doorkey") or home_of(value) != path:
                continue
            yield path, value, None
            if inspect.isclass(value):
                yield from methods_of(value, path)


def methods_of(kind: type[Any], path: str) -> Iterator[tuple[str, Any, Any]]:
    members: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        if belongs(base, kind):
            members.update(vars(base))
    for name, member in members.items():
        function = unbound(member)
        if not name.startswith("_") and inspect.isfunction(function):
            yield f"{path}.{name}", function, kind


def unbound(member: Any) -> Any:
    return inspect.unwrap(member) if type(member) in (classmethod, staticmethod) else member


def parameters_of(value: Any) -> list[str]:
    try:
        signature = inspect.signature(value)
    except ValueError:  # what is written in C has none
        return []
    variable = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    names = [name for name, parameter in signature.parameters.items() if parameter.kind not in variable]
    return [name for name in names if name not in ("self", "cls") and not name.startswith("_")]


@cache
def documentation_of(value: Any) -> str:
    """Return the docstring; that of a class has the docstrings of its constructor, its bases and its fields too."""
    own = inspect.getdoc(value) or ""
    if not inspect.isclass(value):
        return own
    ours = [base for base in value.__mro__ if base.__module__.startswith("doorkey")]
    texts = [own, *(inspect.getdoc(base) or "" for base in ours)]
    texts += [inspect.getdoc(vars(base)["__init__"]) or "" for base in ours if "__init__" in vars(base)]
    return "\n".join([*texts, *(line for base in ours for line in fields_of(base))])


def fields_of(kind: type[Any]) -> Iterator[str]:
    """Yield a line for each field of a class that has a docstring below it."""
    for path, text in notes(kind.__module__).items():
        owner, _, name = path.rpartition(".")
        if owner == kind.__name__:
            yield f"{name}: {text}"


def explains(text: str, name: str) -> bool:
    """Return whether a docstring has a line for a parameter, alone or with others, or names it in a sentence.

    The lines of requests, in the docstrings of its own methods, begin with `:param`.
    """
    return name in parameters(text) or re.search(rf"`{name}[=`]|:param {name}:", text) is not None


def referred(text: str, value: Any, kind: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the objects of doorkey that a docstring names in backticks."""
    for path in REFERENCE.findall(text):
        for start in (kind, *bases_of(value), sys.modules[value.__module__], *map(sys.modules.get, PUBLIC)):
            found: Any = start
            parts = path.split(".")
            if path.startswith("doorkey."):
                module = next((m for m in sorted(PUBLIC, key=len, reverse=True) if path.startswith(f"{m}.")), "doorkey")
                found, parts = sys.modules[module], path.removeprefix(f"{module}.").split(".")
            owner = None
            for part in parts:
                owner, found = found, member_of(found, part)
            if inspect.isclass(found) or inspect.isfunction(found):
                yield found, owner if inspect.isclass(owner) else None
                break


def member_of(owner: Any, name: str) -> Any:
    if inspect.ismodule(owner):  # which may import the name now
        return getattr(owner, name, None)
    return unbound(inspect.getattr_static(owner, name, None))


def bases_of(value: Any) -> tuple[Any, ...]:
    return value.__mro__ if inspect.isclass(value) else ()


def is_explained(name: str, value: Any, kind: Any, *, depth: int = 3) -> bool:
    text = documentation_of(value)
    if explains(text, name):
        return True
    return depth > 0 and any(
        is_explained(name, other, owner, depth=depth - 1) for other, owner in referred(text, value, kind)
    )


def is_of_httpx(value: Any) -> bool:
    """Return whether a method is one of httpx2's own with another signature: its parameters are explained there."""
    return "`httpx2.request`" in documentation_of(value)


def test_every_parameter_of_the_public_api_is_explained() -> None:
    missing = {
        path: names
        for path, value, kind in public_callables()
        if not is_of_httpx(value)
        and (names := [name for name in parameters_of(value) if not is_explained(name, value, kind)])
    }
    assert missing == {}


def unreadable_defaults_of(value: Any) -> list[str]:
    """Return the parameters whose default is shown as an address or as the sentinel of a dataclass."""
    try:
        parameters = inspect.signature(value).parameters.values()
    except ValueError:  # what is written in C has none
        return []
    return [one.name for one in parameters if re.search(r" at 0x|<factory>", repr(one.default))]


def test_no_default_of_the_public_api_is_shown_as_an_address_or_a_factory() -> None:
    unreadable = {path: names for path, value, _ in public_callables() if (names := unreadable_defaults_of(value))}
    assert unreadable == {}


def test_an_unreadable_default_is_found() -> None:
    @dataclass
    class Made:
        first: dict[str, str] = field(default_factory=dict[str, str])
        second: object = object()
        third: int = 3

    assert unreadable_defaults_of(Made) == ["first", "second"]


def test_a_parameter_without_a_line_is_found() -> None:
    def function(first: int, second: int, third: int) -> None:
        """Do it with `first`.

        second, other: numbers.
        """

    assert [name for name in parameters_of(function) if not is_explained(name, function, None)] == ["third"]
