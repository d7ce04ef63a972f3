"""A provider, and an application on each framework that logs in at it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from doorkey.login import Login
from doorkey.stores import MemoryStore
from doorkey.testing import Provider, user
from doorkey.wire.flow import Flow
from tests.support.login_application import MakeSite, login_at, registered
from tests.support.login_browser import Browser
from tests.support.login_sites import SITES
from tests.support.login_stores import over
from tests.support.web_sites import Site


@pytest.fixture(scope="session")
def shared_provider() -> Iterator[Provider]:
    bob = user("bob", "builder", given_name="Bob", family_name="Example", email="bob@example.org")
    with Provider(clients=[registered()], users=[bob]) as running:
        yield running


@pytest.fixture
def provider(shared_provider: Provider) -> Provider:
    """The provider of all tests of this folder that change nothing of it but its users' sessions."""
    shared_provider.requests.clear()
    return shared_provider


@pytest.fixture(params=SITES)
def framework(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def make_site(framework: str, provider: Provider) -> Iterator[MakeSite]:
    """Return what makes an application on the framework; it is closed at the end."""
    with ExitStack() as stack:

        def make(login: Login | None = None, **options: Any) -> Site:
            used = login or login_at(provider, **options)
            site: Site = stack.enter_context(SITES[framework](used, provider.userinfo_endpoint))
            return site

        yield make


@pytest.fixture
def browser(make_site: MakeSite) -> Browser:
    """A browser at the application."""
    return Browser(make_site())


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def do(store: MemoryStore) -> Callable[[Flow[Any]], Any]:
    """Return a function that runs a flow on the store."""
    return over(store)
