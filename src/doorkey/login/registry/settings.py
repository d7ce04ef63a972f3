"""Options of a registration in the settings of Flask and Starlette (`NAME_CLIENT_ID`) and of Django (a mapping)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from doorkey.arguments import mapping
from doorkey.errors import UsageError
from doorkey.login.registry.names import SETTINGS

DJANGO_SETTINGS: Final = ("DOORKEY_OAUTH_CLIENTS", "AUTHLIB_OAUTH_CLIENTS")
"""The settings of Django that hold registrations by name; the first one that is defined is used."""


def prefixed_settings(name: str, look_up: Callable[[str], Any]) -> dict[str, Any]:
    """Return the options of the registration `name` among flat settings, for instance ``GOOGLE_CLIENT_ID``.

    look_up: returns the value of a setting by its name, or None if it is not defined.
    """
    found = {option: look_up(f"{name}_{option}".upper()) for option in SETTINGS}
    return {option: value for option, value in found.items() if value is not None}


def config_settings(name: str, config: Any) -> dict[str, Any]:
    """Return the options of the registration `name` in `config`: a mapping, Starlette's `Config`, or None (no options).

    Raises `UsageError` for anything else.
    """
    if config is None:
        return {}
    if isinstance(config, Mapping):
        return prefixed_settings(name, cast("Mapping[str, Any]", config).get)
    get: object = getattr(config, "get", None)
    if not callable(get):
        raise UsageError(f"config must be a mapping or Starlette's Config, not {type(config).__name__}")
    return prefixed_settings(name, lambda setting: get(setting, default=None))


def django_settings(name: str, settings: object) -> dict[str, Any]:
    """Return the options of the registration `name` in Django's `settings`, by `DJANGO_SETTINGS`.

    Raises `UsageError` if the setting, or its entry for this name, is not a mapping.
    """
    for setting in DJANGO_SETTINGS:
        registrations: object = getattr(settings, setting, None)
        if registrations is not None:
            options = mapping(registrations, setting).get(name)
            return {} if options is None else dict(mapping(options, f"{setting}[{name!r}]"))
    return {}
