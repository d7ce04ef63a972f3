"""The common parts of `TokenVault` and `AsyncTokenVault`: options, codec, and the flows of renewal, save and forget."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from random import random
from typing import TYPE_CHECKING, Any, Final

from doorkey import arguments
from doorkey.arguments import function, seconds, text, texts
from doorkey.credentials import Credentials
from doorkey.errors import UsageError
from doorkey.observe.observer import Observer, OnEvent
from doorkey.protocol.client_auth import auth_method_named
from doorkey.protocol.client_identity import ClientAuthMethod
from doorkey.protocol.metadata import ServerMetadata
from doorkey.protocol.token_endpoint import check_token_types
from doorkey.runtime.clock import monotonic_time, wall_time
from doorkey.sources.shared_issuer import server_of
from doorkey.sources.token_call import HeaderItems
from doorkey.sources.token_requests import TokenRequests
from doorkey.stores.limits import MAX_LEASE
from doorkey.tokens import OAuth2Token, OAuthToken
from doorkey.values import Scope, Secret
from doorkey.vault.commits import overwritten
from doorkey.vault.credentials import SharedCredentials, shared_credentials
from doorkey.vault.entry import Codec, Entry, Sealing
from doorkey.vault.key_state import KeyState
from doorkey.vault.memory import Memory
from doorkey.vault.renewal import Renewing
from doorkey.wire.flow import Flow
from doorkey.wire.limits import ExchangePolicy, policy_of

if TYPE_CHECKING:
    from doorkey.sources.issuer import Issuer

__all__: list[str] = []

SLACK: Final = 5.0
"""Seconds by which a lease outlives the deadline of the token request, for the read before and the commit after it."""


CALLS: Final = ("load", "try_lease", "commit", "release")
"""The calls of a store that a vault uses; it also calls `close` if the store has it."""


class VaultCore:
    """The state of one vault, without its store and its HTTP client; see `TokenVault` for the options."""

    def __init__(
        self,
        client_id: str,
        client_secret: object,
        *,
        issuer: str | Issuer | None,
        token_endpoint: str | None,
        metadata: ServerMetadata | Mapping[str, Any] | None,
        token_endpoint_auth_method: str | ClientAuthMethod | None,
        scope: str | Iterable[str] | None = None,
        audience: str | Iterable[str],
        resource: str | Iterable[str],
        sealer: Sealing | None,
        leeway: float | None,
        check_every: float,
        exchange: ExchangePolicy | None,
        clock: Callable[[], float] | None,
        on_event: OnEvent | None = None,
        timer: Callable[[], float] | None = None,
        token_params: Mapping[str, Any] | None = None,
        token_request_headers: HeaderItems | None = None,
        token_types: Mapping[str, str] | None = None,
        tls_client_certificate_bound_access_tokens: bool = False,
        allow_changed_auth_time: bool = False,
    ) -> None:
        method = token_endpoint_auth_method
        if isinstance(method, str):
            auth_method_named(method)
        elif method is not None:
            function(
                method, "token_endpoint_auth_method must be the name of a client authentication method, or a callable"
            )
        if leeway is not None:
            seconds(leeway, "leeway")
        seconds(check_every, "check_every")
        clock = wall_time if clock is None else clock
        timer = monotonic_time if timer is None else timer
        arguments.clock(clock)
        if not text(client_id, "client_id"):
            raise UsageError("a vault needs a client_id")
        if sealer is not None and not all(callable(getattr(sealer, name, None)) for name in ("seal", "open")):
            raise UsageError(f"sealer must be a doorkey.stores.Sealer, not {type(sealer).__name__}")
        self.policy = policy_of(exchange)
        # With only a token endpoint, the known metadata is incomplete, and a session must still discover its issuer
        self._is_described = metadata is not None or token_endpoint is None
        self.server = server_of(issuer, token_endpoint, metadata, self.policy)
        server = self.server.name()
        assert server is not None, "server_of() rejects a server without a name"
        self.client_id = client_id
        self.client_secret = Secret(client_secret) if isinstance(client_secret, str) else client_secret
        self.auth_method = method
        self.clock = clock
        types = check_token_types(token_types)
        self._token_types = types
        self._codec = Codec(client_id, server, sealer, types)
        self._server_name = server
        self._leeway, self._check_every = leeway, check_every
        self.on_event, self.timer = on_event, timer
        self.observer = Observer(client_id, lambda: server, on_event, timer)
        self._client = Credentials(
            client_id,
            client_secret,
            scopes=tuple(Scope.of(scope)),
            auth_methods=() if method is None else (method,),
            audience=texts(audience, "audience"),
            resource=texts(resource, "resource"),
            token_types=types,
            tls_client_certificate_bound_access_tokens=tls_client_certificate_bound_access_tokens,
            allow_changed_auth_time=allow_changed_auth_time,
        )
        self._requests_of = partial(
            TokenRequests,
            server=self.server,
            clock=clock,
            observer=self.observer,
            params=token_params,
            headers=token_request_headers,
        )
        self._requests = self._requests_of(self._client)
        lease = self.policy.deadline + SLACK
        if lease > MAX_LEASE:
            raise UsageError(
                f"the deadline of a vault's exchange= is at most {MAX_LEASE - SLACK:g} s: other processes wait for it"
            )
        self._renewing = Renewing(
            codec=self._codec,
            metadata=self._requests.metadata,
            request=self._refreshed,
            clock=clock,
            jitter=random,
            lease=lease,
            slack=SLACK,
            observer=self.observer,
            timer=monotonic_time if timer is monotonic_time else self._elapsed,
        )

    def _elapsed(self) -> float:
        moment = self.observer.moment()
        return monotonic_time() if moment is None else moment  # an error of the program's timer must not stop a renewal

    def _refreshed(
        self, metadata: ServerMetadata, token: OAuthToken | None, keep: Callable[[Secret], Flow[None]]
    ) -> Flow[OAuthToken]:
        assert token is not None, "without a record there is nothing to renew"
        return self._requests.refresh(metadata, token, keep)

    def shared(self, credentials: object, key: str | None) -> SharedCredentials:
        """Return `credentials` for all processes to share. Their record has the `key`, or one derived from them (None).

        Raises the errors of `shared_credentials`.
        """
        return shared_credentials(credentials, key, self._client, self._server_name, self._requests_of)

    def state(self, name: str | SharedCredentials) -> KeyState:
        """Return a new, empty state for `name`, which is a key or shared credentials."""
        if isinstance(name, str):
            return KeyState(self._memory(name), self._renewing.fresh, self.observer)
        by_credentials = replace(self._renewing, request=name.next_token, repeatable=True)
        return KeyState(self._memory(name.key), by_credentials.fresh, self.observer, repeatable=True)

    def _memory(self, key: str) -> Memory:
        return Memory(key, self._leeway, self._check_every)

    def session_options(self) -> dict[str, Any]:
        """Return the options for a session of the vault's client and server."""
        found = self.server.known_metadata
        endpoint = found.token_endpoint if found is not None else None
        known = {
            "issuer": self.server.issuer,
            "token_endpoint": endpoint,
            "scope": " ".join(self._client.scopes) or None,
            "metadata": found if self._is_described else None,
        }
        return {
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "token_endpoint_auth_method": self.auth_method,
            "leeway": self._leeway,
            "exchange": self.policy,
            "clock": self.clock,
            "on_event": self.on_event,
            "timer": self.timer,
            "token_types": self._token_types,
            "tls_client_certificate_bound_access_tokens": self._client.tls_client_certificate_bound_access_tokens,
            "allow_changed_auth_time": self._client.allow_changed_auth_time,
            **{name: value for name, value in known.items() if value is not None},
        }

    def save(self, state: KeyState, token: Mapping[str, Any] | OAuthToken) -> Flow[None]:
        """Save the token of a login under the key of `state`."""
        yield from self._change(state, Entry.new(self._value(token)))

    def forget(self, state: KeyState) -> Flow[None]:
        """Delete the record of the key of `state`, if there is one."""
        yield from self._change(state, None)

    def _change(self, state: KeyState, entry: Entry | None) -> Flow[None]:
        saved = yield from overwritten(self._codec, state.memory.key, entry)
        state.memory.changed(saved, self.clock())
        state.set_token(None if saved is None else saved.token)

    def _value(self, token: Mapping[str, Any] | OAuthToken) -> OAuthToken:
        if isinstance(token, OAuth2Token):
            token = token.value
        value = token if isinstance(token, OAuthToken) else OAuthToken.from_mapping(token, now=self.clock())
        return value.of_type(self._token_types)


def check_store(store: object, *, awaited: bool) -> None:
    """Raise `UsageError` unless `store` has the calls of a store: asynchronous if `awaited`, otherwise synchronous."""
    missing = [name for name in CALLS if not callable(getattr(store, name, None))]
    if missing:
        kind = type(store).__name__
        lacks = f"{kind} has no {missing[0]}()" if len(missing) < len(CALLS) else f"{kind} is no store"
        raise UsageError(
            f"a vault keeps its tokens in a store of doorkey.stores, such as SQLiteStore(path), or in one of your own "
            f"with {', '.join(CALLS)}: {lacks}"
        )
    if inspect.iscoroutinefunction(getattr(store, "load", None)) is not awaited:
        vault, other = ("asynchronous", "synchronous") if awaited else ("synchronous", "asynchronous")
        example = "AsyncSQLiteStore" if awaited else "SQLiteStore"
        raise UsageError(f"this vault is {vault}; {type(store).__name__} is {other}: use a store such as {example}")
