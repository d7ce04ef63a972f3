"""Infers the grant of a call from the keyword arguments of `fetch_token`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from doorkey.arguments import text
from doorkey.errors import UsageError
from doorkey.protocol import grants
from doorkey.values import Secret


def grant_type_of(given: str | None, parameters: Mapping[str, Any], default: str | None = None) -> str:
    """Return the grant type of a call: `given`, else authorization_code for a `code`, password for a `username` and a
    `password`, else the session's `default`, else client_credentials.

    Raises `UsageError` for a username without a password (or the reverse), and for either together with a code.
    """
    if given is not None and text(given, "grant_type"):
        return given
    account = [name for name in ("username", "password") if parameters.get(name) is not None]
    if parameters.get("code") is not None:
        if account:
            raise UsageError(
                f"code= and {account[0]}= belong to different grants: omit one of them, or give grant_type="
            )
        return "authorization_code"
    if len(account) == 2:
        return "password"
    if account and default in (None, "client_credentials"):
        raise UsageError(f"only {account[0]}= was given: the password grant needs username= and password=")
    return default or "client_credentials"


def grant_of(grant_type: str, parameters: dict[str, Any]) -> grants.Grant:
    """Return the grant, and remove its parameters from `parameters`. Extra parameters stay there.

    Raises `UsageError` for a missing or invalid parameter.
    """
    build = _BUILDERS.get(grant_type)
    return build(parameters) if build else grants.ExtensionGrant(grant_type)


def is_extension(grant_type: str) -> bool:
    """Return whether this is an extension grant for which doorkey has no class (RFC 6749 §4.5)."""
    return grant_type not in _BUILDERS


def _needed(parameters: dict[str, Any], name: str, grant_type: str) -> str:
    value = parameters.pop(name, None)
    if isinstance(value, Secret):
        value = value.reveal()
    if not isinstance(value, str) or not value:
        raise UsageError(f"the {grant_type} grant needs {name}=…")
    return value


def _optional(parameters: dict[str, Any], name: str) -> str | None:
    value = parameters.pop(name, None)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"{name} must be text")
    return value or None


def _secret(value: str | None) -> Secret | None:
    return Secret(value) if value else None


def _authorization_code(given: dict[str, Any]) -> grants.Grant:
    return grants.AuthorizationCodeGrant(
        Secret(_needed(given, "code", "authorization_code")),
        _optional(given, "redirect_uri"),
        _secret(_optional(given, "code_verifier")),
    )


def _password(given: dict[str, Any]) -> grants.Grant:
    username = _needed(given, "username", "password")
    return grants.PasswordGrant(username, Secret(_needed(given, "password", "password")))


def _client_credentials(_: dict[str, Any]) -> grants.Grant:
    return grants.ClientCredentialsGrant()


def _refresh_token(given: dict[str, Any]) -> grants.Grant:
    return grants.RefreshTokenGrant(Secret(_needed(given, "refresh_token", "refresh_token")))


def _jwt_bearer(given: dict[str, Any]) -> grants.Grant:
    return grants.JWTBearerGrant(Secret(_needed(given, "assertion", "jwt-bearer")))


def _token_exchange(given: dict[str, Any]) -> grants.Grant:
    return grants.TokenExchangeGrant(
        Secret(_needed(given, "subject_token", "token-exchange")),
        _optional(given, "subject_token_type") or grants.ACCESS_TOKEN_TYPE,
        _secret(_optional(given, "actor_token")),
        _optional(given, "actor_token_type"),
        _optional(given, "requested_token_type"),
    )


_BUILDERS: Final[Mapping[str, Callable[[dict[str, Any]], grants.Grant]]] = {
    "authorization_code": _authorization_code,
    "password": _password,
    "client_credentials": _client_credentials,
    "refresh_token": _refresh_token,
    grants.JWT_BEARER: _jwt_bearer,
    grants.TOKEN_EXCHANGE: _token_exchange,
}
