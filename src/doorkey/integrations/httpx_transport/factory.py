"""`AuthenticatingTransportFactory`: wraps a transport so that what goes through it carries a token."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeAlias, TypeVar

from doorkey.arguments import error_statuses, flag, function, instance
from doorkey.credentials import Credentials, ResourceOwnerCredentials
from doorkey.errors import UsageError
from doorkey.integrations.httpx_transport.authority import AsyncOAuthAuthorityClient, OAuthAuthorityClient
from doorkey.integrations.httpx_transport.request_credentials import (
    AsyncExchanged,
    AsyncSubjectTokenProvider,
    Exchanged,
    NamedInBasic,
    Same,
    SubjectTokenProvider,
)
from doorkey.integrations.httpx_transport.transport import AsyncAuthenticatingTransport, AuthenticatingTransport
from doorkey.transport.senders import ahttpx_of, httpx_of

Scopes: TypeAlias = tuple[str, ...]
"""A name that programs for httpx-oauth2 import. Credentials take text and any iterable."""

_C = TypeVar("_C", bound=Credentials)

_PROVIDER: Final = "subject_token_provider is a callable that returns the token to exchange"


class AuthenticatingTransportFactory:
    """Wraps transports of blocking clients, so that their requests carry tokens.

    authority: the `OAuthAuthorityClient` that gets the tokens, and caches them for all transports.
    rejected_statuses: statuses that reject the token, besides any with ``Bearer error="invalid_token"``.
    retry_rejected: False to return a rejection as it is and keep the token.
    """

    def __init__(
        self,
        authority: OAuthAuthorityClient,
        *,
        rejected_statuses: Iterable[int] = (401,),
        retry_rejected: bool = True,
    ) -> None:
        self._sending = _sending(rejected_statuses, retry_rejected)
        self._authority = instance(authority, OAuthAuthorityClient, "authority is an OAuthAuthorityClient")

    def authenticating_transport(self, transport: Any, credentials: Credentials) -> AuthenticatingTransport:
        """Return `transport` (None: a new one) with the token of `credentials` in every request."""
        return self._wrapped(transport, Same(_checked(credentials, Credentials)))

    def resource_owner_transport(
        self, transport: Any, credentials: ResourceOwnerCredentials
    ) -> AuthenticatingTransport:
        """Return `transport` with the token of the account that a request's own ``auth=(user, password)`` names."""
        return self._wrapped(transport, NamedInBasic(_checked(credentials, ResourceOwnerCredentials)))

    def token_exchange_transport(
        self,
        transport: Any,
        credentials: Credentials,
        subject_token_provider: SubjectTokenProvider,
        optional_exchange: bool = False,
    ) -> AuthenticatingTransport:
        """Return `transport` with a token that is exchanged for the one of `subject_token_provider()` (RFC 8693).

        transport: the transport that sends the requests; None: a new one.
        credentials: the client that exchanges the token.
        subject_token_provider: returns the token of the caller, or None.
        optional_exchange: True to send the client's own token if there is no token of the caller.
        """
        function(subject_token_provider, _PROVIDER)
        client = _checked(credentials, Credentials)
        return self._wrapped(transport, Exchanged(client, subject_token_provider, optional_exchange))

    def _wrapped(self, transport: Any, credentials_of: Any) -> AuthenticatingTransport:
        inner = transport if transport is not None else httpx_of(self._authority.http).HTTPTransport()
        _check_transport(inner, "handle_request")
        return AuthenticatingTransport(inner, credentials_of, self._authority, self._sending)


class AsyncAuthenticatingTransportFactory:
    """Wraps transports of asynchronous clients, so that their requests carry tokens.

    authority: the `AsyncOAuthAuthorityClient` that gets the tokens, and caches them for all transports.
    rejected_statuses: statuses that reject the token, besides any with ``Bearer error="invalid_token"``.
    retry_rejected: False to return a rejection as it is and keep the token.
    """

    def __init__(
        self,
        authority: AsyncOAuthAuthorityClient,
        *,
        rejected_statuses: Iterable[int] = (401,),
        retry_rejected: bool = True,
    ) -> None:
        self._sending = _sending(rejected_statuses, retry_rejected)
        self._authority = instance(authority, AsyncOAuthAuthorityClient, "authority is an AsyncOAuthAuthorityClient")

    def authenticating_transport(self, transport: Any, credentials: Credentials) -> AsyncAuthenticatingTransport:
        """Return `transport` (None: a new one) with the token of `credentials` in every request."""
        return self._wrapped(transport, Same(_checked(credentials, Credentials)))

    def resource_owner_transport(
        self, transport: Any, credentials: ResourceOwnerCredentials
    ) -> AsyncAuthenticatingTransport:
        """Return `transport` with the token of the account that a request's own ``auth=(user, password)`` names."""
        return self._wrapped(transport, NamedInBasic(_checked(credentials, ResourceOwnerCredentials)))

    def token_exchange_transport(
        self,
        transport: Any,
        credentials: Credentials,
        subject_token_provider: AsyncSubjectTokenProvider,
        optional_exchange: bool = False,
    ) -> AsyncAuthenticatingTransport:
        """Return `transport` with a token that is exchanged for the one of `subject_token_provider()` (RFC 8693).

        The provider may be a coroutine function. Where it returns nothing and `optional_exchange` is set, the client's
        own token is sent.
        """
        function(subject_token_provider, _PROVIDER)
        client = _checked(credentials, Credentials)
        return self._wrapped(transport, AsyncExchanged(client, subject_token_provider, optional_exchange))

    def _wrapped(self, transport: Any, credentials_of: Any) -> AsyncAuthenticatingTransport:
        inner = transport if transport is not None else ahttpx_of(self._authority.http).AsyncHTTPTransport()
        _check_transport(inner, "handle_async_request")
        return AsyncAuthenticatingTransport(inner, credentials_of, self._authority, self._sending)


def _sending(rejected_statuses: Iterable[int], retry_rejected: bool) -> dict[str, Any]:
    return {
        "rejected_statuses": error_statuses(rejected_statuses, "rejected_statuses"),
        "retry_rejected": flag(retry_rejected, "retry_rejected"),
    }


def _checked(credentials: object, kind: type[_C]) -> _C:
    return instance(credentials, kind, f"credentials are {kind.__name__}")


def _check_transport(transport: Any, sends: str) -> None:
    if not callable(getattr(transport, sends, None)):
        raise UsageError(f"a transport of httpx2 or httpx has {sends}(), and {type(transport).__name__} has not")
