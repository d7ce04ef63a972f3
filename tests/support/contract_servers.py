"""The servers of the contract, and what each supports: a table, so that tests hold no ifs.

`@on(Password)` runs a test on every server whose row has such an entry, and hands it the `Site`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from doorkey.dev import Provider
from tests.servers.browser import Browser
from tests.servers.handle import CALLBACK, RealServer
from tests.support.fake_clock import Clock, real_time

ODD = ("odd:id +1", "p%41+q/r:s&t=u v")
ALICE = ("alice", "wonderland")

Registration = tuple[str, str | None]
"""A client's id and secret."""


@dataclass(frozen=True, slots=True)
class Password:
    """The password grant."""

    client: Registration
    user: tuple[str, str]


@dataclass(frozen=True, slots=True)
class ClientCredentials:
    """The client credentials grant, with a scope that may be asked for."""

    client: Registration
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """The authorization code grant; `scope` brings a refresh token and an ID token."""

    client: Registration
    scope: str
    names_itself: bool = False
    """It sends `iss` (RFC 9207)."""


@dataclass(frozen=True, slots=True)
class Rotating:
    """Refresh tokens that work once, where `path` replaces that of the issuer."""

    code: Code
    realm: str | None = None


@dataclass(frozen=True, slots=True)
class Introspecting:
    """Introspection: whose token, and who may ask about it."""

    client: Registration
    scope: str | None
    asker: Registration


@dataclass(frozen=True, slots=True)
class Odd:
    """A client whose id and secret need their encoding (RFC 6749 §2.3.1)."""

    client: Registration = ODD


@dataclass(frozen=True, slots=True)
class SecretInBody:
    """`client_secret_post`."""

    client: Registration


@dataclass(frozen=True, slots=True)
class SecretAssertion:
    """`client_secret_jwt`."""

    client: Registration


@dataclass(frozen=True, slots=True)
class KeyAssertion:
    """`private_key_jwt`: `key(folder, alg)` is the private key of the client `pkjwt-<alg>`."""

    key: Callable[[Path, str], Any]


@dataclass(frozen=True, slots=True)
class DeviceFlow:
    """The device flow (RFC 8628)."""

    client: Registration
    brings_id_token: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """One server: its paths below the issuer, and its abilities."""

    name: str
    fixture: str
    paths: Mapping[str, str]
    abilities: tuple[object, ...]


A = TypeVar("A")


@dataclass(slots=True)
class Site:
    """A running server, as a test sees it."""

    facts: Facts
    issuer: str
    keys: Path
    clock: Clock
    origin: str
    provider: Provider | None = None

    def ability(self, kind: type[A]) -> A:
        """Return this server's entry of that kind."""
        return next(one for one in self.facts.abilities if isinstance(one, kind))

    def endpoints(self, issuer: str | None = None) -> dict[str, str]:
        """Return metadata of this server, or of another issuer on it."""
        base = issuer or self.issuer
        return {"issuer": base, **{name: base + path for name, path in self.facts.paths.items()}}

    @property
    def token_endpoint(self) -> str:
        return self.endpoints()["token_endpoint"]

    def log_in(self, url: str, *, agree: bool = True) -> str:
        """Send a user through the login page; the URL at which the client is called back."""
        with Browser(self.facts.name, agree=agree) as browser:
            return browser.authorize(url, CALLBACK)

    @property
    def options(self) -> dict[str, Any]:
        """What every client on this server is constructed with."""
        return {"metadata": self.endpoints(), "clock": self.clock, "redirect_uri": CALLBACK}


def _keycloak_paths() -> dict[str, str]:
    base = "/protocol/openid-connect"
    return {
        "authorization_endpoint": f"{base}/auth",
        "token_endpoint": f"{base}/token",
        "revocation_endpoint": f"{base}/revoke",
        "introspection_endpoint": f"{base}/token/introspect",
        "userinfo_endpoint": f"{base}/userinfo",
        "device_authorization_endpoint": f"{base}/auth/device",
    }


def _pem(folder: Path, alg: str) -> str:
    return (folder / f"{alg}.pem").read_text()


def _jwk(folder: Path, alg: str) -> Any:
    import json

    return json.loads((folder / "client-keys.json").read_text())[f"pkjwt-{alg}"]


_KEYCLOAKS: tuple[object, ...] = (
    Password(("admin-cli", None), ("admin", "admin")),
    ClientCredentials(("client-1", "my-secret"), "scope-1"),
    Code(("web-basic", "web-basic-secret"), "openid", names_itself=True),
    Rotating(Code(("web-basic", "web-basic-secret"), "openid"), "rotating"),
    Introspecting(("client-1", "my-secret"), "scope-1", ("resource-server", "resource-server-secret")),
    Odd(),
    SecretInBody(("web-basic", "web-basic-secret")),
    SecretAssertion(("web-secret-jwt", "web-secret-jwt-with-32-bytes-or-more")),
    KeyAssertion(_pem),
    DeviceFlow(("web-basic", "web-basic-secret")),
)

EMBEDDED = Facts("embedded", "embedded", _keycloak_paths(), _KEYCLOAKS)
KEYCLOAK = Facts("keycloak", "keycloak", _keycloak_paths(), _KEYCLOAKS)
OIDC_PROVIDER = Facts(
    "oidc-provider",
    "oidc_provider",
    {
        "authorization_endpoint": "/auth",
        "token_endpoint": "/token",
        "revocation_endpoint": "/token/revocation",
        "introspection_endpoint": "/token/introspection",
        "userinfo_endpoint": "/me",
        "device_authorization_endpoint": "/device/auth",
    },
    (
        ClientCredentials(("web-basic", "web-basic-secret")),
        Code(("web-basic", "web-basic-secret"), "openid", names_itself=True),
        Rotating(Code(("web-basic", "web-basic-secret"), "openid")),
        Introspecting(("web-basic", "web-basic-secret"), None, ("web-basic", "web-basic-secret")),
        Odd(),
        SecretInBody(("web-post", "web-post-secret")),
        SecretAssertion(("web-secret-jwt", "web-secret-jwt-secret-of-at-least-32-bytes")),
        KeyAssertion(_jwk),
        DeviceFlow(("web-basic", "web-basic-secret")),
    ),
)
DJANGO = Facts(
    "django-oauth-toolkit",
    "django_oauth",
    {
        "authorization_endpoint": "/authorize/",
        "token_endpoint": "/token/",
        "revocation_endpoint": "/revoke_token/",
        "introspection_endpoint": "/introspect/",
        "userinfo_endpoint": "/userinfo/",
        "device_authorization_endpoint": "/device-authorization/",
    },
    (
        Password(("pw", "pw-secret"), ALICE),
        ClientCredentials(("machine", "machine-secret"), "read"),
        Code(("web", "web-secret"), "openid"),
        Rotating(Code(("web", "web-secret"), "openid")),
        Introspecting(("machine", "machine-secret"), "introspection", ("machine", "machine-secret")),
        Odd(),
        SecretInBody(("machine", "machine-secret")),
        DeviceFlow(("tv", None), brings_id_token=False),
    ),
)
SITES = {facts.name: facts for facts in (EMBEDDED, KEYCLOAK, OIDC_PROVIDER, DJANGO)}


def on(*abilities: type, only: tuple[Facts, ...] = tuple(SITES.values())) -> pytest.MarkDecorator:
    """Run the test on each server that has these abilities; it takes `site`."""
    rows = [
        pytest.param(facts.name, marks=() if facts is EMBEDDED else (pytest.mark.real_server,), id=facts.name)
        for facts in only
        if all(any(isinstance(one, kind) for one in facts.abilities) for kind in abilities)
    ]
    return pytest.mark.parametrize("site", rows, indirect=True)


def embedded_site(provider: Provider, keys: Path, clock: Clock) -> Site:
    return Site(EMBEDDED, provider.issuer, keys, clock, provider.origin, provider)


def real_site(facts: Facts, server: RealServer) -> Site:
    return Site(facts, server.issuer, server.keys, real_time(), server.origin)
