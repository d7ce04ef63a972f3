"""Tests of the exchange that take `adapter` run on every client of the session family."""

from tests.support.session_fixtures import adapter, authority, embedded, names, server, site

__all__ = ["adapter", "authority", "embedded", "names", "server", "site"]
