"""Tests that take `adapter` run on every client of the session family."""

from collections.abc import Iterator

import pytest
import requests

from tests.support.session_fixtures import adapter

__all__ = ["adapter"]


@pytest.fixture
def http() -> Iterator[requests.Session]:
    """A client of the embedded provider that no environment changes."""
    with requests.Session() as session:
        session.trust_env = False
        yield session
