"""A line of the table with the number of token requests."""

from __future__ import annotations

from collections.abc import Mapping

from bench.row import Row


def row(what: str, asked: Mapping[str, str]) -> Row:
    """Return the row that compares doorkey with each peer; the target is 1. A peer's count may include its errors."""
    peers = "; ".join(f"{name} {count}" for name, count in asked.items() if name != "doorkey")
    return Row(f"token requests: {what}", asked["doorkey"], peers, "", "1", asked["doorkey"] == "1")
