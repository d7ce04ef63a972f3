"""A line about how often a token was asked for."""

from __future__ import annotations

from collections.abc import Mapping

from bench.row import Row


def row(what: str, asked: Mapping[str, str]) -> Row:
    """Compare ours with each peer; the target is 1. A peer's errors are beside its count."""
    peers = "; ".join(f"{name} {count}" for name, count in asked.items() if name != "doorkey")
    return Row(f"token requests: {what}", asked["doorkey"], peers, "", "1", asked["doorkey"] == "1")
