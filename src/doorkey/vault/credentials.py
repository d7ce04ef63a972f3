"""Credentials whose token all processes share: which record it is in, and how the next one is requested."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from doorkey.arguments import instance
from doorkey.credentials import ClientCredentials, Credentials, ResourceOwnerCredentials
from doorkey.errors import UsageError
from doorkey.protocol.metadata import ServerMetadata
from doorkey.sources.next_token import next_token
from doorkey.sources.token_requests import TokenRequests
from doorkey.stores.limits import checked_key
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.wire.flow import Flow

__all__: list[str] = []

_NAMED: Final = (ClientCredentials, ResourceOwnerCredentials)
"""The credentials that are told apart by values that are no secrets."""


@dataclass(frozen=True, slots=True)
class SharedCredentials:
    """`credentials` whose token is in the record of `key`; `requests` are theirs."""

    key: str
    credentials: Credentials
    requests: TokenRequests = field(repr=False, compare=False)

    def next_token(
        self, metadata: ServerMetadata, token: OAuthToken | None, keep: Callable[[Secret], Flow[None]]
    ) -> Flow[OAuthToken]:
        """Return the token that follows `token` (None: the first), at the server of `metadata`.

        It is requested by the refresh token if there is one and it works, else by the credentials. `keep` is given the
        refresh token of a response whose ID token is refused.
        """
        return next_token(
            token,
            None,
            lambda old, _: self.requests.refresh(metadata, old, keep),
            lambda: self._present(metadata),
            repeatable=True,
        )

    def _present(self, metadata: ServerMetadata) -> Flow[OAuthToken]:
        return (yield from self.requests.ask(metadata, self.credentials.grant()))


def shared_credentials(
    credentials: object, key: object, client: Credentials, server: str, requests: Callable[[Credentials], TokenRequests]
) -> SharedCredentials:
    """Return what the vault of `client` at `server` shares for `credentials`, which `requests` makes the requests of.

    What the credentials do not set (secret, authentication methods, audience, resource, token types, the binding of
    tokens) is the vault's. `key` defaults to one that is derived from the credentials. Raises `UsageError` for
    credentials of another client, those that cannot be presented again, and those that need a key.
    """
    given = instance(credentials, Credentials, "source_of() takes credentials, for instance ClientCredentials")
    if given.client_id != client.client_id:
        raise UsageError("these credentials are another client's than the vault: give each client a vault of its own")
    if not given.repeatable:
        raise UsageError(f"{type(given).__name__} can be presented once only: save() its token under a key instead")
    whole = replace(
        given,
        client_secret=client.client_secret if given.client_secret is None else given.client_secret,
        auth_methods=given.auth_methods or client.auth_methods,
        audience=given.audience or client.audience,
        resource=given.resource or client.resource,
        token_types=given.token_types or client.token_types,
        tls_client_certificate_bound_access_tokens=given.tls_client_certificate_bound_access_tokens
        or client.tls_client_certificate_bound_access_tokens,
        allow_changed_auth_time=given.allow_changed_auth_time or client.allow_changed_auth_time,
    )
    return SharedCredentials(checked_key(_key_of(whole, server) if key is None else key), whole, requests(whole))


def _key_of(credentials: Credentials, server: str) -> str:
    """Return the key of credentials that every process derives in the same way; no secret is part of it."""
    if type(credentials) not in _NAMED:
        raise UsageError(
            f"no key can be derived from {type(credentials).__name__}, whose subject is a secret: give key=, one for "
            "each subject"
        )
    parts = [
        *(type(credentials).__name__, server, credentials.client_id, getattr(credentials, "username", "")),
        *(sorted(credentials.scopes), sorted(credentials.audience), sorted(credentials.resource)),
    ]
    return "credentials:" + hashlib.sha256(json.dumps(parts).encode()).hexdigest()
