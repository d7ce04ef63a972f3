"""Realms, clients and users from a small TOML file.

    [realms.master]                       # times in seconds; each key defaults to the realm's value
    access_token_lifetime = 60
    session_idle = 1800
    session_max = 36000
    code_lifetime = 60
    rotate_refresh_tokens = false         # true: a refresh token works once; default of a new realm: for public clients
    signing_alg = "RS256"                 # PS256, ES256, ES384, ES512 or EdDSA
    rfc9068 = false                       # true: access tokens of RFC 9068 instead of Keycloak's
    acr_values = ["1"]                    # the authentication contexts that a login can reach on request
    failed_logins = 10                    # failures in a row that block an account; the second half cause delays
    login_block = 900                     # for which an account is blocked
    device_code_lifetime = 600            # of a login on another device
    device_interval = 5                   # between two polls of a device
    [realms.master.trusted_issuers."https://robots.example"]
    keys = []                             # the public keys of an issuer whose assertions are accepted

    [server]
    public_url = "https://login.example"  # URL by which clients and browsers reach it; needed with --host 0.0.0.0
    host_names = ["keycloak"]             # other host names by which programs reach it, such as that of its container
    trusted_proxies = ["10.0.0.0/8"]      # proxies whose X-Forwarded-For contains the caller's address
    registration = true                   # clients may register themselves; default: only on loopback
    initial_access_token = "for-developers"   # the token that a registration must present; default: none

    [[clients]]
    client_id = "my-app"
    client_name = "My application"        # the name that users see, with the ID
    secret = "my-app-secret"              # without it: a public client, which must use PKCE
    auth_methods = ["client_secret_basic", "client_secret_post"]
    grants = ["authorization_code", "refresh_token", "password", "client_credentials"]
    redirect_uris = ["http://127.0.0.1/*"]
    post_logout_redirect_uris = ["http://127.0.0.1:9499/cb"]   # compared exactly
    web_origins = ["http://localhost:5173"]   # origins whose scripts may use it (CORS); default: those of redirect_uris
    response_types = ["code"]             # more: "id_token", "code id_token token", …
    optional_scopes = ["scope-1"]
    audiences = { profile = "client-1" }  # tokens with this scope are also for client-1, which may exchange them
    require_consent = false               # true: each user must consent to the scopes that it requests
    require_pkce = false                  # more grants: urn:ietf:params:oauth:grant-type:token-exchange and
                                          # urn:ietf:params:oauth:grant-type:jwt-bearer
    jwks = { keys = [] }                  # its public keys: for private_key_jwt, and for encryption to the client
    id_token_signed_response_alg = "ES256"
    id_token_encrypted_response_alg = "ECDH-ES"
    id_token_encrypted_response_enc = "A128GCM"
    userinfo_signed_response_alg = "ES256"
    userinfo_encrypted_response_alg = "ECDH-ES"
    userinfo_encrypted_response_enc = "A128GCM"
    introspection_signed_response_alg = "ES256"
    backchannel_logout_uri = "http://127.0.0.1:9499/backchannel"
    frontchannel_logout_uri = "http://127.0.0.1:9499/frontchannel"
    frontchannel_logout_session_required = true
    access_token_claims = { tenant = "t-1" }   # added to its access tokens
    id_token_claims = {}                  # added to its ID tokens
    userinfo_claims = {}                  # added to its userinfo responses

    [[users]]
    username = "bob"
    password = "builder"                  # optional for a user with links
    email = "bob@example.org"
    given_name = "Bob"
    family_name = "Example"
    roles = ["admin"]                     # may use the admin API
    links = { "https://robots.example" = "robot-8" }   # the user's subject at a trusted issuer
    access_token_claims = {}              # added to the claims about the user
    id_token_claims = {}
    userinfo_claims = { locale = "de" }

These clients and users are added to the provider's defaults. An unknown key is an error.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, cast

from doorkey.arguments import did_you_mean
from doorkey.dev.hosts import Hosts
from doorkey.dev.limits import TrustedProxies, public_origin
from doorkey.dev.registrations import client, default_realms, user
from doorkey.errors import UsageError, printable
from doorkey.server.model import Settings
from doorkey.server.registrations import Client, User
from doorkey.values import Secret

T = TypeVar("T")
Table = Mapping[str, Any]

_SERVER = {
    "public_url": str,
    "host_names": list,
    "trusted_proxies": list,
    "registration": bool,
    "initial_access_token": str,
}
_REALM = {
    "access_token_lifetime": int,
    "session_idle": int,
    "session_max": int,
    "code_lifetime": int,
    "rotate_refresh_tokens": bool,
    "signing_alg": str,
    "rfc9068": bool,
    "acr_values": list,
    "failed_logins": int,
    "login_block": int,
    "device_code_lifetime": int,
    "device_interval": int,
    "trusted_issuers": dict,
}
_CLAIMS = {"access_token_claims": dict, "id_token_claims": dict, "userinfo_claims": dict}
_CLIENT: dict[str, type] = {
    "client_id": str,
    "client_name": str,
    "secret": str,
    "auth_methods": list,
    "grants": list,
    "redirect_uris": list,
    "post_logout_redirect_uris": list,
    "optional_scopes": list,
    "audiences": dict,
    "require_pkce": bool,
    "require_consent": bool,
    "jwks": dict,
    "web_origins": list,
    "response_types": list,
    **dict.fromkeys(
        (
            *(f"{what}_signed_response_alg" for what in ("id_token", "userinfo", "introspection")),
            *(f"{what}_encrypted_response_{part}" for what in ("id_token", "userinfo") for part in ("alg", "enc")),
            *("backchannel_logout_uri", "frontchannel_logout_uri"),
        ),
        str,
    ),
    "frontchannel_logout_session_required": bool,
    **_CLAIMS,
}
_USER: dict[str, type] = {
    "username": str,
    "password": str,
    "email": str,
    "given_name": str,
    "family_name": str,
    "roles": list,
    "links": dict,
    **_CLAIMS,
}


@dataclass(frozen=True, slots=True)
class Config:
    """The contents of a TOML file for a provider. Each attribute is the argument of `Provider` with the same name.

    realms: the settings of each realm, by name.
    clients: further clients.
    users: further users.
    public_url: the origin by which clients and browsers reach the provider, or None.
    trusted_proxies: addresses or networks of reverse proxies.
    host_names: other host names of the provider.
    registration: whether clients may register themselves, or None for the default.
    initial_access_token: the token that a registration must present, or None.
    """

    realms: Mapping[str, Settings]
    clients: tuple[Client, ...]
    users: tuple[User, ...]
    public_url: str | None = None
    trusted_proxies: tuple[str, ...] = ()
    host_names: tuple[str, ...] = ()
    registration: bool | None = None
    initial_access_token: Secret | None = None


def read_config(path: str | os.PathLike[str]) -> Config:
    """Return the configuration in a TOML file.

    path: the path of the file.

    Raises `UsageError` with the file and the mistake.
    """
    given: object = path
    if not isinstance(given, str | os.PathLike):
        raise UsageError(f"path must be the path of a TOML file, not {type(given).__name__}")
    try:
        content = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        return parse_config(content)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})") from error
    except UsageError as error:
        raise UsageError(f"{path}: {error.description}") from None
    except ValueError as error:  # not TOML, or not UTF-8
        raise UsageError(f"{path} is not TOML: {error}") from None


def parse_config(content: Table) -> Config:
    """Return the configuration in the tables of a TOML file. Raises `UsageError`."""
    _check(content, {"realms": dict, "server": dict, "clients": list, "users": list}, "the file")
    server: Table = _check(content.get("server", {}), _SERVER, "server")
    public_url, token = server.get("public_url"), server.get("initial_access_token")
    realms: Table = content.get("realms", {})
    clients = tuple(_each(content, "clients", _CLIENT, "client_id", client))
    users = tuple(_each(content, "users", _USER, "username", user))
    if any(one.password is None and not one.links for one in users):
        raise UsageError("an entry of users has neither a password nor links")
    return Config(
        {name: _realm(name, table) for name, table in realms.items()},
        clients,
        users,
        None if public_url is None else public_origin(public_url),
        TrustedProxies(server.get("trusted_proxies", ())).networks,
        Hosts(names=server.get("host_names", ())).names,
        server.get("registration"),
        None if token is None else Secret(token),
    )


def _realm(name: str, table: object) -> Settings:
    checked = dict(_check(table, _REALM, f"realm {name}"))
    trusted: Table = checked.pop("trusted_issuers", {})
    known = default_realms({issuer: _check(jwks, {"keys": list}, issuer) for issuer, jwks in trusted.items()})
    # A new realm has Keycloak's tokens, but not its default of reusable refresh tokens.
    base = known[name] if name in known else replace(known["master"], rotate_refresh_tokens=None)
    return replace(base, **checked)


def _each(content: Table, kind: str, members: Mapping[str, type], name: str, make: Callable[..., T]) -> Iterable[T]:
    entries: list[object] = content.get(kind, [])
    for entry in entries:
        table = dict(_check(entry, members, kind))
        if not table.get(name):
            raise UsageError(f"an entry of {kind} has no {name}")
        named = table.pop(name)
        try:
            yield make(named, **table)
        except UsageError as error:
            raise UsageError(f"{named!r} of {kind}: {error.description}") from None


def _check(table: object, members: Mapping[str, type], what: str) -> Table:
    if not isinstance(table, dict):
        raise UsageError(f"{what} must be a table")
    for name, value in cast(Table, table).items():
        if name not in members:
            shown, known = printable(name, 80), f"; it has {', '.join(members)}"
            raise UsageError(f"{what} has no {shown!r}{did_you_mean(name, members, known)}")
        # Exactly this type, because in Python True is an int, but not a number of seconds.
        if type(value) is not members[name]:
            raise UsageError(f"{name} of {what} must be of type {members[name].__name__}")
    return cast(Table, table)
