"""The fixtures for real servers: `keycloak`, `oidc_provider`, `django_oauth`, `redis_server`, `redis6`, `postgres`, …

They are started when first asked for. `./dev test` runs several Pythons at the same time, which share Keycloak:
it needs 20 seconds of CPU to start.

One that cannot be started here skips its tests with the reason and the way to get it, and the end of the
run says so; with DOORKEY_REQUIRE_SERVERS=1 it fails them. Under pytest-xdist all workers share the same
servers.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import pytest

from tests.servers.handle import RealServer
from tests.servers.process import Unavailable
from tests.servers.programs import CHROMIUM, FISH, TMUX, ZSH
from tests.servers.running import SharedServers

SHARED = pytest.StashKey[SharedServers]()
"""The servers of this run of pytest."""
OF_ALL_RUNS = pytest.StashKey[SharedServers]()
"""The servers of all runs of `./dev test`, which makes their folder and stops them (DOORKEY_SERVERS=<pid>:<folder>)."""
EXPENSIVE = ("keycloak",)
"""The servers that all runs share. On a database, some tests change the rows of others."""
FIXTURES = {
    "keycloak": "keycloak",
    "oidc_provider": "oidc-provider",
    "django_oauth": "django-oauth-toolkit",
    "redis_server": "redis",
    "redis6": "redis6",
    "valkey": "valkey",
    "postgres": "postgres",
    "mariadb": "mariadb",
    "mysql": "mysql",
}
"""The server of each fixture. Each yields a `RealServer`, whose `origin` is the URL of a database.

The modules of tests/servers describe their realms, users and clients.
"""
PROGRAMS = {"browser_process": CHROMIUM.name, "tmux": TMUX.name, "zsh": ZSH.name, "fish": FISH.name}
"""What else has to be installed for a fixture."""


def servers_of(item: pytest.Item) -> set[str]:
    """Return the names of the real servers that a test needs, from its fixtures and its parameters.

    A test that chooses its server at run time has a parameter that names the server or its fixture.
    """
    if not isinstance(item, pytest.Function):
        return set()
    parameters: dict[str, object] = item.callspec.params if hasattr(item, "callspec") else {}
    known = {**FIXTURES, **PROGRAMS}
    found = {known[name] for name in (*item.fixturenames, str(parameters.get("fixture"))) if name in known}
    if item.get_closest_marker("real_server"):
        named = {str(getattr(value, "name", value)) for value in parameters.values()}
        found |= {FIXTURES.get(name, name) for name in named} & set(FIXTURES.values())
    return found


def unavailable(name: str, why: object) -> NoReturn:
    """Skip the test that needs `name`, or fail it with DOORKEY_REQUIRE_SERVERS=1."""
    text = f"{name} is not available: {why}"
    if os.environ.get("DOORKEY_REQUIRE_SERVERS") == "1":
        pytest.fail(text, pytrace=False)
    pytest.skip(text)


def _get(name: str, config: pytest.Config) -> RealServer:
    try:
        return config.stash[OF_ALL_RUNS if name in EXPENSIVE else SHARED].get(name)
    except Unavailable as error:
        unavailable(name, error)


def _fixture(server: str) -> Any:
    @pytest.fixture(scope="session")
    def started(pytestconfig: pytest.Config) -> RealServer:
        return _get(server, pytestconfig)

    return started


globals().update({name: _fixture(server) for name, server in FIXTURES.items()})


def pytest_addoption(parser: pytest.Parser) -> None:
    """`./dev test` asks which servers to install before it runs the tests."""
    parser.addoption("--write-servers", metavar="FILE", help="write the names of the servers that the tests need")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`-m "not real_server"` selects the tests that need no server.

    One worker of pytest-xdist runs all tests of django-oauth-toolkit: it names the last login of the user, on any
    session, as the time of the authentication, so a login of another worker's test would change that of this one.
    One worker runs all tests in a browser, which takes a second to start, and one those in tmux, which share a server.
    """
    for item in items:
        found = servers_of(item)
        if found:
            item.add_marker(pytest.mark.real_server)
        if FIXTURES["django_oauth"] in found:
            item.add_marker(pytest.mark.xdist_group(FIXTURES["django_oauth"]))
        if CHROMIUM.name in found:
            item.add_marker(pytest.mark.xdist_group(CHROMIUM.name))
        elif TMUX.name in found:
            item.add_marker(pytest.mark.xdist_group(TMUX.name))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write the servers of the selected tests."""
    if file := session.config.getoption("--write-servers"):
        Path(file).write_text("\n".join(sorted(set[str]().union(*map(servers_of, session.items)))), "utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Make the folder with the data of the run's servers. A worker of pytest-xdist uses that of its controller."""
    told: dict[str, Any] | None = getattr(config, "workerinput", None)
    if told is None:
        config.stash[SHARED] = SharedServers(Path(tempfile.mkdtemp(prefix="doorkey-servers-")), os.getpid())
    else:
        config.stash[SHARED] = SharedServers(Path(told["servers"]), int(told["servers_owner"]))
    owner, _, folder = os.environ.get("DOORKEY_SERVERS", "").partition(":")
    config.stash[OF_ALL_RUNS] = SharedServers(Path(folder), int(owner)) if folder else config.stash[SHARED]


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker, before it starts (a hook of pytest-xdist)."""
    shared = node.config.stash[SHARED]
    node.workerinput["servers"] = str(shared.folder)
    node.workerinput["servers_owner"] = shared.owner


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """List the servers that were not available at the end of the output."""
    for name, why in {**config.stash[SHARED].unavailable(), **config.stash[OF_ALL_RUNS].unavailable()}.items():
        terminalreporter.write_line(f"not available: {name}: {why}", yellow=True)


def pytest_unconfigure(config: pytest.Config) -> None:
    """The process that made the folder stops the servers."""
    shared = config.stash.get(SHARED, None)
    if shared is not None and not hasattr(config, "workerinput"):
        shared.stop()
        shutil.rmtree(shared.folder, ignore_errors=True)
