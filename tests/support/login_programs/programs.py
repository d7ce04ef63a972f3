"""What the programs of all frameworks share."""

from __future__ import annotations

import secrets
from collections.abc import Callable, MutableMapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import Any

from tests.support.web_sites import Site

FRAMEWORKS = ("flask", "starlette", "django")
NAME = "op"
"""The name under which the programs register their client."""
SECRET = "of the session cookie"


def settings(framework: str) -> AbstractContextManager[None]:
    """Return the context in which the sites of a framework run."""
    if framework != "django":
        return nullcontext()
    found: AbstractContextManager[None] = import_module("tests.support.login_programs.django_program").settings()
    return found


@dataclass(frozen=True, kw_only=True)
class Program:
    """What a program is configured with. Its processes share `tokens` and `cache`, as they would a database."""

    package: str = "doorkey"
    options: dict[str, Any]
    """The options of `register`."""
    api: str
    """The URL of an API that takes the user's access token."""
    origin: str = "https://rp.example"
    """Where the program is, as its users' browsers see it."""
    secret: str = SECRET
    """The secret of the framework's session cookie."""
    same_site: str = "Lax"
    """`SameSite` of the framework's session cookie."""
    cache: Any = None
    tokens: MutableMapping[str, Any] = field(default_factory=dict[str, Any])
    """The tokens of all users, by a random key that the user's session has."""
    opened: list[Any] = field(default_factory=list[Any])
    """The registries of all processes."""
    run: Callable[..., Any] | None = None
    """Runs coroutines: `run(function, *arguments)`. Starlette's program needs it."""

    @property
    def callback(self) -> str:
        return f"{self.origin}/callback"

    @property
    def logged_out(self) -> str:
        return f"{self.origin}/logged-out"

    def module(self, framework: str) -> Any:
        """Return the registries' module of the package."""
        return import_module(f"{self.package}.integrations.{framework}_client")

    def keep(self, token: Any) -> str:
        """Keep the token of a user, and return its key."""
        key = secrets.token_urlsafe(8)
        self.tokens[key] = token
        return key

    def close(self) -> None:
        """Close the connections of the registries whose event loop goes on; Authlib's keep none."""
        for oauth in self.opened:
            if self.run is not None and "aclose" in dir(oauth.__class__):
                self.run(oauth.aclose)

    def updated(self, token: Any, refresh_token: str | None) -> None:
        """Replace the token that a refresh replaced."""
        for key, kept in list(self.tokens.items()):
            if refresh_token and kept.get("refresh_token") == refresh_token:
                self.tokens[key] = {**kept, **token}

    def but(self, **changed: Any) -> Program:
        """Return the same program with another configuration: after a deployment, for example."""
        return replace(self, **changed)


def site(framework: str, program: Program) -> Site:
    """Return a new process of the program."""
    made: Site = import_module(f"tests.support.login_programs.{framework}_program").site(program)
    return made


def success(key: str, token: Any) -> dict[str, Any]:
    """Return what `/callback` answers after a login."""
    userinfo: dict[str, Any] = token.get("userinfo") or {}
    return {"user": key, "sub": userinfo.get("sub"), "access_token": token["access_token"]}


def outcome(error: Exception, kind: type[Exception]) -> tuple[dict[str, Any], int]:
    """Return what a program answers for an error: 400 for an error of the class that programs catch, else 500."""
    if not isinstance(error, kind):
        return {"crash": type(error).__name__, "text": str(error)}, 500
    kinds = [each.__name__ for each in type(error).__mro__]
    return {
        "error": type(error).__name__,
        "kinds": kinds,
        "code": getattr(error, "error", None),
        "text": str(error),
    }, 400


def aged(session: MutableMapping[str, Any], seconds: float) -> None:
    """Make the pending logins in a session older."""
    for key in [key for key, _ in session.items() if key.startswith("_state_")]:
        session[key] = {**session[key], "exp": session[key]["exp"] - seconds}
