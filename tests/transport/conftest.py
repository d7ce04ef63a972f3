"""Tests of the exchange that take `adapter` run on every client of the session family."""

from tests.sessions.conftest import (
    adapter,
    authority,
    client_keys,
    clock,
    embedded,
    embedded_clock,
    hostile,
    names,
    portal,
    provider,
    running_provider,
    server,
    site,
)

__all__ = [
    "adapter",
    "authority",
    "client_keys",
    "clock",
    "embedded",
    "embedded_clock",
    "hostile",
    "names",
    "portal",
    "provider",
    "running_provider",
    "server",
    "site",
]
