"""A registry of each framework, at a provider that misbehaves on demand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from anyio.from_thread import BlockingPortal

from tests.support.fake_clock import Clock
from tests.support.hostile_server import Hostile
from tests.support.openid_provider import OpenIDProvider
from tests.support.registries import FRAMEWORKS, World, settings_of


@pytest.fixture
def provider(hostile: Hostile) -> OpenIDProvider:
    """A provider at the real time: programs have no other."""
    return OpenIDProvider(hostile, Clock(time.time))


@pytest.fixture(params=FRAMEWORKS)
def framework(request: pytest.FixtureRequest) -> Iterator[str]:
    with settings_of(request.param):
        yield request.param


@pytest.fixture
def another(framework: str, provider: OpenIDProvider, portal: BlockingPortal) -> Iterator[Callable[[], World]]:
    """Makes further processes of the same application."""
    made: list[World] = []

    def make() -> World:
        made.append(World(framework, provider, portal))
        return made[-1]

    yield make
    for world in made:
        world.close()


@pytest.fixture
def world(another: Callable[[], World]) -> World:
    """An application of one framework, its registry, and the provider."""
    return another()
