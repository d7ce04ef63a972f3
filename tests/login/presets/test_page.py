"""The table of docs/logins/providers.md is that of the presets."""

from __future__ import annotations

from pathlib import Path

from doorkey.login.presets.table import ROWS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "logins" / "providers.md"
HEAD = ("| preset | parameters | scope | what differs |", "|---|---|---|---|")


def lines() -> list[str]:
    """The table, one line for each preset."""
    found = [*HEAD]
    for row in ROWS.values():
        names = [f"`{name}`" + (" (optional)" if name in row.optional else "") for name in row.all_parameters]
        cells = [f"[{row.label}]({row.source}): `{row.name}`", ", ".join(names), f"`{row.scope}`", row.note]
        found.append("| " + " | ".join(cells).replace("|  |", "| |").rstrip() + " |")
    return found


def test_the_page_has_the_table_of_the_presets() -> None:
    shown = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("|")]
    assert shown == lines(), "\n".join(lines())
