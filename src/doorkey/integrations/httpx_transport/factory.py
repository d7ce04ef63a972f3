"""`AuthenticatingTransportFactory`: wraps a transport so that each request carries a token."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, TypeAlias, TypeVar

from doorkey.arguments import error_statuses, flag, function, instance
from doorkey.credentials import Credentials, ResourceOwnerCredentials
from doorkey.errors import UsageError
from doorkey.integrations.httpx_transport.authority import AsyncOAuthAuthorityClient, OAuthAuthorityClient
from doorkey.integrations.httpx_transport.request_credentials import (
    AccountInBasic,
    AsyncExchanged,
    AsyncSubjectTokenProvider,
    Exchanged,
    FixedCredentials,
    SubjectTokenProvider,
)
from doorkey.integrations.httpx_transport.transport import AsyncAuthenticatingTransport, AuthenticatingTransport
from doorkey.transport.senders import ahttpx_of, httpx_of

Scopes: TypeAlias = tuple[str, ...]
"""A name that programs for httpx-oauth2 import. Credentials also accept text and any iterable."""

_C = TypeVar("_C", bound=Credentials)

_PROVIDER: Final = "subject_token_provider must be a callable that returns the token to exchange"


class AuthenticatingTransportFactory:
    """Wraps transports of blocking clients, so that their requests carry tokens.

    authority: the `OAuthAuthorityClient` that requests the tokens, and caches them for all transports.
    rejected_statuses: API statuses that mean a rejected token. An error response with ``Bearer error="invalid_token"``
        always does (RFC 6750 §3.1).
    retry_rejected: False to return a rejection unchanged and keep the token.
    """

    def __init__(
        self,
        authority: OAuthAuthorityClient,
        *,
        rejected_statuses: Iterable[int] = (401,),
        retry_rejected: bool = True,
    ) -> None:
        self._sending = _sending(rejected_statuses, retry_rejected)
        self._authority = instance(authority, OAuthAuthorityClient, "authority must be an OAuthAuthorityClient")

    def authenticating_transport(self, transport: Any, credentials: Credentials) -> AuthenticatingTransport:
        """Return a transport that sends every request with the token for `credentials`.

        transport: the transport that sends the requests; None: a new transport.
        credentials: the client and its grant: `ClientCredentials`, …

        Raises `UsageError`.
        """
        return self._wrapped(transport, FixedCredentials(_checked(credentials, Credentials)))

    def resource_owner_transport(
        self, transport: Any, credentials: ResourceOwnerCredentials
    ) -> AuthenticatingTransport:
        """Return a transport that replaces ``auth=(user, password)`` of each request by a token for that account.

        transport: the transport that sends the requests; None: a new transport.
        credentials: the client of the password grant.

        Raises `UsageError`, also for a request without such an `auth`.
        """
        return self._wrapped(transport, AccountInBasic(_checked(credentials, ResourceOwnerCredentials)))

    def token_exchange_transport(
        self,
        transport: Any,
        credentials: Credentials,
        subject_token_provider: SubjectTokenProvider,
        optional_exchange: bool = False,
    ) -> AuthenticatingTransport:
        """Return a transport whose requests carry a token that was exchanged for the caller's token (RFC 8693).

        transport: the transport that sends the requests; None: a new transport.
        credentials: the client that exchanges the token.
        subject_token_provider: returns the caller's token, or None. It is called for each request.
        optional_exchange: True to send the client's own token if there is no token of the caller.

        Raises `UsageError`.
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

    authority: the `AsyncOAuthAuthorityClient` that requests the tokens, and caches them for all transports.
    rejected_statuses: API statuses that mean a rejected token. An error response with ``Bearer error="invalid_token"``
        always does (RFC 6750 §3.1).
    retry_rejected: False to return a rejection unchanged and keep the token.
    """

    def __init__(
        self,
        authority: AsyncOAuthAuthorityClient,
        *,
        rejected_statuses: Iterable[int] = (401,),
        retry_rejected: bool = True,
    ) -> None:
        self._sending = _sending(rejected_statuses, retry_rejected)
        self._authority = instance(
            authority, AsyncOAuthAuthorityClient, "authority must be an AsyncOAuthAuthorityClient"
        )

    def authenticating_transport(self, transport: Any, credentials: Credentials) -> AsyncAuthenticatingTransport:
        """Return a transport that sends every request with the token for `credentials`.

        transport: the transport that sends the requests; None: a new transport.
        credentials: the client and its grant: `ClientCredentials`, …

        Raises `UsageError`.
        """
        return self._wrapped(transport, FixedCredentials(_checked(credentials, Credentials)))

    def resource_owner_transport(
        self, transport: Any, credentials: ResourceOwnerCredentials
    ) -> AsyncAuthenticatingTransport:
        """Return a transport that replaces ``auth=(user, password)`` of each request by a token for that account.

        transport: the transport that sends the requests; None: a new transport.
        credentials: the client of the password grant.

        Raises `UsageError`, also for a request without such an `auth`.
        """
        return self._wrapped(transport, AccountInBasic(_checked(credentials, ResourceOwnerCredentials)))

    def token_exchange_transport(
        self,
        transport: Any,
        credentials: Credentials,
        subject_token_provider: AsyncSubjectTokenProvider,
        optional_exchange: bool = False,
    ) -> AsyncAuthenticatingTransport:
        """Return a transport whose requests carry a token that was exchanged for the caller's token (RFC 8693).

        transport: the transport that sends the requests; None: a new transport.
        credentials: the client that exchanges the token.
        subject_token_provider: returns the caller's token, or None. It is called for each request, and may be a
            coroutine function.
        optional_exchange: True to send the client's own token if there is no token of the caller.

        Raises `UsageError`.
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
        raise UsageError(
            f"transport= needs a transport of httpx2 or httpx: {type(transport).__name__} has no {sends}()"
        )
