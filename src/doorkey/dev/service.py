"""The realms of a provider without a socket: their clients and users, their clock, and tokens for tests."""

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
from doorkey.dev.lookup import DEFAULT_CLIENT, lookup
from doorkey.dev.registrations import default_clients, default_realms, default_users
from doorkey.errors import UsageError
from doorkey.runtime.clock import wall_time
from doorkey.server.context import At, RegistrationPolicy
from doorkey.server.model import Settings
from doorkey.server.registrations import Client, User
from doorkey.server.storage.effects import Directory, RevokeAllBefore
from doorkey.server.storage.records import Records
from doorkey.server.tokens.kinds import ACCESS, REFRESH
from doorkey.server.tokens.minting import (
    TokenChanges,
    mint_access_token,
    mint_id_token,
    mint_logout_token,
    with_rfc9068,
)

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
        added = each(clients, Client, "clients are values of doorkey.dev.client()")
        people = each(users, User, "users are values of doorkey.dev.user()")
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
        registration: RegistrationPolicy | None = None,
        *,
        at_loopback: bool = False,
        offers_users: bool = False,
    ) -> Keycloak:
        """Create and return the `Keycloak` that processes requests for the realms, over `store`.

        hosts: the host names for which requests are accepted.
        registration: the settings for clients that register themselves; None: they cannot.
        at_loopback: whether metadata documents of clients may be at a loopback address.
        offers_users: whether the login page has a button for each user.
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
        """Add a user in every realm, or replace the user with the same name.

        user: a user, made by `doorkey.dev.user()`.

        Raises `UsageError` for anything else.
        """
        instance(user, User, "a user must be a value of doorkey.dev.user()")
        self.users[user.username.lower()] = user

    def advance(self, seconds: float) -> None:
        """Advance the provider's clock, so that tokens expire without a wait.

        seconds: the step; a negative number sets the clock back.

        Raises `UsageError` for anything but a number.
        """
        self._clock.advance(seconds)

    def clock(self) -> float:
        """Return the provider's time in POSIX seconds.

        Pass this method to a client as `clock=`, so that `advance` moves the clocks of both.
        """
        return self._clock.now()

    @property
    def issuer(self) -> str:
        """The issuer of realm `master` at `origin`.

        Without `public_url`, the issuer in a response depends on the loopback name in the request's URL.
        """
        return self.issuer_of(ADMIN_REALM)

    def issuer_of(self, realm: str) -> str:
        """Return the issuer of a realm at `origin`.

        realm: the name of the realm.

        Raises `UsageError` for an unknown realm.
        """
        lookup(realm, self.realms, "realm")
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
        """Return a new access token with the requested properties. It depends on no session.

        username: the user that it is about; None: the client's own account.
        client_id: the client that it is issued to.
        scopes: exactly its scopes, one text or several; empty: the default scopes of the client.
        claims: replace the default claims (`{"iss": "https://other.example"}`); None as a value removes a claim.
        audience: one name or several; None: the audience that the realm and the scopes determine.
        expires_in: seconds from now; negative for an expired token; None: the realm's lifetime.
        key: a private key that signs instead of the realm's key, in any form that `doorkey.jose.keys.import_key`
            accepts.
        realm: the realm that issues it.
        rfc9068: True for the form of RFC 9068, False for Keycloak's; None: that of the realm.

        Raises `UsageError` for an unknown user, client or realm, and before the provider has started.
        """
        if rfc9068 is not None:
            instance(rfc9068, bool, "rfc9068 must be True, False or None")
        changes = TokenChanges.of(claims, expires_in, key)
        at, one, person = self._at(realm), self._client(client_id), self._user(username)
        return mint_access_token(with_rfc9068(at, rfc9068), one, person, changes, scopes=scopes, audience=audience)

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
        """Return a new ID token for a client, with the requested properties.

        username: the user that it is about.
        nonce: the `nonce` of the authorization request, or None.
        access_token, code: the access token and the code in the same response, for `at_hash` and `c_hash`.

        The other parameters and the errors are those of `token`.
        """
        for name, value in (("nonce", nonce), ("access_token", access_token), ("code", code)):
            if value is not None:
                text(value, name)
        person = self._user(text(username, "username"))
        assert person is not None
        changes = TokenChanges.of(claims, expires_in, key)
        at, one = self._at(realm), self._client(client_id)
        return mint_id_token(at, one, person, changes, nonce=nonce, access_token=access_token, code=code)

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
        """Return a new logout token for a client (OpenID Connect Back-Channel Logout §2.4).

        username: the user who is logged out, or None.
        sid: the ID of the session that ends, or None.

        The other parameters and the errors are those of `token`. Also raises `UsageError` if both are None.
        """
        person, changes = self._user(username), TokenChanges.of(claims, expires_in, key)
        return mint_logout_token(self._at(realm), self._client(client_id), person, changes, sid=sid)

    def rotate_keys(self, *, realm: str = ADMIN_REALM, withdraw: bool = False) -> None:
        """Sign with new keys from now on.

        realm: the realm whose keys are rotated.
        withdraw: True removes the earlier keys from the JWK Set at once, so that their tokens become invalid. False
            keeps them.

        Raises `UsageError` for an unknown realm, and before the provider has started.
        """
        instance(withdraw, bool, "withdraw must be True or False")
        lookup(realm, self.realms, "realm")
        self._running().rotate_keys(realm, withdraw=withdraw)

    def expire_access_tokens(self) -> None:
        """Revoke every access token that was issued so far, in all realms. Tokens that are issued later are valid.

        Clients cannot see this in the tokens, as after a revocation at a real server. The clock advances to the next
        full second, because the times in tokens are full seconds. Raises `UsageError` before the provider has started.
        """
        self._revoke_all(ACCESS)

    def reject_refresh_tokens(self) -> None:
        """Revoke every refresh token that was issued so far, in all realms: its use is the error `invalid_grant`.

        Tokens that are issued later are valid. The clock advances as for `expire_access_tokens`. Raises `UsageError`
        before the provider has started.
        """
        self._revoke_all(REFRESH)

    def _revoke_all(self, kind: str) -> None:
        keycloak, now = self._running(), self._clock.now()
        boundary = int(now) + 1
        self._clock.advance(boundary - now + 0.001)  # rounding could make the sum slightly less than the boundary
        for name in self.realms:
            keycloak.run_in(name, iter(RevokeAllBefore(kind, boundary)))

    def _at(self, realm: str) -> At:
        lookup(realm, self.realms, "realm")
        return self._running().at_realm(realm, self.issuer_of(realm))

    def _client(self, client_id: str) -> Client:
        return lookup(client_id, self.clients, "client")

    def _user(self, username: str | None) -> User | None:
        return None if username is None else lookup(text(username, "username").lower(), self.users, "user")

    def _running(self) -> Keycloak:
        if self._keycloak is None:
            raise UsageError("the provider has not started: use it inside `with Provider() as provider:`")
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
            raise UsageError("a realm's name must consist of letters, digits, - and _")
        instance(settings, Settings, f"the settings of realm {name} are doorkey.dev.Settings")
    return checked


def _keys(given: object, what: str, by: str) -> Mapping[str, Mapping[str, Any]]:
    checked: Mapping[str, Any] = mapping({} if given is None else given, what)
    for jwks in checked.values():
        mapping(jwks, f"each value of {what} (a JWK Set by {by})")
    return checked
