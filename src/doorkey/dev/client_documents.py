"""Clients whose ID is the URL of their metadata document: documents are fetched within limits, and cached.

`prepare` fetches the document before a request is processed, because responses are computed in the event loop's thread,
where nothing may block. The endpoints then read the client or the error from the cache.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Container
from importlib.util import find_spec
from typing import Final
from urllib.parse import urlsplit

from doorkey.errors import InvalidClient, OAuthError, ServerError, TransportError
from doorkey.protocol.client_id_document import MAX_DOCUMENT, document_request, is_document_url, parse_document
from doorkey.protocol.http_caching import CacheEntry, Lifetime
from doorkey.runtime.forks import ForkSafeLock
from doorkey.server.clients.authentication import client_id_in
from doorkey.server.registered import accepted, client_of
from doorkey.server.registrations import NONE, Client
from doorkey.server.responses.parameters import query_of
from doorkey.transport.httpx_or_httpx2 import NAMES
from doorkey.transport.senders import sender
from doorkey.wire.addresses import Address, public_address
from doorkey.wire.limits import ExchangePolicy
from doorkey.wire.messages import Request
from doorkey.wire.urls import is_loopback

LIFETIME: Final = Lifetime(least=10.0, default=300.0, most=86_400.0, stale=86_400.0)
"""Seconds for which a document is used. Its HTTP caching headers replace the default of 300, within these limits."""
DEADLINE: Final = 5.0
MAX_ENTRIES: Final = 100
MAX_FETCHES: Final = 8


class ClientDocuments:
    """Clients by the URL of their document. Thread-safe.

    at_loopback: whether a document may be at a loopback address of this machine, and not only at a public address.
    registered: the IDs of clients that are registered without a document.
    clock: returns POSIX seconds.
    """

    def __init__(self, *, at_loopback: bool, registered: Container[str], clock: Callable[[], float]) -> None:
        self._at_loopback, self._registered, self._clock = at_loopback, registered, clock
        self._entries: OrderedDict[str, CacheEntry[Client] | OAuthError] = OrderedDict()
        self._fetches = asyncio.Semaphore(MAX_FETCHES)
        self._lock = ForkSafeLock()

    @staticmethod
    def can_be_fetched() -> bool:
        """Return whether an HTTP library is installed that can fetch documents."""
        return any(find_spec(name) is not None for name in (*NAMES, "requests"))

    def names(self, client_id: str) -> bool:
        """Return whether `client_id` is the URL of a document that may be fetched."""
        return client_id not in self._registered and is_document_url(client_id, at_loopback=self._at_loopback)

    async def prepare(self, request: Request) -> None:
        """Fetch the document of the client that a request names, unless the cache has a fresh copy."""
        client_id = _named_in(request)
        if client_id is None or not self.names(client_id):
            return
        with self._lock:
            entry = self._entries.get(client_id)
        if isinstance(entry, CacheEntry) and entry.is_fresh(self._clock()):
            return
        async with self._fetches:
            found = await asyncio.to_thread(self._fetched, client_id)
        with self._lock:
            if not (isinstance(found, OAuthError) and isinstance(entry, CacheEntry) and _is_outage(found)):
                self._entries[client_id] = found
                self._entries.move_to_end(client_id)
            while len(self._entries) > MAX_ENTRIES:
                self._entries.popitem(last=False)

    def client(self, client_id: str) -> Client | None:
        """Return the client of a cached document, or None if no usable copy is cached.

        Raises `InvalidClient` if the document could not be fetched, or is invalid.
        """
        with self._lock:
            entry = self._entries.get(client_id)
        if isinstance(entry, OAuthError):
            raise InvalidClient(description=_description(entry), status=400)
        return entry.value if entry is not None and entry.is_usable(self._clock()) else None

    def _fetched(self, client_id: str) -> CacheEntry[Client] | OAuthError:
        local = is_loopback(urlsplit(client_id).hostname or "")
        addresses = _loopback_address if local else public_address
        policy = ExchangePolicy(deadline=DEADLINE, max_body=MAX_DOCUMENT, addresses=addresses)
        try:
            with sender(None, policy) as send:
                response = send(document_request(client_id))
            metadata = accepted(parse_document(response, client_id), NONE)
            return LIFETIME.entry(client_of(client_id, metadata, None), response, self._clock())
        except OAuthError as error:
            return error.without_history()


def _loopback_address(address: Address) -> bool:
    return address.is_loopback


def _named_in(request: Request) -> str | None:
    try:
        return query_of(request).get("client_id") if request.method == "GET" else client_id_in(request)
    except OAuthError:
        return None


def _is_outage(error: OAuthError) -> bool:
    """Return whether the server of the document cannot be reached or fails, so that a cached document stays in use."""
    return isinstance(error, TransportError) or (getattr(error, "status", None) or 0) >= 500


def _description(error: OAuthError) -> str:
    """Return the error description for a client, without details of the provider's network."""
    if isinstance(error, TransportError):
        return "the client metadata document cannot be fetched"
    if isinstance(error, ServerError) and error.status != 400:
        return "the server of the client metadata document returned an error"
    return f"the client metadata document cannot be used: {error.description}"
