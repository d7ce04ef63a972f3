"""Each test of this folder that takes `adapter` runs on all five, against a provider in this process."""

import pytest

from tests.support.every_adapter import Adapter
from tests.support.fake_clock import Clock
from tests.support.hostile_server import Hostile
from tests.support.openid_provider import OpenIDProvider
from tests.support.relying_party import RelyingParty
from tests.support.session_fixtures import adapter

__all__ = ["adapter"]


@pytest.fixture
def provider(hostile: Hostile, clock: Clock) -> OpenIDProvider:
    """A provider that misbehaves on demand."""
    return OpenIDProvider(hostile, clock)


@pytest.fixture
def party(adapter: Adapter, provider: OpenIDProvider) -> RelyingParty:
    """A relying party on each adapter."""
    return RelyingParty(adapter, provider)
