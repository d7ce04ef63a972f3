"""An `Issuer` for unit tests: its keys and metadata are in this process, and nothing is fetched."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from doorkey.dev.hosts import Hosts
from doorkey.dev.keycloak import ADMIN_REALM
from doorkey.dev.service import Service
from doorkey.errors import InvalidResponse
from doorkey.jose.keys import import_keys
from doorkey.protocol.jwks import Keys
from doorkey.server.endpoints.discovery import discovery
from doorkey.server.model import Settings
from doorkey.server.option_names import options_checked
from doorkey.server.registrations import Client, User
from doorkey.server.storage.records import MemoryRecords
from doorkey.sources.fetched_once.keys import Clock, KeyCore
from doorkey.sources.issuer import Issuer
from doorkey.sources.issuer_core import IssuerCore
from doorkey.sources.key_source import AsyncKeySource, KeySource
from doorkey.wire.flow import Flow, run
from doorkey.wire.messages import Request
from doorkey.wire.urls import check_endpoint

T = TypeVar("T")

DEFAULT_URL = "https://issuer.example"


@options_checked("a local issuer")
class LocalIssuer(Issuer):
    """An issuer without a network. Use it in place of a `doorkey.Issuer`, to verify the tokens that it issues.

    Its methods `token`, `id_token`, `rotate_keys` and `advance` are those of `doorkey.testing.Provider`.

    url: the issuer's URL. No server listens there.
    clients: clients in addition to the default clients. A client with the ID of a default client replaces it.
    users: users in addition to the default users. A user with the name of a default user replaces it.
    settings: the settings of its only realm.
    clock: returns POSIX seconds; None: `time.time`.

    Raises `UsageError` for a URL that cannot be an issuer, and for invalid arguments.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        clients: Iterable[Client] = (),
        users: Iterable[User] = (),
        settings: Settings | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        realms = {} if settings is None else {ADMIN_REALM: settings}
        service = _OneRealm(check_endpoint(url, "issuer"), clients, users, realms, clock)
        self.token = service.token
        self.id_token = service.id_token
        self.rotate_keys = service.rotate_keys
        self.advance = service.advance
        self.clock = service.clock
        super().__init__(url, metadata=service.metadata(), keys=service.public_jwks(), clock=service.clock)
        self._core = IssuerCore(self._server, _LiveKeys(service.public_jwks))
        self._keys = KeySource._on(self._core.keys, self._blocking, self._clock)
        self._akeys = AsyncKeySource._on(self._core.keys, self._awaiting, self._clock)


class _OneRealm(Service):
    """A service whose only issuer has the given URL."""

    def __init__(
        self,
        url: str,
        clients: Iterable[Client],
        users: Iterable[User],
        realms: dict[str, Settings],
        clock: Callable[[], float] | None,
    ) -> None:
        super().__init__(clients, users, realms, None, None, None, clock)
        self._url = url
        self._open(MemoryRecords(), Hosts())

    @property
    def origin(self) -> str:
        return self._url

    def issuer_of(self, realm: str) -> str:
        super().issuer_of(realm)  # raises `UsageError` for an unknown realm
        return self._url

    def public_jwks(self) -> dict[str, Any]:
        return self._at(ADMIN_REALM).keys.public_jwks()

    def metadata(self) -> dict[str, Any]:
        response = run(discovery(Request("GET", self._url), self._at(ADMIN_REALM)), _refuse)
        found: dict[str, Any] = json.loads(response.body)
        return found


class _LiveKeys(KeyCore):
    """Keys that reflect a rotation immediately."""

    def __init__(self, jwks: Callable[[], dict[str, Any]]) -> None:
        super().__init__(None, keys=())
        self._jwks = jwks

    def keys(self, clock: Clock) -> Flow[Keys]:
        yield from ()
        return import_keys(self._jwks())

    def checked(self, check: Callable[[Keys], T], clock: Clock) -> Flow[T]:
        return check((yield from self.keys(clock)))


def _refuse(effect: object) -> object:
    raise InvalidResponse("effect", f"the metadata of a local issuer needs no {type(effect).__name__}")
