"""The public surface is a file under review: what `tests/public_api.txt` says is what programs may rely on.

`server/` and the inside of `dev/` are no promise yet: of these only what `doorkey.dev` exports is written down.
"""

import ast
import difflib
import enum
import importlib
import inspect
import os
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import doorkey

SNAPSHOT = Path(__file__).with_name("public_api.txt")
REGENERATE = "DOORKEY_WRITE_SNAPSHOT=1 ./dev test tests/test_public_api.py"
HEADER = f"# The public names of doorkey and their signatures. Written by:\n# {REGENERATE}\n"


def public_modules() -> Iterator[ModuleType]:
    yield doorkey
    for found in pkgutil.walk_packages(doorkey.__path__, "doorkey."):
        parts = found.name.split(".")
        inside = parts[1] == "server" or (parts[1] == "dev" and len(parts) > 2)
        if not inside and not any(part.startswith("_") for part in parts):
            yield importlib.import_module(found.name)


def names_of(module: ModuleType) -> list[str]:
    """What a module exports: what its `__all__` says, else what it defines itself."""
    if hasattr(module, "__all__"):
        return sorted(module.__all__)
    names: set[str] = set()
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return sorted(name for name in names if not name.startswith("_"))


def signature_of(value: Any) -> str:
    return re.sub(r"<([\w.]+)[^>]*>", r"<\1>", str(inspect.signature(value))).removesuffix(" -> 'None'")


def belongs(base: Any, kind: Any) -> bool:
    """Say whether the members of `base` are the class's own: so are those of a base that has no public name."""
    return base is kind or (base.__name__.startswith("_") and base.__module__.startswith("doorkey"))


def lines_of_class(kind: Any, path: str) -> Iterator[str]:
    if issubclass(kind, enum.Enum):
        yield f"{path}: enum of {', '.join(member.name for member in kind)}"
        return
    bases = ", ".join(base.__name__ for base in kind.__bases__ if base is not object)
    try:
        construction = signature_of(kind)
    except ValueError:  # what is written in C has none
        construction = "(...)"
    yield f"{path}: class({bases}) {construction}" if bases else f"{path}: class {construction}"
    members: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        if belongs(base, kind):
            members.update(vars(base))  # pyright: ignore[reportUnknownArgumentType]  # any class has a type of its own
    for name, member in sorted(members.items()):
        if name.startswith("_"):
            continue
        how = member.__class__.__name__
        if how in ("classmethod", "staticmethod"):
            yield f"{path}.{name}{signature_of(getattr(kind, name))} {how}"
        elif inspect.isfunction(member):
            yield f"{path}.{name}{signature_of(member)}{' async' if inspect.iscoroutinefunction(member) else ''}"
        else:
            yield f"{path}.{name}: {'property' if how == 'property' else 'attribute'}"


def lines_of(module: ModuleType) -> Iterator[str]:
    for name in names_of(module):
        value: Any = getattr(module, name)
        path, home = f"{module.__name__}.{name}", getattr(value, "__module__", None)
        if (inspect.isclass(value) or inspect.isfunction(value)) and (home, value.__name__) != (module.__name__, name):
            yield f"{path}: is {home}.{value.__qualname__}"
        elif inspect.isclass(value):
            yield from lines_of_class(value, path)
        elif inspect.isfunction(value):
            yield f"{path}{signature_of(value)}{' async' if inspect.iscoroutinefunction(value) else ''}"
        else:
            yield f"{path}: {type(value).__name__}"


def surface() -> str:
    return HEADER + "".join(f"{line}\n" for module in public_modules() for line in sorted(lines_of(module)))


def test_the_public_surface_is_the_one_that_was_reviewed() -> None:
    now = surface()
    if os.environ.get("DOORKEY_WRITE_SNAPSHOT") == "1":
        SNAPSHOT.write_text(now, encoding="utf-8")
    reviewed = SNAPSHOT.read_text(encoding="utf-8")
    diff = difflib.unified_diff(reviewed.splitlines(), now.splitlines(), "reviewed", "now", lineterm="", n=0)
    changed = "\n".join(diff)
    assert not changed, f"the public API has changed; where that is meant, run\n  {REGENERATE}\n{changed}"


def test_every_exported_name_is_there_and_says_what_it_is_for() -> None:
    missing = [
        f"{module.__name__}.{name}"
        for module in public_modules()
        for name in names_of(module)
        if (inspect.isclass(value := getattr(module, name)) or inspect.isfunction(value))
        and value.__module__.startswith("doorkey")
        and not inspect.getdoc(value)
    ]
    assert missing == []
