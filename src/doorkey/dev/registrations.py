"""The default realms, clients and users of a provider, which the real servers of the tests also have."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from doorkey.arguments import nonempty_text, text, texts
from doorkey.protocol.grants import DEVICE_CODE, JWT_BEARER, TOKEN_EXCHANGE
from doorkey.server.model import Settings
from doorkey.server.option_names import check_names
from doorkey.server.registrations import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    CLIENT_SECRET_JWT,
    NONE,
    PASSWORD,
    PRIVATE_KEY_JWT,
    REFRESH_TOKEN,
    WITH_A_SECRET,
    Client,
    TrustedIssuer,
    User,
)
from doorkey.values import Secret

LOOPBACK_CALLBACKS = ("http://127.0.0.1:9499/cb", "http://127.0.0.1/*", "http://localhost/*")
LOOPBACK_LOGOUTS = ("http://127.0.0.1:9499/cb",)
ADMIN_CLI = "admin-cli"
RESOURCE_SERVER = "resource-server"
ROBOTS, ROBOT = "https://robots.example", "robot-7"
"""An issuer that a test may trust, and its subject for the user `robot`."""

_SCOPE_1 = ("scope-1",)
_SERVICE = frozenset({CLIENT_CREDENTIALS, PASSWORD, REFRESH_TOKEN, TOKEN_EXCHANGE})
_NEED_A_SECRET = frozenset({CLIENT_CREDENTIALS, TOKEN_EXCHANGE, JWT_BEARER})
_WEB = _SERVICE | {AUTHORIZATION_CODE, DEVICE_CODE}


def user(
    username: str,
    password: str | None = None,
    *,
    roles: Iterable[str] = (),
    given_name: str | None = None,
    **more: Any,
) -> User:
    """Return a user. Its `sub` is derived from the name, so that it is the same after a restart.

    username: the name with which the user logs in.
    password: the user's password. For a user without a password, only assertions can be exchanged for tokens.
    roles: names of roles, in addition to the roles of every user.
    given_name: the user's first name.
    more: the other fields of `User`, such as `email`; `links` are the user's subjects by trusted issuer.

    Raises `UsageError` for an unknown field or an invalid value.
    """
    check_names(more, [one.name for one in fields(User) if one.name != "sub"], "a user")
    return User(
        sub=str(uuid.uuid5(uuid.NAMESPACE_URL, f"doorkey:user:{nonempty_text(username, 'username')}")),
        username=username,
        password=_secret(password, "password"),
        roles=(*texts(roles, "roles"), "default-roles-master", "offline_access", "uma_authorization"),
        given_name=given_name,
        **more,
    )


def client(
    client_id: str,
    secret: str | None = None,
    *,
    auth_methods: Iterable[str] | None = None,
    jwks: Mapping[str, Any] | None = None,
    grants: Iterable[str] = _WEB,
    redirect_uris: Iterable[str] = LOOPBACK_CALLBACKS,
    post_logout_redirect_uris: Iterable[str] = LOOPBACK_LOGOUTS,
    optional_scopes: Iterable[str] = _SCOPE_1,
    web_origins: Iterable[str] | None = None,
    **more: Any,
) -> Client:
    """Return a client with every grant, callbacks on loopback and the optional scope `scope-1`.

    client_id: its ID.
    secret: its secret; None for a public client, and for a client that authenticates with a key.
    auth_methods: its authentication methods; None: those that fit `secret` and `jwks`.
    jwks: its public keys, as a JWK Set, for `private_key_jwt`.
    grants: the grant types that it may use. A public client does not get those that need client authentication.
    redirect_uris: its redirect URIs.
    post_logout_redirect_uris: the URIs to which a logout may redirect.
    optional_scopes: further scopes that it gets on request.
    web_origins: the origins whose scripts may use its tokens (CORS); None: those of the redirect URIs.
    more: the other fields of `Client`.

    By default, a client without a secret and without `jwks` is public, and must use PKCE. Raises `UsageError` for an
    unknown field or an invalid value.
    """
    check_names(more, [one.name for one in fields(Client)], "a client")
    kept = _secret(secret, "secret")
    if auth_methods is None:
        auth_methods = (PRIVATE_KEY_JWT,) if jwks is not None else WITH_A_SECRET if kept else (NONE,)
    methods = texts(auth_methods, "auth_methods")
    allowed = frozenset(texts(grants, "grants")) - (_NEED_A_SECRET if NONE in methods else frozenset())
    callbacks = texts(redirect_uris, "redirect_uris")
    derived = tuple(dict.fromkeys(_origin(uri) for uri in callbacks))
    more.setdefault("require_pkce", NONE in methods)
    more.setdefault("audiences", {"scope-1": RESOURCE_SERVER})
    standard = Client(client_id=client_id)
    return replace(
        standard,
        secret=kept,
        auth_methods=methods,
        jwks=jwks,
        grants=allowed,
        redirect_uris=callbacks,
        post_logout_redirect_uris=texts(post_logout_redirect_uris, "post_logout_redirect_uris"),
        web_origins=derived if web_origins is None else texts(web_origins, "web_origins"),
        optional_scopes=tuple(dict.fromkeys([*standard.optional_scopes, *texts(optional_scopes, "optional_scopes")])),
        **more,
    )


def _secret(value: object, what: str) -> Secret | None:
    """Return `value` as a `Secret`. Return None for None and for an empty text."""
    if value is None or isinstance(value, Secret):
        return value or None
    return Secret(given) if (given := text(value, what)) else None


def _origin(uri: str) -> str:
    return "/".join(uri.split("/", 3)[:3])


def default_users() -> tuple[User, ...]:
    """Return `admin`, the user of the admin API, and the users of the real servers."""
    return (
        user("admin", "admin", roles=("admin",)),
        user("alice", "wonderland", given_name="Alice", family_name="Example", email="alice@example.org"),
        user("user", "pwd", given_name="User", family_name="Example", email="user@example.org"),
        user("robot", given_name="Robot", family_name="Seven", email="robot@example.org", links={ROBOTS: ROBOT}),
    )


def default_clients(jwks: Mapping[str, Mapping[str, Any]]) -> tuple[Client, ...]:
    """Return the clients of the real servers. `jwks` contains the JWK Sets of clients with `private_key_jwt`, by ID."""
    return (
        client(ADMIN_CLI, grants=(PASSWORD, REFRESH_TOKEN), redirect_uris=(), require_pkce=False, lightweight=True),
        *(client(f"client-{number}", "my-secret") for number in (1, 2, 3)),
        client("web-basic", "web-basic-secret"),
        client("odd:id +1", "p%41+q/r:s&t=u v"),
        client("web-secret-jwt", "web-secret-jwt-with-32-bytes-or-more", auth_methods=(CLIENT_SECRET_JWT,)),
        client("public-native"),
        client("assertion-client", "assertion-secret", grants=_SERVICE | {JWT_BEARER}, redirect_uris=()),
        client(RESOURCE_SERVER, "resource-server-secret", grants=_SERVICE, redirect_uris=()),
        *(client(client_id, jwks=keys) for client_id, keys in jwks.items()),
    )


def default_realms(trusted_issuers: Mapping[str, Mapping[str, Any]]) -> dict[str, Settings]:
    """Return the realm `master`, and the realm `rotating`, where a refresh token works once.

    Both trust the issuers in `trusted_issuers`, which contains their JWK Sets.
    """
    keycloak = Settings(
        audience="account",
        access_token_claims={
            "resource_access": {"account": {"roles": ["manage-account", "manage-account-links", "view-profile"]}},
        },
        rotate_refresh_tokens=False,  # Keycloak's default
        trusted_issuers=tuple(TrustedIssuer(issuer=name, jwks=jwks) for name, jwks in trusted_issuers.items()),
    )
    return {
        "master": keycloak,
        "rotating": replace(keycloak, access_token_lifetime=300, rotate_refresh_tokens=True),
    }
