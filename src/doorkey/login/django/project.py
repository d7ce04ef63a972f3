"""The login of a Django project, created from its settings: `DOORKEY_LOGIN`, or else the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from inspect import Parameter, signature
from typing import Any, Final, cast

from django.conf import settings
from django.shortcuts import resolve_url
from django.urls import NoReverseMatch, get_script_prefix, reverse

from doorkey.arguments import did_you_mean, flag, instance, mapping, text, texts
from doorkey.errors import UsageError
from doorkey.login.django.store import DjangoStore
from doorkey.login.web.keys import LEAST
from doorkey.login.web.login import Login
from doorkey.login.web.providers import LoginProvider
from doorkey.login.web.user import User

_OF_USERS: Final = ("create_users", "groups", "groups_claim")
_OF_A_PROVIDER: Final = ("client_id", "issuer", "preset", "metadata")


@dataclass(frozen=True, slots=True, kw_only=True)
class UserOptions:
    """The options by which logins create users of the project.

    create_users: create a user at the first login of an identity. False: only existing identities may log in.
    groups: the names of the project's groups by the values of the claim.
    groups_claim: the name of the claim with the groups. Several names are the path of a nested claim.
    """

    create_users: bool = True
    groups: Mapping[str, str] = field(default_factory=dict[str, str])
    groups_claim: tuple[str, ...] = ("groups",)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> UserOptions:
        """Return the options in a setting. Raises `UsageError`."""
        groups = mapping(given.get("groups", {}), "groups")
        for value, name in groups.items():
            text(value, "a value of the claim in groups")
            text(name, "the name of a group in groups")
        claim = texts(given.get("groups_claim", "groups"), "groups_claim")
        return cls(
            create_users=flag(given.get("create_users", True), "create_users"), groups=groups, groups_claim=claim
        )


@dataclass(frozen=True, slots=True)
class ProjectLogin:
    """The login of a project."""

    login: Login
    users: UserOptions

    def user_of(self, identifier: str) -> User | None:
        """Return the user of the session with this ID, or None. Raises `StoreError`."""
        backend = self.login.blocking.backend
        backend.do(backend.prepared())
        session = backend.do(backend.sessions.load(identifier, backend.clock()))
        return None if session is None else User(session, identifier, backend)

    def end(self, identifier: str) -> None:
        """End the session with this ID. Raises `StoreError`."""
        backend = self.login.blocking.backend
        session = backend.do(backend.sessions.load(identifier, backend.clock()))
        if session is not None:
            backend.do(backend.forget(backend.do(backend.sessions.end(identifier, session))))


def login_of_settings() -> ProjectLogin:
    """Return the login that the settings configure. Raises `UsageError`."""
    given: object = getattr(settings, "DOORKEY_LOGIN", None)
    if isinstance(given, Login):
        return ProjectLogin(given, UserOptions())
    options = dict(mapping({} if given is None else given, "the setting DOORKEY_LOGIN"))
    users = UserOptions.of({name: options.pop(name) for name in _OF_USERS if name in options})
    defaults: dict[str, Any] = {
        "sessions": DjangoStore(),
        "secret": _secrets(),
        "prefix": _prefix(),
        "after_login": _path(settings.LOGIN_REDIRECT_URL, "/accounts/profile/"),
        "after_logout": _path(settings.LOGOUT_REDIRECT_URL, None),
    }
    make: Callable[..., Login] = Login
    has_one = any(options.get(name) for name in _OF_A_PROVIDER)
    if not has_one:
        _refuse_options_of_a_provider(options)
    if not has_one and not options.get("providers"):
        make = Login.dev if settings.DEBUG else Login.from_env
    variables = {name: os.environ.get(f"DOORKEY_{name.upper()}") for name in ("base_url", "sessions", "secret")}
    defaults |= {name: value.split() if name == "secret" else value for name, value in variables.items() if value}
    providers = _providers(options.pop("providers", ()))
    return ProjectLogin(make(*providers, **{**defaults, **options}), users)


def _refuse_options_of_a_provider(options: Mapping[str, Any]) -> None:
    """Raise `UsageError` for an option that `Login` does not have, if there is no provider to which it could belong."""
    own = [name for name, one in signature(Login).parameters.items() if one.kind is Parameter.KEYWORD_ONLY]
    for name in sorted(options.keys() - {*own, "providers"}):
        meant = did_you_mean(name, [*own, *_OF_USERS, *_OF_A_PROVIDER])
        raise UsageError(
            f"{name} in DOORKEY_LOGIN is an unknown option, or an option of a provider, which also needs issuer and "
            f"client_id{meant}"
        )


def _providers(given: Any) -> tuple[LoginProvider, ...]:
    """Return the providers, which may be given as `LoginProvider`, or as options by name."""
    if isinstance(given, Mapping):
        several = cast("Mapping[str, Any]", given)
        return tuple(
            LoginProvider(name, **mapping(options, f"the provider {name}")) for name, options in several.items()
        )
    return tuple(instance(one, LoginProvider, "providers are options by name, or LoginProvider") for one in given)


def _secrets() -> list[str]:
    found = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    if any(len(text(one, "SECRET_KEY")) < LEAST for one in found):
        raise UsageError(
            f"SECRET_KEY must have at least {LEAST} random characters, because it encrypts cookies and records"
        )
    return found


def _prefix() -> str:
    """Return the path at which the project has included the routes, without the script prefix of the project."""
    try:
        path = reverse("doorkey_login:login")
    except NoReverseMatch:
        raise UsageError('add path("auth/", include("doorkey.login.django.urls")) to the urlpatterns') from None
    return path.removeprefix(get_script_prefix().rstrip("/")).removesuffix("/login")


def _path(url: object, default: str | None) -> str:
    """Return the path for a setting that is a path or the name of a URL; "/" for Django's own `default`."""
    return "/" if url is None or url == default else str(resolve_url(cast("str", url)))
