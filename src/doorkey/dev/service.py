"""The realms of a provider without a socket: their clients and users, their time, and tokens that a test orders."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from doorkey.arguments import count, each, instance, mapping, text
from doorkey.dev.client_documents import ClientDocuments
from doorkey.dev.clock import Clock
from doorkey.dev.hosts import Hosts
from doorkey.dev.keycloak import ADMIN_REALM, Keycloak, Realm
from doorkey.dev.named import DEFAULT_CLIENT, found
from doorkey.dev.registrations import default_clients, default_realms, default_users
from doorkey.errors import UsageError
from doorkey.runtime.clock import wall_time
from doorkey.server.context import At, Registering
from doorkey.server.model import Settings
from doorkey.server.registrations import Client, User
from doorkey.server.storage.effects import Directory, RevokeAllBefore
from doorkey.server.storage.records import Records
from doorkey.server.tokens.kinds import ACCESS, REFRESH
from doorkey.server.tokens.minting import Order, in_style, mint_access_token, mint_id_token, mint_logout_token

_REALM = re.compile(r"[A-Za-z0-9_-]+")


class Service:
    """The clients, users and realms of a provider, and its clock. `Provider` adds the socket."""

    def __init__(
        self,
        clients: Iterable[Client],
        users: Iterable[User],
        realms: Mapping[str, Settings] | None,
        client_jwks: Mapping[str, Mapping[str, Any]] | None,
        trusted_issuers: Mapping[str, Mapping[str, Any]] | None,
        access_token_lifetime: int | None,
        clock: Callable[[], float] | None,
    ) -> None:
        added = each(clients, Client, "clients are what doorkey.dev.client() returns")
        people = each(users, User, "users are what doorkey.dev.user() returns")
        signing = _keys(client_jwks, "client_jwks", "client id")
        self.clients = {one.client_id: one for one in (*default_clients(signing), *added)}
        self.users = {one.username.lower(): one for one in (*default_users(), *people)}
        known = default_realms(_keys(trusted_issuers, "trusted_issuers", "issuer"))
        self.realms = _with_lifetime({**known, **_realms(realms)}, access_token_lifetime)
        self._clock = Clock(wall_time if clock is None else clock)
        self._keycloak: Keycloak | None = None

    @property
    def origin(self) -> str:
        """Scheme, host and port of every issuer."""
        raise NotImplementedError

    def _open(
        self,
        store: Records,
        hosts: Hosts,
        registration: Registering | None = None,
        *,
        at_loopback: bool = False,
        offers_users: bool = False,
    ) -> Keycloak:
        """Return what answers requests for the realms, over `store`.

        registration: how clients register themselves; None: not at all.
        at_loopback: metadata documents of clients may be at a loopback address.
        offers_users: the login page has a button for each user.
        """
        directory = Directory(self.clients, self.users)
        realms = {name: Realm(name, settings, directory) for name, settings in self.realms.items()}
        documents = None
        if registration is not None and registration.has_documents:
            documents = ClientDocuments(at_loopback=at_loopback, registered=self.clients, clock=self._clock.now)
        self._keycloak = Keycloak(
            realms, store, self._clock.now, hosts, registration, documents, offers_users=offers_users
        )
        return self._keycloak

    def set_user(self, user: User) -> None:
        """Add a user in every realm, or replace the user of that name.

        user: a user, made by `doorkey.dev.user()`.

        Raises `UsageError` for anything else.
        """
        instance(user, User, "a user is what doorkey.dev.user() returns")
        self.users[user.username.lower()] = user

    def advance(self, seconds: float) -> None:
        """Move the provider's clock on by `seconds`, so that tokens expire without a wait.

        A negative number sets it back. Raises `UsageError` for anything but a number.
        """
        self._clock.advance(seconds)

    def clock(self) -> float:
        """Return the provider's time in POSIX seconds: given as `clock=` to a client, it advances both together."""
        return self._clock.now()

    @property
    def issuer(self) -> str:
        """The issuer of realm `master` at `origin`. Without `public_url` it follows the loopback name of a request."""
        return self.issuer_of(ADMIN_REALM)

    def issuer_of(self, realm: str) -> str:
        """Return the issuer of any realm, asked at `origin`. Raises `UsageError` for a realm that is not there."""
        found(realm, self.realms, "realm")
        return f"{self.origin}/realms/{realm}"

    def token(
        self,
        username: str | None = None,
        *,
        client_id: str = DEFAULT_CLIENT,
        scopes: str | Iterable[str] = (),
        claims: Mapping[str, Any] | None = None,
        audience: str | Iterable[str] | None = None,
        expires_in: float | None = None,
        key: object = None,
        realm: str = ADMIN_REALM,
        rfc9068: bool | None = None,
    ) -> str:
        """Return a new access token, as a test orders it. It depends on no session.

        username: the user that it is about; None: the client itself.
        client_id: the client that it was issued to.
        scopes: exactly its scopes; empty: the default ones of the client.
        claims: set in place of the usual ones (`{"iss": "https://other.example"}`); None removes a claim.
        audience: one name or several; None: the audience that realm and scopes determine.
        expires_in: seconds from now; negative for an expired token; None: the realm's lifetime.
        key: a private key to sign with in place of the realm's, in any form that `doorkey.jose.keys.import_key` reads.
        realm: the realm that issues it.
        rfc9068: True for the form of RFC 9068, False for Keycloak's; None: the realm's.

        Raises `UsageError` for an unknown user, client or realm, and before the provider has started.
        """
        if rfc9068 is not None:
            instance(rfc9068, bool, "rfc9068 is True, False or None")
        order = Order.of(claims, expires_in, key)
        at, one, person = self._at(realm), self._client(client_id), self._user(username)
        return mint_access_token(in_style(at, rfc9068), one, person, order, scopes=scopes, audience=audience)

    def id_token(
        self,
        username: str,
        *,
        client_id: str = DEFAULT_CLIENT,
        nonce: str | None = None,
        claims: Mapping[str, Any] | None = None,
        expires_in: float | None = None,
        key: object = None,
        access_token: str | None = None,
        code: str | None = None,
        realm: str = ADMIN_REALM,
    ) -> str:
        """Return a new ID token for a client, as a test orders it.

        access_token, code: the access token and the code with which it is sent, for `at_hash` and `c_hash`. The other
            parameters and the errors are those of `token`.
        """
        for name, value in (("nonce", nonce), ("access_token", access_token), ("code", code)):
            if value is not None:
                text(value, name)
        person = self._user(text(username, "username"))
        assert person is not None
        order = Order.of(claims, expires_in, key)
        at, one = self._at(realm), self._client(client_id)
        return mint_id_token(at, one, person, order, nonce=nonce, access_token=access_token, code=code)

    def logout_token(
        self,
        username: str | None = None,
        *,
        client_id: str = DEFAULT_CLIENT,
        sid: str | None = None,
        claims: Mapping[str, Any] | None = None,
        expires_in: float | None = None,
        key: object = None,
        realm: str = ADMIN_REALM,
    ) -> str:
        """Return a new logout token for a client, about a user, a session (`sid`) or both.

        The other parameters and the errors are those of `token` (OpenID Connect Back-Channel Logout §2.4).
        """
        person, order = self._user(username), Order.of(claims, expires_in, key)
        return mint_logout_token(self._at(realm), self._client(client_id), person, order, sid=sid)

    def rotate_keys(self, *, realm: str = ADMIN_REALM, withdraw: bool = False) -> None:
        """Sign with new keys from now on.

        `withdraw` removes the earlier keys from the JWK Set at once, so that their tokens count no more; without it
        they stay. Raises `UsageError` for an unknown realm.
        """
        instance(withdraw, bool, "withdraw is True or False")
        found(realm, self.realms, "realm")
        self._running().rotate_keys(realm, withdraw=withdraw)

    def expire_access_tokens(self) -> None:
        """Let no access token of any realm count any more; later ones do.

        The clients still take them for valid, as after a change at the server. The clock moves on to the next
        full second, because the times in tokens are full seconds.
        """
        self._revoke_all(ACCESS)

    def reject_refresh_tokens(self) -> None:
        """Refuse every refresh token that was issued so far with `invalid_grant`; later ones work."""
        self._revoke_all(REFRESH)

    def _revoke_all(self, kind: str) -> None:
        keycloak, now = self._running(), self._clock.now()
        boundary = int(now) + 1
        self._clock.advance(boundary - now + 0.001)  # a sum of floats may be a little less than it should
        for name in self.realms:
            keycloak.run_in(name, iter(RevokeAllBefore(kind, boundary)))

    def _at(self, realm: str) -> At:
        found(realm, self.realms, "realm")
        return self._running().at_realm(realm, self.issuer_of(realm))

    def _client(self, client_id: str) -> Client:
        return found(client_id, self.clients, "client")

    def _user(self, username: str | None) -> User | None:
        return None if username is None else found(text(username, "username").lower(), self.users, "user")

    def _running(self) -> Keycloak:
        if self._keycloak is None:
            raise UsageError("the provider has not started: use it within `with Provider() as provider:`")
        return self._keycloak


def _with_lifetime(realms: Mapping[str, Settings], lifetime: int | None) -> dict[str, Settings]:
    if lifetime is None:
        return dict(realms)
    count(lifetime, "access_token_lifetime in seconds", least=0)
    return {name: replace(settings, access_token_lifetime=lifetime) for name, settings in realms.items()}


def _realms(given: object) -> Mapping[str, Settings]:
    checked: Mapping[str, Any] = mapping({} if given is None else given, "realms")
    for name, settings in checked.items():
        if not _REALM.fullmatch(text(name, "a realm's name")):
            raise UsageError("a realm's name is of letters, digits, - and _")
        instance(settings, Settings, f"the settings of realm {name} are doorkey.dev.Settings")
    return checked


def _keys(given: object, what: str, by: str) -> Mapping[str, Mapping[str, Any]]:
    checked: Mapping[str, Any] = mapping({} if given is None else given, what)
    for jwks in checked.values():
        mapping(jwks, f"each of {what}, a JWK Set by {by},")
    return checked
