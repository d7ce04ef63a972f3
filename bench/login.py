"""Logins and API requests of web programs, compared with Authlib: `./dev bench --login`."""

from __future__ import annotations

import asyncio
import platform
import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, Final, TypeAlias

from rich.console import Console

from bench import login_shortcut, timing
from bench.login_provider import CLIENT, METADATA
from bench.names import AUTHLIB, OURS
from bench.row import Row, exit_status, milliseconds
from bench.server import Served, serving
from bench.table import show_rows, table_of
from bench.timing import Comparison, blocking, compare, fewest_rounds
from tests.support.login_programs import Program, settings, site
from tests.support.relying_party import parameters
from tests.support.web_browser import Browser
from tests.support.web_sites import Page

Call: TypeAlias = Callable[[], None]
PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "bench-login.md"
SECONDS: Final = 12.0
CALLS: Final = 20
"""The number of calls for which connections are counted."""
NO_WORSE: Final = 1.0
FRAMEWORKS: Final = {"flask": "Flask", "starlette": "Starlette", "django": "Django"}
SHORTCUT: Final = "Login"

METHOD: Final = f"""\
A web program logs a user in with the registry of each package (`tests/support/login_programs`: one program, two
packages). The lines with `Login` are those of a program with `Login` in place of a registry. Its sessions are in
memory, and those of the registries in cookies. A login is two requests to the program: one that redirects to the
provider, and the callback, which sends the token request and verifies the ID token (ES256). An API request is one
request of a user who is logged in; the program sends one request to the API with the user's token. The programs run
in one thread of this process without a web server, so a figure per second is that of one worker. Provider and API are
another process on the same core, connected over loopback. The contenders take turns in changing order, ten calls
each. A round's figure is the median of its calls. Ratios are computed within each round, and the table has their
median with its 95 % interval. CPU is the CPU time of the program's process. Garbage collection is automatic, as in a
worker. The provider counts connections for {CALLS} calls after the first call.
"""


def main(effort: float, console: Console, *, page: bool) -> int:
    """Measure and print, and write the page if `page` is True. Return 1 if a target is not met."""
    rows: list[Row] = []
    with serving("bench.login_provider") as provider:
        for framework, title in FRAMEWORKS.items():
            rows += measure(framework, title, provider, effort)
    show_rows(rows, console)
    console.print(circumstances())
    if page:
        head = ["# Logins, measured", "", "`./dev bench --login --write` wrote this page.", circumstances()]
        PAGE.write_text("\n".join([*head, "", METHOD, *table_of(rows), ""]), encoding="utf-8")
    return exit_status(rows)


def circumstances() -> str:
    """Return the versions of Python and the packages."""
    packages = ", ".join(
        f"{name} {version(name)}" for name in ("authlib", "flask", "starlette", "django", "requests", "httpx2")
    )
    return f"Python {platform.python_version()}; {packages}."


def measure(framework: str, title: str, provider: Served, effort: float) -> list[Row]:
    """Compare the packages on one framework."""
    with contenders(framework, provider) as users:
        logins: dict[str, Call] = {
            name: partial(log_in_by_shortcut if name == SHORTCUT else log_in, user) for name, user in users.items()
        }
        calls: dict[str, Call] = {name: partial(call, user) for name, user in users.items()}
        found = {"login": _compared(logins, effort), "API request of a user": _compared(calls, effort)}
        rows = [row for what, one in found.items() for row in _rates(f"{title}: {what}", one)]
        if SHORTCUT in users:
            rows += [row for what, one in found.items() for row in _rates(f"{title}: {what}", one, SHORTCUT)]
        return [
            *rows,
            _connections(f"{title}: connections for {CALLS} logins", provider, logins),
            _connections(f"{title}: connections for {CALLS} API requests of a user", provider, calls),
        ]


@contextmanager
def contenders(framework: str, provider: Served) -> Generator[dict[str, Browser]]:
    """Start the program of each package, and yield a user's browser for each."""
    options = {
        "client_id": CLIENT,
        "client_secret": "secret",
        "server_metadata_url": provider.origin + METADATA,
        "client_kwargs": {"scope": "openid profile", "code_challenge_method": "S256"},
    }
    with settings(framework), asyncio.Runner() as runner, ExitStack() as stack:

        def run(function: Callable[..., Any], *arguments: Any) -> Any:
            return runner.run(function(*arguments))

        program = Program(options=options, api=provider.api, run=run)
        sites = {name: site(framework, program.but(package=name, tokens={})) for name in (OURS, AUTHLIB)}
        users = {name: Browser(one, program.origin) for name, one in sites.items()}
        shortcut = login_shortcut.browser(framework, provider, run, stack)
        yield users if shortcut is None else {**users, SHORTCUT: shortcut}


def log_in(user: Browser) -> None:
    """Log a user in again at a program with a registry."""
    page = _called_back(user, "")
    assert page.json["sub"] == "alice", page.text


def log_in_by_shortcut(user: Browser) -> None:
    """Log a user in again at a program with `Login`."""
    page = _called_back(user, "/auth")
    assert (page.status, page.location) == (303, "/"), page.text


def _called_back(user: Browser, prefix: str) -> Page:
    asked = parameters(user.get(f"{prefix}/login").location)
    return user.get(f"{prefix}/callback", query={"code": asked["nonce"], "state": asked["state"]})


def call(user: Browser) -> None:
    """Request the user's page, which sends a request to an API."""
    page = user.get("/api")
    assert (page.status, b'"ok"' in page.body) == (200, True), page.text


def _compared(calls: dict[str, Call], effort: float) -> Comparison:
    timed = {name: blocking(one, cpu=time.process_time) for name, one in calls.items()}
    turn = max(2, round(timing.CALLS * min(effort, 1.0)))
    return compare(timed, limit=SECONDS * effort, fewest=fewest_rounds(effort), calls=turn, collects=True)


def _rates(what: str, found: Comparison, ours: str = OURS) -> list[Row]:
    seconds, cpu = found.ratio(ours, AUTHLIB), found.cpu_ratio(ours, AUTHLIB)
    what = what if ours == OURS else f"{what}, with `{ours}`"
    rates = {name: f"{1 / median(taken):.0f}" for name, taken in found.seconds.items()}
    busy = {name: milliseconds(median(taken)) for name, taken in found.cpu.items()}
    met = seconds.value <= NO_WORSE if ours == OURS else None
    time_ratio, target = f"{seconds.value:.2f} ± {seconds.error:.2f}", f"time ≤ {NO_WORSE:.2f}" if ours == OURS else ""
    return [
        Row(f"{what}, per second and worker", rates[ours], f"{AUTHLIB} {rates[AUTHLIB]}", time_ratio, target, met),
        Row(f"{what}, CPU", busy[ours], f"{AUTHLIB} {busy[AUTHLIB]}", f"{cpu.value:.2f} ± {cpu.error:.2f}"),
    ]


def _connections(what: str, provider: Served, calls: dict[str, Call]) -> Row:
    opened: dict[str, int] = {}
    for name, one in calls.items():
        one()
        provider.connections()
        for _ in range(CALLS):
            one()
        opened[name] = provider.connections()
    return Row(what, str(opened[OURS]), f"{AUTHLIB} {opened[AUTHLIB]}", "", "0", opened[OURS] == 0)
