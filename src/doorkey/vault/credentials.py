"""Credentials whose token all processes share: the key of its record, and the request for the next token."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final

from doorkey.arguments import instance
from doorkey.credentials import ClientCredentials, Credentials, ResourceOwnerCredentials
from doorkey.errors import UsageError
from doorkey.protocol.metadata import ServerMetadata
from doorkey.renewal.next_token import next_token
from doorkey.sources.token_requests import TokenRequests
from doorkey.stores.limits import checked_key
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.wire.flow import Flow

__all__: list[str] = []

_KEYED: Final = (ClientCredentials, ResourceOwnerCredentials)
"""The credentials that a key can be derived from, because values that are not secret distinguish them."""

_OWN: Final = ("client_id", "scopes")
"""The values that credentials do not take from the vault."""


@dataclass(frozen=True, slots=True)
class SharedCredentials:
    """`credentials` whose token is in the record of `key`; `requests` sends their token requests."""

    key: str
    credentials: Credentials
    requests: TokenRequests = field(repr=False, compare=False)

    def next_token(
        self, metadata: ServerMetadata, token: OAuthToken | None, keep: Callable[[Secret], Flow[None]]
    ) -> Flow[OAuthToken]:
        """Return the token after `token` (None: the first token), from the server of `metadata`.

        It is requested with the refresh token, or with the credentials if there is no refresh token or the server
        rejects it. The flow `keep` gets the refresh token of a response whose ID token is rejected.
        """
        return next_token(
            token,
            None,
            lambda old, _: self.requests.refresh(metadata, old, keep),
            lambda: self._present(metadata),
            repeatable=True,
        )

    def _present(self, metadata: ServerMetadata) -> Flow[OAuthToken]:
        return (yield from self.requests.request_token(metadata, self.credentials.grant()))


def shared_credentials(
    credentials: object, key: object, client: Credentials, server: str, requests: Callable[[Credentials], TokenRequests]
) -> SharedCredentials:
    """Return `credentials` with their key, completed from the vault's `client` at `server`.

    Values that the credentials do not set (secret, authentication methods, audience, resource, token types, the binding
    of tokens, `allow_changed_auth_time`) are the vault's. `key` defaults to a key that is derived from the credentials.
    `requests` returns their token requests. Raises `UsageError` for credentials of another client, those that cannot be
    presented again, those that need a `key`, and an invalid key.
    """
    given = instance(credentials, Credentials, "source_of() takes credentials, for instance ClientCredentials")
    if given.client_id != client.client_id:
        raise UsageError("these credentials belong to another client than the vault: create a vault for each client")
    if not given.repeatable:
        raise UsageError(f"{type(given).__name__} can be presented once only: save() its token under a key instead")
    inherited: dict[str, Any] = {
        one.name: getattr(client, one.name)
        for one in fields(Credentials)
        if one.name not in _OWN and getattr(given, one.name) in (None, (), False)
    }
    whole = replace(given, **inherited)
    return SharedCredentials(checked_key(_key_of(whole, server) if key is None else key), whole, requests(whole))


def _key_of(credentials: Credentials, server: str) -> str:
    """Return the key of credentials, which every process derives in the same way; no secret is part of it."""
    if type(credentials) not in _KEYED:
        raise UsageError(
            f"no key can be derived from {type(credentials).__name__}, whose subject is a secret: pass key=, a "
            "different one for each subject"
        )
    parts = [
        *(type(credentials).__name__, server, credentials.client_id, getattr(credentials, "username", "")),
        *(sorted(credentials.scopes), sorted(credentials.audience), sorted(credentials.resource)),
    ]
    return "credentials:" + hashlib.sha256(json.dumps(parts).encode()).hexdigest()
