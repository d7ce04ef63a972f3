"""The settings of a login in environment variables: `DOORKEY_ISSUER` and others."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final

from doorkey.arguments import did_you_mean, mapping
from doorkey.errors import UsageError, printable
from doorkey.login.presets import PRESETS
from doorkey.login.presets.table import preset_of_environment
from doorkey.login.web.providers import LoginProvider
from doorkey.values import hides_locals
from doorkey.wire.limits import ExchangePolicy
from doorkey.wire.urls import PlainHTTPError

PREFIX: Final = "DOORKEY_"
DEFAULT_NAME: Final = "login"
"""The name of the only provider."""

_OF_A_PROVIDER: Final = ("ISSUER", "PRESET", "CLIENT_ID", "CLIENT_SECRET", "SCOPE", "HTTP_HOSTS")
_OF_A_SITE: Final = ("BASE_URL", "SESSIONS", "SECRET")
_NEAR: Final = 0.85
"""The similarity from which a name counts as a misspelling: ISSUERS of ISSUER, but not SERVER of SECRET."""


@hides_locals
def settings_of(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments of `Login` from the environment, including `providers`.

    Raises `UsageError` with the name of a missing or invalid variable.
    """
    names = _checked(environment).get(f"{PREFIX}PROVIDERS", "").split()
    if names:
        if beside := [PREFIX + option for option in _OF_A_PROVIDER if environment.get(PREFIX + option)]:
            raise UsageError(
                f"{PREFIX}PROVIDERS and {beside[0]} contradict each other: each of several providers has variables of "
                f"its own, such as {PREFIX}{names[0].upper().replace('-', '_')}_CLIENT_ID"
            )
        providers = [_provider(name, f"{PREFIX}{name.upper().replace('-', '_')}_", environment) for name in names]
    else:
        providers = [_provider(DEFAULT_NAME, PREFIX, environment)]
    return {"providers": providers, **site_settings(environment)}


@hides_locals
def site_settings(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments of `Login` from the environment, without `providers`."""
    settings: dict[str, Any] = {}
    for option in ("BASE_URL", "SESSIONS"):
        if value := environment.get(PREFIX + option):
            settings[option.lower()] = value
    if secret := environment.get(f"{PREFIX}SECRET"):
        settings["secret"] = secret.split()
    return settings


def names_a_provider(environment: Mapping[str, str]) -> bool:
    """Return whether the environment contains a provider, or a part of its registration, such as a client ID.

    Raises `UsageError` for an unknown variable whose name is almost that of a setting.
    """
    found = {name.removeprefix(PREFIX) for name, value in _checked(environment).items() if value and _has_prefix(name)}
    if not found.isdisjoint((*_OF_A_PROVIDER, "PROVIDERS")):
        return True
    for name in sorted(found.difference(_OF_A_SITE)):
        if near := get_close_matches(name, (*_OF_A_PROVIDER, *_OF_A_SITE, "PROVIDERS"), 1, _NEAR):
            raise UsageError(
                f"{PREFIX}{printable(name, 40)} is not a setting of a login: did you mean {PREFIX}{near[0]}?"
            )
    return False


def _has_prefix(name: object) -> bool:
    return isinstance(name, str) and name.startswith(PREFIX)


def _checked(environment: object) -> Mapping[str, str]:
    variables = mapping(environment, "the environment")
    if not all(isinstance(value, str) for value in variables.values()):
        raise UsageError("the environment must be a mapping from names to text")
    return variables


def _provider(name: str, prefix: str, environment: Mapping[str, str]) -> LoginProvider:
    found = {option: environment.get(prefix + option) or None for option in _OF_A_PROVIDER}
    if found["ISSUER"] is not None and found["PRESET"] is not None:
        raise UsageError(f"{prefix}ISSUER and {prefix}PRESET contradict each other: a preset has its issuer; set one")
    preset = found["PRESET"] or (name if found["ISSUER"] is None and name in PRESETS else None)
    if preset is not None and preset not in PRESETS:
        known = f"; there are {', '.join(PRESETS)}"
        raise UsageError(f"{prefix}PRESET is not the name of a preset{did_you_mean(preset, PRESETS, known)}")
    if found["ISSUER"] is None and preset is None:
        raise UsageError(f"set {prefix}ISSUER, the issuer of the provider, or {prefix}PRESET, such as google")
    client_id = found["CLIENT_ID"]
    if client_id is None:
        raise UsageError(f"set {prefix}CLIENT_ID, under which this application is registered at the provider")
    given = {"issuer": found["ISSUER"], "scope": found["SCOPE"]}
    options: dict[str, Any] = {option: value for option, value in given.items() if value is not None}
    if found["HTTP_HOSTS"] is not None:
        options["exchange"] = ExchangePolicy(http_hosts=found["HTTP_HOSTS"].split())
    known_provider = None if preset is None else preset_of_environment(preset, f"{prefix}PRESET_", environment)
    try:
        return LoginProvider(name, client_id, found["CLIENT_SECRET"], preset=known_provider, **options)
    except PlainHTTPError:  # its advice is for Python code
        raise UsageError(
            f"{prefix}ISSUER must be https: plain http is for loopback only. For a host of your own network, such as a "
            f"container of a compose file, name it in {prefix}HTTP_HOSTS"
        ) from None
