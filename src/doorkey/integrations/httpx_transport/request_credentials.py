"""The token of a request: the client's own, that of an account, or one that is exchanged for the caller's token."""

from __future__ import annotations

import inspect
from base64 import b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from doorkey.credentials import Credentials, ResourceOwnerCredentials, TokenExchange
from doorkey.errors import OAuthError, UsageError
from doorkey.values import Secret

SubjectTokenProvider: TypeAlias = "Callable[[], str | None]"
AsyncSubjectTokenProvider: TypeAlias = "Callable[[], str | Awaitable[str | None] | None]"


@dataclass(frozen=True, slots=True)
class Same:
    """Every request carries the token of `credentials`."""

    credentials: Credentials

    def __call__(self, request: Any) -> Credentials:
        """Return the credentials, whatever the request."""
        return self.credentials


@dataclass(frozen=True, slots=True)
class NamedInBasic:
    """The request's own Basic credentials name the account, and are replaced by its token."""

    credentials: ResourceOwnerCredentials

    def __call__(self, request: Any) -> Credentials:
        """Return the account's credentials, and take the Basic ones off. Raises `UsageError` where there are none."""
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        try:
            user, colon, password = b64decode(encoded, validate=True).decode("utf-8").partition(":")
        except ValueError:
            user = colon = password = ""
        if scheme.lower() != "basic" or not (user and colon):
            raise UsageError("this transport takes the account from the request: give it auth=(user, password)")
        del request.headers["Authorization"]
        return self.credentials.with_username_password(user, password)


def exchange_of(credentials: Credentials, subject_token: object, *, optional: bool) -> Credentials:
    """Return the credentials that exchange `subject_token`; without one, those of the client itself where `optional`.

    Raises `UsageError` when there is no subject token and there must be one.
    """
    if subject_token is None or subject_token in ("", Secret("")):
        if optional:
            return credentials
        raise UsageError("the subject_token_provider returned no token: there is nothing to exchange")
    if not isinstance(subject_token, str | Secret):
        if inspect.iscoroutine(subject_token):
            subject_token.close()  # or Python warns, far from here, that it was never awaited
        raise UsageError(
            f"a subject token is text, and the subject_token_provider returned a {type(subject_token).__name__}"
        )
    if isinstance(credentials, TokenExchange):
        return replace(credentials, subject_token=subject_token)
    return TokenExchange(
        credentials.client_id,
        credentials.client_secret,
        credentials.scopes,
        credentials.auth_methods,
        credentials.audience,
        credentials.resource,
        subject_token=subject_token,
    )


@dataclass(frozen=True, slots=True)
class Exchanged:
    """Each request carries a token exchanged for the one that `provider()` returns at that moment."""

    credentials: Credentials
    provider: SubjectTokenProvider
    optional: bool

    def __call__(self, request: Any) -> Credentials:
        """Return the credentials of the exchange. Raises `UsageError` when the provider fails or returns nothing."""
        return exchange_of(self.credentials, _called(self.provider), optional=self.optional)


@dataclass(frozen=True, slots=True)
class AsyncExchanged:
    """The asynchronous twin of `Exchanged`; the provider may be a coroutine function."""

    credentials: Credentials
    provider: AsyncSubjectTokenProvider
    optional: bool

    async def __call__(self, request: Any) -> Credentials:
        """Return the credentials of the exchange. Raises `UsageError` when the provider fails or returns nothing."""
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
