"""The public API is a file under review: programs may rely on the names in `tests/public_api.txt`, and on no others.

`PUBLIC` lists the documented modules. Every other module may move or change without notice (CONTRIBUTING.md).
"""

import ast
import difflib
import enum
import importlib
import inspect
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.django_project import project

SNAPSHOT = Path(__file__).with_name("public_api.txt")
REGENERATE = "DOORKEY_WRITE_SNAPSHOT=1 ./dev test tests/test_public_api.py"
HEADER = f"# The public names of doorkey and their signatures. Written by:\n# {REGENERATE}\n"


PUBLIC = (
    "doorkey",
    "doorkey.auth",
    "doorkey.client",
    *("doorkey.common.encoding", "doorkey.common.errors", "doorkey.common.security", "doorkey.common.urls"),
    "doorkey.credentials",
    "doorkey.dev",
    "doorkey.discovery",
    "doorkey.errors",
    *("doorkey.integrations.aiohttp_client", "doorkey.integrations.django_oauth2", "doorkey.integrations.flask_oauth2"),
    *("doorkey.integrations.base_client", "doorkey.integrations.base_client.errors"),
    *("doorkey.integrations.django_client", "doorkey.integrations.django_client.apps"),
    *("doorkey.integrations.flask_client", "doorkey.integrations.flask_client.apps"),
    *("doorkey.integrations.starlette_client", "doorkey.integrations.starlette_client.apps"),
    *("doorkey.integrations.httpx_client", "doorkey.integrations.httpx_client.oauth2_client"),
    "doorkey.integrations.httpx_transport",
    "doorkey.integrations.requests_client",
    *(
        "doorkey.jose",
        "doorkey.jose.encryption",
        "doorkey.jose.generation",
        "doorkey.jose.keys",
        "doorkey.jose.verification",
    ),
    *("doorkey.login", "doorkey.login.django", "doorkey.login.errors", "doorkey.login.presets"),
    "doorkey.native",
    *("doorkey.oauth2", "doorkey.oauth2.client", "doorkey.oauth2.rfc6749", "doorkey.oauth2.rfc6749.errors"),
    "doorkey.oauth2.rfc6749.wrappers",
    *("doorkey.oauth2.rfc6750", "doorkey.oauth2.rfc7523", "doorkey.oauth2.rfc7662", "doorkey.oauth2.rfc8414"),
    "doorkey.oauth2.rfc9068",
    "doorkey.observe",
    *("doorkey.oidc.core", "doorkey.oidc.discovery", "doorkey.oidc.logout"),
    *("doorkey.protocol.authorization", "doorkey.protocol.introspection", "doorkey.protocol.metadata"),
    "doorkey.registration",
    *("doorkey.resource", "doorkey.resource.on_django", "doorkey.resource.on_fastapi", "doorkey.resource.on_flask"),
    *("doorkey.resource.on_rest_framework", "doorkey.resource.on_starlette"),
    "doorkey.sources",
    *("doorkey.stores", "doorkey.stores.protocol"),
    "doorkey.testing",
    "doorkey.tokens",
    "doorkey.values",
    "doorkey.vault",
)
"""The documented modules."""


@pytest.fixture(autouse=True, scope="module")
def django_project() -> Iterator[None]:
    """Models are importable in a project that has their application."""
    with project(INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "doorkey.login.django"]):
        yield


def public_modules() -> Iterator[ModuleType]:
    for name in PUBLIC:
        yield importlib.import_module(name)


@cache
def names_of(module: ModuleType) -> list[str]:
    """What a module exports: what its `__all__` and `_CLIENTS` say, else what it defines itself."""
    if hasattr(module, "__all__"):
        return sorted({*module.__all__, *getattr(module, "_CLIENTS", ())})
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
    text = re.sub(r"<([\w.]+)[^>]*>", r"<\1>", str(inspect.signature(value)))
    text = re.sub(r"frozenset\(\{([^}]*)\}\)", in_order, text)
    return text.removesuffix(" -> 'None'")


def in_order(members: re.Match[str]) -> str:
    """A frozenset with its members sorted: their order is another one in each process."""
    return f"frozenset({{{', '.join(sorted(members[1].split(', ')))}}})"


def belongs(base: Any, kind: Any) -> bool:
    """Say whether the members of `base` are the class's own: so are those of a base without a public name."""
    return base is kind or (base.__module__.startswith("doorkey") and not is_public(base))


@cache
def is_public(kind: Any) -> bool:
    return any(exports(importlib.import_module(name), kind) for name in PUBLIC)


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


def home_of(value: Any) -> str:
    """The public path under which a class or function is described: where it is defined, else the most specific."""
    defined = f"{value.__module__}.{value.__qualname__}"
    paths = [f"{name}.{value.__name__}" for name in PUBLIC if exports(importlib.import_module(name), value)]
    return defined if value.__module__ in PUBLIC else max(paths, key=lambda path: (path.count("."), path))


def exports(module: ModuleType, value: Any) -> bool:
    return value.__name__ in names_of(module) and getattr(module, value.__name__, None) is value


def lines_of(module: ModuleType) -> Iterator[str]:
    for name in names_of(module):
        value: Any = getattr(module, name)
        path = f"{module.__name__}.{name}"
        described = inspect.isclass(value) or inspect.isfunction(value)
        if described and not value.__module__.startswith("doorkey"):
            yield f"{path}: is {value.__module__}.{value.__qualname__}"
        elif described and (home := home_of(value)) != path:
            yield f"{path}: is {home}"
        elif inspect.isclass(value):
            yield from lines_of_class(value, path)
        elif inspect.isfunction(value):
            yield f"{path}{signature_of(value)}{' async' if inspect.iscoroutinefunction(value) else ''}"
        else:
            yield f"{path}: {type(value).__name__}"


@cache
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


def test_every_default_of_a_public_signature_reads_well_in_help() -> None:
    unreadable = [
        line.partition("(")[0] for line in surface().splitlines() if re.search("= <(function|built|bound|method)", line)
    ]
    assert unreadable == []


def test_every_parameter_for_scopes_takes_text_or_tokens() -> None:
    uniform = {"str | Iterable[str]", "str | Iterable[str] | None", "Scopes"}  # Scopes: the latter, by its alias
    values = {"Scope", "Scope | None"}  # fields of tokens, which the library constructs
    other = [
        line.partition("(")[0]
        for line in surface().splitlines()
        for annotation in re.findall(r"(?<!\*)\bscopes?: '([^']*)'", line)
        if annotation not in uniform | values
    ]
    assert other == ["doorkey.login.presets.Preset: class "], "a preset is data: its scope is one text"


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
