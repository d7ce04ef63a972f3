"""doorkey on httpx2, or on httpx if only that is installed: `OAuth2Client`, `AsyncOAuth2Client` and `OAuth2Auth`.

`AssertionClient` and `AsyncAssertionClient` are for service accounts. ``on("httpx")`` returns the same classes for one
of the two libraries.
"""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

from doorkey.integrations.base_client import errors
from doorkey.integrations.base_client.errors import *  # noqa: F403  # one list, in `errors`
from doorkey.integrations.httpx_client.family import AsyncFamily, Family, SyncFamily, family
from doorkey.integrations.httpx_client.oauth2_auth import OAuth2Auth
from doorkey.runtime.absent import absent
from doorkey.transport.httpx_or_httpx2 import library

if TYPE_CHECKING:
    from doorkey.integrations.httpx_client.family import AsyncAssertion, SyncAssertion

    class OAuth2Client(SyncFamily):
        """The blocking client."""

    class AsyncOAuth2Client(AsyncFamily):
        """The asynchronous client."""

    class AssertionClient(SyncAssertion):
        """The blocking client for a service account."""

    class AsyncAssertionClient(AsyncAssertion):
        """The asynchronous client for a service account."""
else:
    OAuth2Client, AsyncOAuth2Client, _, AssertionClient, AsyncAssertionClient = family(library())


def on(asked_for: str | ModuleType) -> Family:
    """Return the client classes for the library `asked_for`.

    asked_for: "httpx2" or "httpx", or the module itself.

    Raises `UsageError` for another library, and `MissingLibraryError` if it is not installed.
    """
    return family(library(asked_for))


__all__ = ["AssertionClient", "AsyncAssertionClient", "AsyncOAuth2Client", "OAuth2Auth", "OAuth2Client", "on"]
__all__ += errors.__all__

if not TYPE_CHECKING:  # otherwise a type checker would accept misspelled names

    def __getattr__(name: str) -> NoReturn:
        raise absent(__name__, name)
