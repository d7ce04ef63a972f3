"""The options of one registration: from `OAuth.register`, the client class and the settings of the framework."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Self, cast

from doorkey.arguments import function, mapping, members, text
from doorkey.errors import UsageError
from doorkey.login.registry.names import (
    CALLABLES,
    CLIENT_KWARGS,
    OPTIONS,
    registration_name,
    unknown_client_kwargs,
    unknown_options,
)
from doorkey.values import hides_locals

_MAPPINGS: Final = ("client_kwargs", "request_token_params", "access_token_params", "refresh_token_params")
_TEXTS: Final = (
    *("client_id", "request_token_url", "access_token_url", "refresh_token_url", "authorize_url", "api_base_url"),
    *("server_metadata_url", "user_agent", "code_challenge_method"),
)


def _empty() -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryOptions:
    """The validated options of one registration. `metadata` holds server metadata and sets no option of a client.

    `hints` are the messages about unknown names, for warnings. `client_kwargs` and `metadata` are copies.
    """

    name: str
    client_id: str | None = None
    client_secret: Any = field(default=None, repr=False)
    request_token_url: str | None = None
    request_token_params: Mapping[str, Any] = field(default_factory=_empty, repr=False)
    access_token_url: str | None = None
    access_token_params: Mapping[str, Any] = field(default_factory=_empty, repr=False)
    refresh_token_url: str | None = None
    refresh_token_params: Mapping[str, Any] = field(default_factory=_empty, repr=False)
    authorize_url: str | None = None
    authorize_params: Mapping[str, Any] = field(default_factory=_empty, repr=False)
    api_base_url: str | None = None
    client_kwargs: Mapping[str, Any] = field(default_factory=_empty, repr=False)
    server_metadata_url: str | None = None
    code_challenge_method: str | None = None
    token_endpoint_auth_method: Any = None
    user_agent: str | None = None
    fetch_token: Any = None
    update_token: Any = None
    compliance_fix: Any = None
    userinfo_compliance_fix: Any = None
    client_cls: Any = None
    client_auth_methods: tuple[Any, ...] = field(default=(), repr=False)
    metadata: Mapping[str, Any] = field(default_factory=_empty, repr=False)
    hints: tuple[str, ...] = ()

    @classmethod
    @hides_locals
    def of(
        cls,
        name: object,
        given: Mapping[str, Any],
        settings: Mapping[str, Any] | None = None,
        *,
        overwrite: bool = False,
    ) -> Self:
        """Return the options of the registration `name`.

        name: text, or an enum member.
        given: the options of `register(name, **given)`; those of `client_cls.OAUTH_APP_CONFIG` are their defaults.
        settings: options that the settings of the framework contain for this name.
        overwrite: settings take precedence over `given`; by default, `given` takes precedence. None means no value.

        Raises `UsageError` for a value of the wrong type.
        """
        own = {**_defaults_of(given.get("client_cls")), **{k: v for k, v in given.items() if v is not None}}
        for option, value in mapping(settings or {}, "the settings of a registration").items():
            if value is not None and (option not in own or (overwrite and value)):
                own[option] = _joined(own.get(option), value)
        known = {option: _checked(option, own[option]) for option in own if option in OPTIONS}
        hints = [*unknown_options(own), *unknown_client_kwargs(known.get("client_kwargs", ()))]
        metadata = {option: value for option, value in own.items() if option not in OPTIONS}
        return cls(name=registration_name(name), **known, metadata=metadata, hints=tuple(hints))

    @property
    def is_oauth1(self) -> bool:
        """Whether this is the registration of an OAuth 1 provider (RFC 5849)."""
        return self.request_token_url is not None


def known_client_kwargs(client_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a client in `client_kwargs`, without the names that caused a warning."""
    return {name: value for name, value in client_kwargs.items() if name in CLIENT_KWARGS}


def _defaults_of(client_cls: object) -> Mapping[str, Any]:
    config: object = getattr(client_cls, "OAUTH_APP_CONFIG", None)
    given = mapping(config or {}, "OAUTH_APP_CONFIG")
    return {name: value for name, value in given.items() if value is not None}


def _joined(before: object, value: object) -> object:
    """Return the setting `value`. If both values are mappings, merge them."""
    if isinstance(before, Mapping) and isinstance(value, Mapping):
        return {**cast("Mapping[str, Any]", before), **cast("Mapping[str, Any]", value)}
    return value


def _checked(option: str, value: Any) -> Any:
    if option in _TEXTS:
        return text(value, option)
    if option in _MAPPINGS:
        return dict(mapping(value, option))
    if option == "authorize_params":
        return _parameters(value)
    if option in CALLABLES:
        function(value, f"{option} must be a callable")
    elif option == "client_cls" and not isinstance(value, type):
        raise UsageError("client_cls must be a client class of this framework, or a subclass of it")
    elif option == "client_auth_methods":
        return members(value, "client_auth_methods are client authentication methods, in a list")
    return value


def _parameters(value: Any) -> dict[str, Any]:
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, Any]", value))
    pairs = members(value, "authorize_params must be a mapping, or pairs")
    try:
        return dict(pairs)
    except (TypeError, ValueError):
        raise UsageError("authorize_params must be a mapping, or pairs of a name and a value") from None


FIELDS: Final = tuple(one.name for one in fields(RegistryOptions) if one.name not in ("name", "metadata", "hints"))
"""The options of `OAuth.register`: every field that is not derived from them."""
