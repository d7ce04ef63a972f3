"""Tests of clients that take `adapter` run on every client of the session family."""

from tests.support.session_fixtures import adapter

__all__ = ["adapter"]
