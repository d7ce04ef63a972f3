"""Printing: the code of a step, what came of it, and at the end whether all of it is as promised."""

from __future__ import annotations

import inspect
from textwrap import dedent

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from demo.outcome import Fact, Step
from demo.place import Place
from doorkey.errors import OAuthError


def run_step(number: int, step: Step, place: Place, console: Console) -> bool:
    """Print one step while it runs; return whether everything in it holds."""
    console.rule(f"[bold]{number}  {step.title}", align="left")
    console.print(Syntax(dedent(inspect.getsource(step.does)), "python", background_color="default", word_wrap=True))
    try:
        facts = step.shows(place)
    except (OAuthError, OSError, LookupError, ValueError, RuntimeError) as error:
        facts = [Fact(type(error).__name__, str(error), False)]  # noqa: FBT003
    table = Table.grid(padding=(0, 2))
    for fact in facts:
        # Text, because a value is not markup
        mark = Text("✓", "green") if fact.holds else Text("✗ not as promised", "red")
        table.add_row(Text(fact.name, "cyan"), Text(fact.value), mark)
    console.print(table)
    console.print()
    return all(fact.holds for fact in facts)


def summary(held: list[bool], place: Place, console: Console) -> None:
    """Print the last line."""
    if all(held):
        console.print(f"[green]All {len(held)} steps did what they say, on {place.name}.")
    else:
        failed = ", ".join(str(number) for number, holds in enumerate(held, 1) if not holds)
        console.print(f"[red]Not as promised on {place.name}: step {failed}.")
