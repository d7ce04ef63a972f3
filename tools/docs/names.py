"""The public names, and the page of the reference that describes each of them."""

from __future__ import annotations

import ast
import importlib
import inspect
from functools import cache
from types import ModuleType
from typing import Any

from tests.support.django_project import project
from tests.test_public_api import PUBLIC, belongs, home_of, names_of

__all__ = ["PUBLIC", "home_of", "is_public", "link_of", "members_of", "modules", "names_of", "page_of", "summary"]


@cache
def modules() -> dict[str, ModuleType]:
    """Return the public modules by name."""
    with project(INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "doorkey.login.django"]):
        found = {name: importlib.import_module(name) for name in PUBLIC}
        for module in found.values():
            for name in names_of(module):  # import lazy names here, because Django's models need this configuration
                getattr(module, name)
        return found


def page_of(module: str) -> str:
    """Return the file name of a module's page, in the folder reference/."""
    return f"{module}.md"


@cache
def _links() -> dict[str, str]:
    """Return the page and anchor by full name, and by the last part of the name if it is unique."""
    links: dict[str, str] = {}
    short: dict[str, set[str]] = {}
    for module in modules().values():
        links[module.__name__] = page_of(module.__name__)
        for name in names_of(module):
            value: Any = getattr(module, name)
            if not (inspect.isclass(value) or inspect.isfunction(value)) or not value.__module__.startswith("doorkey"):
                continue
            home = home_of(value)
            owner = home.rpartition(".")[0]
            target = f"{page_of(owner)}#{home}" if owner in PUBLIC else page_of(module.__name__)
            links[f"{module.__name__}.{name}"] = target
            short.setdefault(name, set()).add(target)
    return {name: targets.copy().pop() for name, targets in short.items() if len(targets) == 1} | links


def is_public(value: Any) -> bool:
    """Return whether a public module exports this class or function."""
    found = modules().values()
    return any(value.__name__ in names_of(one) and getattr(one, value.__name__) is value for one in found)


def link_of(name: str) -> str | None:
    """Return the link to a public name for pages of the reference, or None."""
    return _links().get(name)


def members_of(kind: Any) -> dict[str, Any]:
    """Return the public members of a class, in the order of the source."""
    found: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        if belongs(base, kind):
            members: dict[str, Any] = dict(vars(base))  # pyright: ignore[reportUnknownArgumentType]  # any class has a type of its own
            found |= {name: member for name, member in members.items() if not name.startswith("_")}
    return found


def summary(value: object) -> str:
    """Return the first paragraph of a docstring as one line."""
    return (inspect.getdoc(value) or "").split("\n\n")[0].replace("\n", " ")


@cache
def notes(module: str) -> dict[str, str]:
    """Return the docstring below each assignment in a module and its classes, by `NAME` and `Class.name`."""
    found: dict[str, str] = {}

    def read(body: list[ast.stmt], prefix: str) -> None:
        for node, after in zip(body, [*body[1:], ast.Pass()], strict=True):
            if isinstance(node, ast.ClassDef):
                read(node.body, f"{node.name}.")
            text = _text_of(after)
            for target in node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]:
                if isinstance(target, ast.Name) and text:
                    found[prefix + target.id] = text

    read(ast.parse(inspect.getsource(importlib.import_module(module))).body, "")
    return found


def _text_of(node: ast.stmt) -> str:
    """Return the text of a statement that is only a string, or an empty text."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return inspect.cleandoc(node.value.value)
    return ""
