"""`AssertionClient` and `AsyncAssertionClient`: httpx2 or httpx clients for a service account."""

from __future__ import annotations

from doorkey.integrations.httpx_client.family import AsyncFamily, SyncFamily
from doorkey.oauth2.assertion import AssertionClient


class SyncAssertion(AssertionClient, SyncFamily):
    """The blocking client."""

    __doc__ = AssertionClient.__doc__


class AsyncAssertion(AssertionClient, AsyncFamily):
    """The awaiting client."""

    __doc__ = AssertionClient.__doc__
