"""The API reference: one page for each public module, generated from its signatures and docstrings."""

from __future__ import annotations

import enum
import inspect
from types import ModuleType
from typing import Any

from tools.docs.docstrings import markdown, prose, table
from tools.docs.names import home_of, link_of, members_of, modules, names_of, notes, page_of, summary
from tools.docs.signatures import signature

FOLDER = "reference/"


def pages() -> dict[str, str]:
    """Return the page of each public module and the page that lists them, by path."""
    found = {FOLDER + page_of(name): module_page(module) for name, module in modules().items()}
    return {f"{FOLDER}index.md": index(), **found}


def navigation() -> list[tuple[str, str]]:
    """Return the titles and paths of the pages."""
    return [
        ("All modules", f"{FOLDER}index.md"),
        *((name.removeprefix("doorkey."), FOLDER + page_of(name)) for name in modules()),
    ]


def index() -> str:
    """Return the list of the public modules."""
    rows = [(f"[`{name}`]({page_of(name)})", prose(summary(module), link_of)) for name, module in modules().items()]
    head = (
        "# API reference\n\nThese modules are public. Programs may rely only on the names that their pages list. The "
        "page of [`doorkey`](doorkey.md) has the names that most programs import.\n\n"
    )
    return head + table(("module", "purpose"), rows)


def module_page(module: ModuleType) -> str:
    """Return the page of a module."""
    elsewhere: list[tuple[str, ...]] = []
    here: list[str] = []
    for name in names_of(module):
        value: Any = getattr(module, name)
        path = f"{module.__name__}.{name}"
        if inspect.ismodule(value):
            continue
        if not (inspect.isclass(value) or inspect.isfunction(value)):
            here.append(_constant(module, name, path))
        elif not value.__module__.startswith("doorkey"):
            elsewhere.append((f"`{name}`", f"`{value.__module__}.{value.__qualname__}`", summary(value)))
        elif (home := home_of(value)) != path:
            target = link_of(home) or link_of(path)
            shown = f"[`{home}`]({target})" if target and "#" in target else f"`{home}`"
            elsewhere.append((f"`{name}`", shown, prose(summary(value), link_of)))
        elif inspect.isclass(value):
            here.append(_class(name, path, value))
        else:
            here.append(_function(name, path, value, "##"))
    parts = [f"# {module.__name__}\n", markdown(inspect.getdoc(module) or "", link_of)]
    if elsewhere:
        parts += ["## Names that are defined elsewhere\n" if here else "", table(("name", "is", "purpose"), elsewhere)]
    return "\n".join([*parts, *here])


def _heading(level: str, text: str, anchor: str) -> str:
    return f"{level} {text} {{ #{anchor} }}\n"


def _code(text: str) -> str:
    return f"``` {{ .python .signature }}\n{text}\n```\n"


def _function(name: str, path: str, value: Any, level: str, *, method: bool = False) -> str:
    shown = name.rpartition(".")[2]
    doc = markdown(inspect.getdoc(value) or "", link_of)
    return "\n".join([_heading(level, f"`{name}`", path), _code(signature(shown, value, method=method)), doc])


def _constant(module: ModuleType, name: str, path: str) -> str:
    note = notes(module.__name__).get(name, "")
    value: Any = getattr(module, name)
    kind = type(value).__name__
    text = f"`{kind}`" if not isinstance(value, str | int | float | frozenset) else f"`{value!r}`"
    shown = f"Value: {text}" if len(text) < 120 else f"A value of the type `{kind}`."
    return "\n".join([_heading("##", f"`{name}`", path), shown + "\n", markdown(note, link_of)])


def _class(name: str, path: str, kind: Any) -> str:
    parts = [_heading("##", f"`{name}`", path)]
    doc = markdown(inspect.getdoc(kind) or "", link_of)
    if issubclass(kind, enum.Enum):
        return "\n".join([*parts, doc, "Members: " + ", ".join(f"`{one.name}`" for one in kind) + ".\n"])
    bases = [shown for base in kind.__bases__ if base is not object and (shown := _linked(base))]
    parts += [_code(f"class {signature(name, kind)}"), doc]
    if bases:
        parts.append(f"Bases: {', '.join(bases)}\n")
    rows: list[tuple[str, ...]] = []
    methods: list[str] = []
    for member, value in members_of(kind).items():
        function: Any = getattr(value, "__func__", value)
        if inspect.isfunction(function):
            methods.append(_function(f"{name}.{member}", f"{path}.{member}", function, "###", method=True))
        elif isinstance(value, property):
            rows.append((f"`{member}`", prose(summary(value), link_of)))
        elif member in _fields(kind) or _note(kind, member):
            rows.append((f"`{member}`", prose(_note(kind, member), link_of)))
    if rows:
        parts.append(table(("attribute", "meaning"), rows))
    return "\n".join([*parts, *methods])


def _fields(kind: Any) -> set[str]:
    return set(getattr(kind, "__dataclass_fields__", ()))


def _note(kind: Any, member: str) -> str:
    for base in kind.__mro__:
        if base.__module__.startswith("doorkey") and (text := notes(base.__module__).get(f"{base.__name__}.{member}")):
            return text
    return ""


def _linked(base: Any) -> str:
    full = f"{base.__module__}.{base.__qualname__}"
    target = link_of(full) or (link_of(base.__name__) if base.__module__.startswith("doorkey") else None)
    if base.__module__.startswith("doorkey"):
        return f"[`{base.__name__}`]({target})" if target else ""
    return f"`{full}`"
