"""A program of this folder as a web site in this process: its text with a package's name, and its configuration."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from anyio.from_thread import BlockingPortal

from tests.support.django_project import project
from tests.support.web_sites import OnASGI, OnWSGI, Site

HERE = Path(__file__).parent
FRAMEWORKS = ("flask", "django", "starlette", "fastapi")
HOST = "https://rp.example"


@contextmanager
def site_of(
    framework: str, package: str, settings: Mapping[str, str], portal: BlockingPortal, **names: Any
) -> Generator[Site]:
    """Run the program of a `framework` with the registries of a `package`; `names` are defined before its first line.

    settings: client IDs and secrets, for example `GOOGLE_CLIENT_ID`.
    """
    text = (HERE / f"{framework}.txt").read_text("utf-8").replace("authlib", package)
    module = ModuleType(f"documented_{framework}")
    vars(module).update(names, SETTINGS=settings)

    def run() -> ModuleType:
        exec(compile(text, f"{framework}.txt", "exec"), vars(module))  # noqa: S102  # the program under test
        return module

    if framework != "django":
        program = run()
        yield OnWSGI(program.app) if framework == "flask" else OnASGI(program.app, portal.call)
        if "aclose" in dir(program.oauth.__class__):
            portal.call(program.oauth.aclose)
        return
    clients: dict[str, dict[str, str]] = {}
    for setting, value in settings.items():
        name, _, option = setting.lower().partition("_")
        clients.setdefault(name, {})[option] = value
    with project(
        MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware"],
        SECRET_KEY="of the session cookie",
        SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
        SESSION_SERIALIZER="django.contrib.sessions.serializers.JSONSerializer",
        ROOT_URLCONF=(),
        AUTHLIB_OAUTH_CLIENTS=clients,
    ):
        from django.core.handlers.wsgi import WSGIHandler
        from django.test import override_settings

        program = run()
        with override_settings(ROOT_URLCONF=tuple(program.urlpatterns)):
            yield OnWSGI(WSGIHandler())
        program.token_update.disconnect(program.on_token_update)
