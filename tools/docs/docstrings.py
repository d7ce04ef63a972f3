"""Converts docstrings to Markdown, and finds the text of each parameter in them."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Mapping

PARAMETER = re.compile(r"^([a-z_]\w*(?:(?:, | \(or )\w+\)?)*): (.*)$")
"""A line `name: text`, `name, other: text` or `name (or alias): text`; indented lines continue it."""
CODE = re.compile(r"(``.+?``|`[^`\n]+`)", re.DOTALL)
NAME = re.compile(r"`([A-Za-z_][\w.]*)(\(\))?`")

Linker = Callable[[str], str | None]
"""Returns the link of a public name, or None."""


def parameters(doc: str) -> dict[str, str]:
    """Return the text of each parameter that the docstring describes on a line of its own."""
    found: dict[str, str] = {}
    current: list[str] = []
    for line in doc.splitlines():
        if match := PARAMETER.match(line):
            current = re.findall(r"\w+", match[1].replace("(or ", ""))
            found |= dict.fromkeys(current, match[2])
        elif current and line.startswith(" "):
            for name in current:
                found[name] += " " + line.strip()
        else:
            current = []
    return found


def about(doc: str, name: str) -> str:
    """Return the text of a parameter that the docstring describes on a line of its own, or an empty text."""
    return parameters(doc).get(name, "")


def markdown(doc: str, link: Linker, indent: str = "") -> str:
    """Return the docstring as Markdown: parameters as a list, drawings as code, public names as links."""
    lines: list[str] = []
    for block in re.split(r"\n\s*\n", doc):
        inside = textwrap.dedent(block).strip("\n")
        if block.startswith("    ") or re.search(r"[├└│]", block):
            lines += ["```text", inside, "```", ""]
        else:
            lines += [*_block(block, link), ""]
    return textwrap.indent("\n".join(lines).rstrip() + "\n", indent)


def _block(block: str, link: Linker) -> list[str]:
    out: list[str] = []
    in_list = False
    for line in block.splitlines():
        if match := PARAMETER.match(line):
            if out and not in_list:
                out.append("")
            names = ", ".join(f"`{name}`" for name in re.findall(r"\w+", match[1].replace("(or ", "")))
            out.append(f"- {names}: {prose(match[2], link)}")
            in_list = True
        elif in_list and line.startswith(" "):
            out.append("  " + prose(line.strip(), link))
        else:
            if in_list:
                out.append("")
            in_list = False
            out.append(prose(line, link))
    return out


def prose(text: str, link: Linker) -> str:
    """Return running text as Markdown. Characters of markup are escaped outside of code."""
    parts = CODE.split(text)
    return "".join(_linked(part, link) if index % 2 else _escaped(part) for index, part in enumerate(parts))


def _escaped(text: str) -> str:
    return re.sub(r"([*<\[\]])|(?<!\w)(_)|(_)(?!\w)", lambda one: "\\" + one[0], text).replace("\\<", "&lt;")


def _linked(code: str, link: Linker) -> str:
    match = NAME.fullmatch(code)
    target = link(match[1]) if match else None
    return f"[{code}]({target})" if target else code


def cell(text: str) -> str:
    """Return text for a cell of a table. `|` is escaped outside of code."""
    parts = CODE.split(" ".join(text.split()))
    return "".join(part if index % 2 else part.replace("|", "\\|") for index, part in enumerate(parts))


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table of Markdown."""
    lines: list[tuple[str, ...]] = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(map(cell, line))} |\n" for line in lines)


def described(name: str, docs: Mapping[str, str] | list[str]) -> str:
    """Return the text of a parameter in the first of several docstrings that describes it, or an empty text."""
    texts = docs.values() if isinstance(docs, Mapping) else docs
    return next((text for doc in texts if (text := about(doc, name))), "")
