"""The pytest plugin. Its entry point makes pytest import this module in every run, so it imports nothing slow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from doorkey.testing.issuer import LocalIssuer
    from doorkey.testing.provider import Provider


@pytest.fixture
def doorkey_provider_options() -> Mapping[str, Any]:
    """The options of `doorkey_provider`. Override this fixture in a test module, class or folder."""
    return {}


@pytest.fixture
def doorkey_provider(doorkey_provider_options: Mapping[str, Any]) -> Iterator[Provider]:
    """A new provider. At its end, it fails the test if a fault was never triggered."""
    from doorkey.testing.provider import Provider

    with Provider(**doorkey_provider_options) as provider:
        yield provider


@pytest.fixture
def doorkey_issuer() -> LocalIssuer:
    """A new issuer that needs no network."""
    from doorkey.testing.issuer import LocalIssuer

    return LocalIssuer()
