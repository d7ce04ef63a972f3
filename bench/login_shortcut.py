"""The programs with `Login` that `./dev bench --login` compares with the registries."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

from bench.login_provider import CLIENT
from bench.server import Served
from doorkey.login import Login
from tests.support.login_sites import flask_app, starlette_app
from tests.support.web_browser import Browser
from tests.support.web_sites import OnASGI, OnWSGI, Site

ORIGIN: Final = "https://rp.example"

Run = Callable[..., Any]


def browser(framework: str, provider: Served, run: Run, stack: ExitStack) -> Browser | None:
    """Return a browser for a program with `Login`, which `stack` closes, or None for a framework without `Login`."""
    if framework not in PROGRAMS:
        return None
    given: dict[str, Any] = {"issuer": provider.origin, "client_id": CLIENT, "client_secret": "secret"}
    login = Login(base_url=ORIGIN, sessions="memory:", **given)
    stack.callback(run, login.aclose) if framework == "starlette" else stack.callback(login.close)
    return Browser(PROGRAMS[framework](login, provider.api, run), ORIGIN)


def _flask(login: Login, api: str, _: Run) -> Site:
    return OnWSGI(flask_app(login, api))


def _starlette(login: Login, api: str, run: Run) -> Site:
    return OnASGI(starlette_app(login, api), run)


PROGRAMS: Final[dict[str, Callable[[Login, str, Run], Site]]] = {"flask": _flask, "starlette": _starlette}
