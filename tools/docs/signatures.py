"""Formats signatures as Python code."""

from __future__ import annotations

import inspect
import re
from typing import Any

WIDTH = 88


def signature(name: str, value: Any, *, method: bool = False) -> str:
    """Return `name(parameters) -> result`, on one line if it is short, otherwise with one parameter on each line."""
    try:
        found = inspect.signature(value)
    except (TypeError, ValueError):  # objects that are written in C have no signature
        return f"{name}(…)"
    listed = list(found.parameters.values())
    if method and listed and listed[0].name in {"self", "cls"}:
        listed = listed[1:]
    parts = _parts(listed)
    result = (
        "" if inspect.isclass(value) or found.return_annotation is found.empty else f" -> {found.return_annotation}"
    )
    prefix = "" if inspect.isclass(value) else "async def " if inspect.iscoroutinefunction(value) else "def "
    short = f"{prefix}{name}({', '.join(parts)}){_readable(result)}"
    if len(short) <= WIDTH:
        return short
    lines = "".join(f"    {part},\n" for part in parts)
    return f"{prefix}{name}(\n{lines}){_readable(result)}"


def _parts(listed: list[inspect.Parameter]) -> list[str]:
    parts: list[str] = []
    star = False
    for parameter in listed:
        if parameter.kind is parameter.VAR_POSITIONAL:
            star = True
        elif parameter.kind is parameter.KEYWORD_ONLY and not star:
            parts.append("*")
            star = True
        parts.append(_readable(str(parameter)))
    return parts


def _readable(text: str) -> str:
    """Return `text` without the quotes of postponed annotations and without addresses of objects."""
    text = re.sub(r": '((?:[^'\\]|\\.)*)'", r": \1", text)
    text = re.sub(r"-> '((?:[^'\\]|\\.)*)'", r"-> \1", text)
    return re.sub(r"<([\w.]+)[^>]*>", r"<\1>", text)


def default_of(parameter: inspect.Parameter) -> str:
    """Return the default of a parameter as code, or an empty text if the parameter is required."""
    if parameter.default is parameter.empty:
        return ""
    default: Any = parameter.default
    text = re.sub(r"<([\w.]+)[^>]*>", r"<\1>", repr(default))
    if text.startswith("frozenset({"):  # its order differs between processes
        text = f"frozenset({{{', '.join(sorted(map(repr, default)))}}})"
    return f"`{text}`"
