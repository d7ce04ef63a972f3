"""Snapshots of the values of a registered client, each with the session from which its other sessions are derived.

Programs change the attributes of a client after its registration. A change takes effect for the next login; a login in
progress keeps the values it began with. So each set of values has an ID, which the data of a login contains, and a
client keeps the last few sets. All sets with the same options of the HTTP library share one connection pool. So a
dropped set leaves no connections open, and a new set, for instance for each tenant of a provider, opens no connections.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from copy import copy
from typing import TYPE_CHECKING, Any, Final

from doorkey.login.registry.names import HTTP_OPTIONS
from doorkey.login.registry.options import known_client_kwargs
from doorkey.login.registry.user_sessions import UserSessions
from doorkey.protocol.metadata import ENDPOINTS, ServerMetadata
from doorkey.runtime.forks import ForkSafeLock
from doorkey.sessions.siblings import sibling_of
from doorkey.transport.shared_pool import NO_TRANSPORT, use_connections_of
from doorkey.values import clears_locals

if TYPE_CHECKING:
    from doorkey.tokens import OAuth2Token

MOST_KEPT: Final = 8
"""The maximum number of sets that a client keeps for logins in progress, and of its connection pools."""
LOADED_AT: Final = "_loaded_at"
"""The member of `server_metadata` with the time of the discovery, as in Authlib."""
_FOR_DISCOVERY: Final = HTTP_OPTIONS | {"clock", "exchange", "tenant_issuer"}
_OWN_MEMBERS: Final = ("jwks", LOADED_AT)


def values_of(app: Any, metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of those values of a client on which its sessions depend."""
    return {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "access_token_url": app.access_token_url,
        "refresh_token_url": app.refresh_token_url,
        "refresh_token_params": dict(app.refresh_token_params or {}),
        "authorize_url": app.authorize_url,
        "access_token_params": dict(app.access_token_params or {}),
        "client_kwargs": _copied(app.client_kwargs or {}),
        "client_auth_methods": tuple(app.client_auth_methods or ()),
        "code_challenge_method": app.code_challenge_method,
        "token_endpoint_auth_method": app.token_endpoint_auth_method,
        "compliance_fix": app.compliance_fix,
        "user_agent": app._user_agent,
        "client_cls": app.client_cls,
        "metadata": {name: value for name, value in metadata.items() if name != LOADED_AT},
    }


def discovering_values_of(app: Any) -> dict[str, Any]:
    """Return the values of a client on which discovery depends. A new secret or scope causes no new discovery."""
    nothing: dict[str, Any] = dict.fromkeys(values_of(app, {}))
    kwargs = {name: value for name, value in _copied(app.client_kwargs or {}).items() if name in _FOR_DISCOVERY}
    own = {"client_auth_methods": (), "client_kwargs": kwargs, "client_cls": app.client_cls}
    return {**nothing, **own, "user_agent": app._user_agent}


def _copied(client_kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy with copies of its lists and dictionaries, because a program may change them in place."""
    return {name: copy(value) if type(value) in (dict, list) else value for name, value in client_kwargs.items()}


def server_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata for a session, in which `authorize_url` and `access_token_url` replace two endpoints."""
    server = {name: value for name, value in values["metadata"].items() if name not in _OWN_MEMBERS}
    for option, member in (("authorize_url", "authorization_endpoint"), ("access_token_url", "token_endpoint")):
        if values[option]:
            server[member] = values[option]
    return server


def members_of(metadata: ServerMetadata) -> dict[str, Any]:
    """Return metadata as the dictionary that a program reads."""
    with_id = {name: getattr(metadata, name) for name in ("issuer", *ENDPOINTS)}
    return {**{name: value for name, value in with_id.items() if value is not None}, **metadata.extra}


class Registered:
    """One set of values and its sessions, which share connections, metadata and keys.

    saving: returns the `update_token` of a user's session, as for `UserSessions`.
    pool: the session whose connections these sessions use.
    """

    @clears_locals
    def __init__(self, values: dict[str, Any], saving: Callable[..., Any], pool: Any) -> None:
        self.id = secrets.token_hex(4)
        self.values = values
        self.origin = session_of(values, pool, metadata=server_of(values))
        if values["metadata"].get("jwks") and not values["metadata"].get("jwks_uri"):
            self._use_keys(values["metadata"]["jwks"])
        self._of_users = UserSessions(self._user_session, saving)

    def _use_keys(self, jwks: object) -> None:
        from doorkey.jose.keys import import_keys
        from doorkey.sources.fetched_once.keys import KeyCore

        self.origin._oauth._keys = KeyCore(None, keys=import_keys(jwks))

    def session(self, token: Mapping[str, Any] | None = None, **options: Any) -> Any:
        """Return a session with its own `token`, and with `options` that differ. An option that is None is ignored."""
        return sibling_of(self.origin, token, {name: value for name, value in options.items() if value is not None})

    def unverified(self) -> Any:
        """Return a session that verifies no ID token, because the program calls `parse_id_token`."""
        server = server_of(self.values)
        return self.session(metadata={name: value for name, value in server.items() if name != "issuer"})

    def of_user(self, token: Mapping[str, Any]) -> Any:
        """Return the session that renews `token`. All calls with the same refresh token get the same session."""
        core = self.origin._oauth
        given: OAuth2Token | None = core.given(token)
        assert given is not None, "it is a mapping"
        if given.value.refresh_token is None and core.own_grant() is None:
            return self.session(given)  # nothing renews it
        return self._of_users.session_for(given)

    def _user_session(self, token: OAuth2Token, update_token: Callable[..., Any]) -> Any:
        options: dict[str, Any] = {"update_token": update_token}
        if self.values["refresh_token_url"]:
            options["token_endpoint"] = self.values["refresh_token_url"]
        if self.values["refresh_token_params"]:
            options["token_params"] = {**self.origin._oauth.options.token_params, **self.values["refresh_token_params"]}
        return self.session(token, **options)


class ConnectionPools:
    """The sessions that own the connections of a client: one session for each set of HTTP options."""

    def __init__(self) -> None:
        self._pools: list[tuple[dict[str, Any], Any]] = []
        self._mutex = ForkSafeLock()

    def session_for(self, values: Mapping[str, Any]) -> Any:
        """Return the session for the class and the HTTP options in `values`. Raises `UsageError`."""
        kwargs = {name: value for name, value in values["client_kwargs"].items() if name in HTTP_OPTIONS}
        connecting = {**dict.fromkeys(values), "client_cls": values["client_cls"], "client_kwargs": kwargs}
        found = self._find(connecting)
        if found is not None:
            return found
        made = session_of({**connecting, "client_auth_methods": ()})
        with self._mutex:
            found = self._find(connecting)
            if found is None:
                self._pools = [*self._pools, (connecting, made)][-MOST_KEPT:]
        return made if found is None else found

    def _find(self, connecting: Mapping[str, Any]) -> Any:
        return next((session for known, session in self._pools if known == connecting), None)

    def take_all(self) -> list[Any]:
        """Remove and return all sessions."""
        with self._mutex:
            pools, self._pools = self._pools, []
        return [session for _, session in pools]


class RegisteredSets:
    """The last sets of values of a client, with the current set at the end. They use the connections of `pools`."""

    def __init__(self, saving: Callable[..., Any], pools: ConnectionPools) -> None:
        self._saving, self._pools = saving, pools
        self._sets: list[Registered] = []
        self._mutex = ForkSafeLock()

    def current(self, values: dict[str, Any]) -> Registered:
        """Return the set with these `values`, and make it the current set. Raises `UsageError`."""
        sets = self._sets
        if sets and sets[-1].values == values:
            return sets[-1]
        made = Registered(values, self._saving, self._pools.session_for(values))
        with self._mutex:
            known = next((one for one in self._sets if one.values == values), made)
            self._sets = [*(one for one in self._sets if one is not known), known][-MOST_KEPT:]
        return known

    def take_all(self) -> list[Registered]:
        """Remove and return all sets. The next login creates a new set."""
        with self._mutex:
            sets, self._sets = self._sets, []
        return sets

    def with_id(self, name: object) -> Registered | None:
        """Return the set with this ID; None if another process created it, or if it was dropped."""
        return next((one for one in self._sets if one.id == name), None)


def session_of(values: Mapping[str, Any], pool: Any = None, **server: Any) -> Any:
    """Return a session with the `values` of a client. It uses the connections of the session `pool`, if that is given.

    Raises `UsageError`.
    """
    kind = values["client_cls"]
    options = known_client_kwargs(values["client_kwargs"])
    for name in ("code_challenge_method", "token_endpoint_auth_method"):
        if values[name] is not None:
            options[name] = values[name]
    if not hasattr(kind, "base_url") and "timeout" in options:  # `requests.Session` has no timeout, `OAuth2Session` has
        options["default_timeout"] = seconds_of(options.pop("timeout"))
    own = {"client_id": values["client_id"], "client_secret": values["client_secret"]}
    if pool is not None and hasattr(pool, "_transport_for_url"):
        options["transport"] = NO_TRANSPORT
    session = kind(**own, **{**options, **server})
    if pool is not None:
        use_connections_of(session, pool)
    for method in values["client_auth_methods"]:
        session.register_client_auth_method(method)
    if values["compliance_fix"] is not None:
        values["compliance_fix"](session)
    if values["user_agent"]:
        session.headers["User-Agent"] = values["user_agent"]
    return session


def seconds_of(timeout: Any) -> Any:
    """Return a timeout for requests. A `Timeout` of httpx2 or httpx becomes the pair (connect, read)."""
    return (timeout.connect, timeout.read) if hasattr(timeout, "connect") else timeout
