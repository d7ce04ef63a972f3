"""The credentials for a request: those of the client, those of an account, or an exchange of the caller's token."""

from __future__ import annotations

import inspect
from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias

from doorkey.credentials import Credentials, ResourceOwnerCredentials, TokenExchange
from doorkey.errors import OAuthError, UsageError
from doorkey.values import Secret

SubjectTokenProvider: TypeAlias = "Callable[[], str | None]"
AsyncSubjectTokenProvider: TypeAlias = "Callable[[], str | Awaitable[str | None] | None]"


@dataclass(frozen=True, slots=True)
class FixedCredentials:
    """The same credentials for every request."""

    credentials: Credentials

    def __call__(self, request: Any) -> Credentials:
        """Return the credentials."""
        return self.credentials


@dataclass(frozen=True, slots=True)
class AccountInBasic:
    """The credentials of the account that the Basic authentication of a request names."""

    credentials: ResourceOwnerCredentials

    def __call__(self, request: Any) -> Credentials:
        """Return the credentials of the account, and remove the `Authorization` header of the request.

        Raises `UsageError` if the request has no Basic authentication.
        """
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        try:
            user, colon, password = b64decode(encoded, validate=True).decode("utf-8").partition(":")
        except ValueError:
            user = colon = password = ""
        if scheme.lower() != "basic" or not (user and colon):
            raise UsageError("this transport takes the account from the request: send it with auth=(user, password)")
        del request.headers["Authorization"]
        return self.credentials.with_username_password(user, password)


def exchange_of(credentials: Credentials, subject_token: object, *, optional: bool) -> Credentials:
    """Return the credentials that exchange `subject_token`. If it is missing and `optional`, return `credentials`.

    Raises `UsageError` for a subject token that is missing and not `optional`, or that is not text.
    """
    if subject_token is None or subject_token in ("", Secret("")):
        if optional:
            return credentials
        raise UsageError("the subject_token_provider returned no token: there is nothing to exchange")
    if not isinstance(subject_token, str | Secret):
        if inspect.iscoroutine(subject_token):
            subject_token.close()  # otherwise Python would warn later that it was never awaited
        raise UsageError(f"the subject_token_provider must return text, not a {type(subject_token).__name__}")
    if isinstance(credentials, TokenExchange):
        return replace(credentials, subject_token=subject_token)
    of_the_client: dict[str, Any] = {one.name: getattr(credentials, one.name) for one in fields(Credentials)}
    return TokenExchange(**of_the_client, subject_token=subject_token)


@dataclass(frozen=True, slots=True)
class Exchanged:
    """Credentials that exchange the token which `provider()` returns for a request."""

    credentials: Credentials
    provider: SubjectTokenProvider
    optional: bool

    def __call__(self, request: Any) -> Credentials:
        """Return the credentials of the exchange.

        Raises an `OAuthError` of the provider, and `UsageError` if it fails otherwise, or if it returns no token and
        `optional` is False.
        """
        return exchange_of(self.credentials, _called(self.provider), optional=self.optional)


@dataclass(frozen=True, slots=True)
class AsyncExchanged:
    """The asynchronous version of `Exchanged`. The provider may be a coroutine function."""

    credentials: Credentials
    provider: AsyncSubjectTokenProvider
    optional: bool

    async def __call__(self, request: Any) -> Credentials:
        """Return the credentials of the exchange.

        Raises an `OAuthError` of the provider, and `UsageError` if it fails otherwise, or if it returns no token and
        `optional` is False.
        """
        token: Any = _called(self.provider)
        if inspect.isawaitable(token):
            try:
                token = await token
            except Exception as error:
                raise _failed(error) from error
        return exchange_of(self.credentials, token, optional=self.optional)


def _called(provider: Callable[[], Any]) -> Any:
    try:
        return provider()
    except Exception as error:
        raise _failed(error) from error


def _failed(error: Exception) -> OAuthError:
    if isinstance(error, OAuthError):
        return error
    return UsageError(f"the subject_token_provider failed with {type(error).__name__}")
