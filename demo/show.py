"""Prints the code of each step, its result, and at the end whether all results are as expected.

It uses only the default color, bold, dim, green and red, which are readable on light and dark terminals.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from textwrap import dedent, indent
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from demo.fleet import Fleet
from demo.outcome import Fact, Step
from demo.place import Place
from doorkey.errors import OAuthError

WIDTH = 80
"""The maximum number of columns; a narrower terminal has fewer."""

NEXT = (
    ("docs/start.md", "your first program, in five minutes"),
    ("docs/which-class.md", "which class you need"),
    ("examples/", "the programs of the tutorials, to copy"),
    ("pip install '.[cli,server]'", "the command doorkey, with login and token"),
    ("doorkey dev", "then: this server, with a control page"),
    ("./dev demo --keycloak", "the same steps on a real Keycloak"),
)
"""Suggestions of what to do after the demo."""


def run_step(number: int, step: Step, place: Place, fleet: Fleet, console: Console) -> bool:
    """Run one step and print it. Return whether no result is other than expected."""
    console.print(Text(f"{number}  {step.title}", "bold"))
    console.print(Text(indent(body_of(step.does), "   ")))
    try:
        facts = step.shows(place, fleet)
    except (OAuthError, OSError, LookupError, ValueError, RuntimeError, AssertionError) as error:
        facts = [Fact(type(error).__name__, str(error), False)]  # noqa: FBT003
    table = Table.grid(padding=(0, 2))
    for fact in facts:
        # Text, so that a value is not parsed as markup
        table.add_row(_mark(fact), Text(fact.name, "dim"), Text(fact.value))
    console.print(table)
    console.print()
    return all(fact.holds is not False for fact in facts)


def summary(held: list[bool], place: Place, console: Console) -> None:
    """Print whether all steps succeeded, and suggestions of what to do next."""
    if all(held):
        console.print(Text(f"All {len(held)} steps did what they say, on {place.name}.", "green"))
    else:
        failed = ", ".join(str(number) for number, holds in enumerate(held, 1) if not holds)
        console.print(Text(f"Not as promised on {place.name}: step {failed}.", "red"))
    console.print()
    table = Table.grid(padding=(0, 2))
    for number, (name, text) in enumerate(NEXT):
        table.add_row(Text("" if number else "Next:", "bold"), Text(name), Text(text, "dim"))
    console.print(table)


def body_of(function: Callable[..., Any]) -> str:
    """Return the source of a function's statements without its docstring."""
    source = dedent(inspect.getsource(function))
    (tree,) = ast.parse(source).body
    assert isinstance(tree, ast.FunctionDef)
    first = tree.body[1] if ast.get_docstring(tree) else tree.body[0]
    lines = source.splitlines()
    start = first.lineno - 1
    return dedent("\n".join(lines[start:]))


def _mark(fact: Fact) -> Text:
    match fact.holds:
        case True:
            return Text("✓", "green")
        case False:
            return Text("✗ not as promised", "red")
        case None:
            return Text("-", "dim")
