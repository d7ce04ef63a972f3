"""Each test of this folder runs on the program of every framework (tests/support/login_programs).

`ATTACKED=authlib python -m pytest tests/login/attacks` runs it on Authlib's registries: an attack that succeeds there
shows that its test can fail.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from anyio.from_thread import BlockingPortal

from tests.login.attacks.target import Target
from tests.support import login_programs
from tests.support.fake_clock import Clock
from tests.support.hostile_server import Hostile
from tests.support.openid_provider import OpenIDProvider


@pytest.fixture(params=login_programs.FRAMEWORKS)
def framework(request: pytest.FixtureRequest) -> Iterator[str]:
    """The name of a framework, whose settings are in effect."""
    with login_programs.settings(request.param):
        yield request.param


@pytest.fixture
def provider(hostile: Hostile) -> OpenIDProvider:
    """A provider that misbehaves on demand, at the real time: programs have no other."""
    return OpenIDProvider(hostile, Clock(time.time))


@pytest.fixture
def target(framework: str, provider: OpenIDProvider, portal: BlockingPortal) -> Iterator[Target]:
    """The program under attack."""
    made = Target(framework, provider, portal, package=os.environ.get("ATTACKED", "doorkey"))
    yield made
    made.program.close()
