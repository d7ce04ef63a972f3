"""A provider for each test, and a client for it that ignores the environment (proxies, netrc)."""

from collections.abc import Iterator

import pytest
import requests

from doorkey.dev import Provider


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


@pytest.fixture
def http() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session
