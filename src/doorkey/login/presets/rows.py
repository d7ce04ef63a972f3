"""The class for the rows of the preset table, and the checks of their parameters."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias
from urllib.parse import quote

from doorkey.arguments import did_you_mean, text
from doorkey.errors import UsageError, printable
from doorkey.wire.urls import check_endpoint

Check: TypeAlias = Callable[[str, object], str]
"""``(name, value)`` returns the valid value, ready for use in a URL. Raises `UsageError`."""

_HOST: Final = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")
_TENANT: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_POOL: Final = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]+_[A-Za-z0-9]{1,55}")
TENANT_GROUPS: Final = ("common", "organizations", "consumers")


def host(name: str, value: object) -> str:
    """Return the name of a host, such as ``example.eu.auth0.com``."""
    given = text(value, name)
    if not _HOST.fullmatch(given):
        raise UsageError(f'{name} must be the name of a host, such as "login.example.com", without https:// or a path')
    return given


def segment(name: str, value: object) -> str:
    """Return one segment of a path, percent-encoded."""
    given = text(value, name)
    if not given or given in (".", "..") or not given.isprintable() or "/" in given or "\\" in given:
        raise UsageError(f"{name} must be a name without a slash, not {printable(given, 40)!r}")
    return quote(given, safe="")


def base_url(name: str, value: object) -> str:
    """Return the URL of a server, without a slash at its end."""
    given = check_endpoint(text(value, name), name)
    if "?" in given:
        raise UsageError(f"the {name} must not have a query")
    return given.rstrip("/")


def tenant(name: str, value: object) -> str:
    """Return the ID of a tenant of Microsoft Entra, or the name of a group of tenants."""
    given = text(value, name)
    if given not in TENANT_GROUPS and not _TENANT.fullmatch(given):
        raise UsageError(
            f"{name} must be the ID of a directory (a UUID in lower case), or one of {', '.join(TENANT_GROUPS)}: a "
            "domain name is not accepted, because ID tokens name the ID"
        )
    return given


def user_pool(name: str, value: object) -> str:
    """Return the ID of a user pool of Amazon Cognito, such as ``eu-west-1_aBcDeFgHi``."""
    given = text(value, name)
    if not _POOL.fullmatch(given):
        raise UsageError(f'{name} must be the ID of a user pool, such as "eu-west-1_aBcDeFgHi"')
    return given


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the table: the documented facts about a provider. ``{name}`` in a URL stands for a parameter.

    name, label, source, scope, note: as in `Preset`.
    issuer: the issuer; "" for plain OAuth 2.
    identity_issuer: as in `Preset`; "": the issuer.
    parameters: the parameters that a program gives, and how each is checked.
    defaults: the values of parameters that may be absent; None if the parameter may have no value.
    endpoints: URLs by their names in metadata. A URL is omitted if one of its parameters has no value.
    more: further fields of `Preset`.
    build: returns further fields of `Preset`, from all parameters.
    build_parameters, build_optional: the required and the optional parameters that only `build` takes.
    several: the parameters that accept several values.
    """

    name: str
    label: str
    source: str
    scope: str
    issuer: str = ""
    identity_issuer: str = ""
    parameters: Mapping[str, Check] = field(default_factory=dict[str, Check])
    defaults: Mapping[str, str | None] = field(default_factory=dict[str, "str | None"])
    endpoints: Mapping[str, str] = field(default_factory=dict[str, str])
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])
    build: Callable[..., Mapping[str, Any]] | None = None
    build_parameters: tuple[str, ...] = ()
    build_optional: tuple[str, ...] = ()
    several: tuple[str, ...] = ()
    note: str = ""

    @property
    def all_parameters(self) -> tuple[str, ...]:
        """The names of all parameters."""
        return (*self.parameters, *self.build_parameters, *self.build_optional)

    @property
    def optional(self) -> frozenset[str]:
        """The names of the parameters that a program may omit."""
        return frozenset({*self.defaults, *self.build_optional})

    def values(self, given: Mapping[str, Any]) -> dict[str, str]:
        """Return the checked values of the parameters that are part of URLs. Raises `UsageError`."""
        for name in given:
            if name not in self.all_parameters:
                known = f": it has {', '.join(self.all_parameters) or 'none'}"
                hint = did_you_mean(name, self.all_parameters, known)
                raise UsageError(f"the preset {self.name} has no parameter {printable(name, 40)!r}{hint}")
        values: dict[str, str] = {}
        for name, check in self.parameters.items():
            value = given.get(name, self.defaults.get(name))
            if value is not None:
                values[name] = check(name, value)
            elif name not in self.defaults:
                raise UsageError(f"the preset {self.name} needs {name}=")
        return values
