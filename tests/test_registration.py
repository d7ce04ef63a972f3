"""`register_client` and its relatives, blocking and awaiting, over whichever HTTP client there is."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import httpx2
import pytest

from doorkey import ExchangePolicy, Issuer, Secret, aregister_client, public_address, register_client
from doorkey.errors import InvalidResponse, OAuthError, TransportError, UsageError, VerificationError
from doorkey.protocol.registration import InvalidRedirectURI
from doorkey.registration import (
    RegisteredClient,
    adelete_client,
    aread_client,
    aupdate_client,
    delete_client,
    read_client,
    update_client,
)
from tests.support.backends import both_backends

ISSUER = "https://as.example"
METADATA = {"issuer": ISSUER, "token_endpoint": f"{ISSUER}/token", "registration_endpoint": f"{ISSUER}/register"}


class Server:
    """An authorization server as a transport: it keeps its clients, and each request that came."""

    def __init__(self, metadata: dict[str, Any] | None = None) -> None:
        self.metadata = METADATA if metadata is None else metadata
        self.clients: dict[str, dict[str, Any]] = {}
        self.seen: list[tuple[str, str, str | None]] = []

    def answer(self, method: str, url: str, authorization: str | None, body: bytes) -> tuple[int, Any]:
        self.seen.append((method, url, authorization))
        if "/.well-known/" in url:
            return 200, self.metadata
        if method == "POST":
            members = json.loads(body)
            if any("evil" in uri for uri in members.get("redirect_uris", ())):
                return 400, {"error": "invalid_redirect_uri", "error_description": "not this one"}
            issued = {
                "client_id": f"c{len(self.clients)}",
                "client_secret": "s3cr3t-of-it",
                "registration_client_uri": f"{ISSUER}/register/c{len(self.clients)}",
                "registration_access_token": "t0ken-1",
            }
            self.clients[issued["client_id"]] = {**members, **issued}
            return 201, self.clients[issued["client_id"]]
        name = url.rpartition("/")[2]
        client = self.clients.get(name)
        if client is None or authorization != f"Bearer {client['registration_access_token']}":
            return 401, {"error": "invalid_token"}
        if method == "DELETE":
            return 204, self.clients.pop(name)
        if method == "PUT":
            self.clients[name] = client = {**json.loads(body), "registration_access_token": "t0ken-2"}
        return 200, client

    def handler(self, library: Any) -> Callable[[Any], Any]:
        def handle(request: Any) -> Any:
            sent = (request.method, str(request.url), request.headers.get("authorization"), request.content)
            status, members = self.answer(*sent)
            return library.Response(status, json=None if status == 204 else members)

        return handle

    def client(self, library: Any, name: str) -> Any:
        return getattr(library, name)(transport=library.MockTransport(self.handler(library)))


Does = Callable[..., Awaitable[Any]]


def awaited(function: Callable[..., Any]) -> Does:
    async def call(*args: Any, **given: Any) -> Any:
        return function(*args, **given)

    return call


BLOCKING = tuple(awaited(one) for one in (register_client, read_client, update_client, delete_client))
AWAITING: tuple[Does, ...] = (aregister_client, aread_client, aupdate_client, adelete_client)
FACES = [
    pytest.param(BLOCKING, httpx2, "Client", id="httpx2"),
    pytest.param(BLOCKING, httpx, "Client", id="httpx"),
    pytest.param(AWAITING, httpx2, "AsyncClient", id="httpx2-async"),
    pytest.param(AWAITING, httpx, "AsyncClient", id="httpx-async"),
]


@both_backends
@pytest.mark.parametrize(("face", "library", "name"), FACES)
@pytest.mark.anyio
async def test_a_client_is_registered_read_updated_and_deleted(face: tuple[Does, ...], library: Any, name: str) -> None:
    register, read, update, delete = face
    server = Server()
    over = {"http_client": server.client(library, name)}
    client = await register(
        ISSUER, redirect_uris=["http://127.0.0.1/cb"], client_name="App", initial_access_token="initial", **over
    )
    assert (client.client_id, client.client_secret, client.issuer) == ("c0", Secret("s3cr3t-of-it"), ISSUER)
    assert client.metadata == {"redirect_uris": ["http://127.0.0.1/cb"], "client_name": "App"}
    assert server.seen[-1] == ("POST", f"{ISSUER}/register", "Bearer initial")
    assert await read(client, **over) == client
    changed = await update(client, client_name="Other", redirect_uris=None, **over)
    assert changed.metadata == {"client_name": "Other"}
    assert changed.client_secret == client.client_secret
    assert changed.registration_access_token == Secret("t0ken-2")
    with pytest.raises(OAuthError, match="invalid_token"):  # the token that was replaced
        await read(client, **over)
    await delete(changed, **over)
    assert server.clients == {}


@both_backends
@pytest.mark.parametrize(("face", "library", "name"), FACES)
@pytest.mark.anyio
async def test_the_error_of_the_server_is_typed_and_the_request_is_sent_once(
    face: tuple[Does, ...], library: Any, name: str
) -> None:
    server = Server()
    with pytest.raises(InvalidRedirectURI, match="not this one"):
        await face[0](ISSUER, redirect_uris=["https://evil.example/"], http_client=server.client(library, name))
    assert [method for method, _, _ in server.seen] == ["GET", "POST"]


@both_backends
@pytest.mark.parametrize(("face", "name"), [(BLOCKING, "Client"), (AWAITING, "AsyncClient")])
@pytest.mark.anyio
async def test_an_issuer_shares_its_metadata_and_its_client(face: tuple[Does, ...], name: str) -> None:
    server = Server()
    issuer = Issuer(ISSUER, http_client=server.client(httpx2, name))
    first, second = [await face[0](issuer, redirect_uris=["http://127.0.0.1/cb"]) for _ in range(2)]
    assert (first.client_id, second.client_id) == ("c0", "c1")
    assert [method for method, _, _ in server.seen] == ["GET", "POST", "POST"]


def test_a_server_without_the_endpoint_is_named_in_the_error() -> None:
    server = Server({"issuer": ISSUER, "token_endpoint": f"{ISSUER}/token"})
    with pytest.raises(UsageError, match="names no registration_endpoint"):
        register_client(ISSUER, http_client=server.client(httpx2, "Client"))


def test_the_metadata_of_another_issuer_registers_nothing() -> None:
    server = Server({**METADATA, "issuer": "https://evil.example"})
    with pytest.raises(VerificationError, match="issuer"):
        register_client(ISSUER, initial_access_token="initial", http_client=server.client(httpx2, "Client"))
    assert {authorization for _, _, authorization in server.seen} == {None}


def test_an_https_issuer_cannot_name_an_http_endpoint() -> None:
    server = Server({**METADATA, "registration_endpoint": "http://127.0.0.1/register"})
    with pytest.raises(InvalidResponse, match="registration_endpoint"):
        register_client(ISSUER, http_client=server.client(httpx2, "Client"))


def test_a_redirect_of_the_endpoint_is_not_followed() -> None:
    server = Server()

    def handle(request: Any) -> Any:
        if request.method == "POST":
            return httpx2.Response(307, headers={"Location": "https://evil.example/register"})
        return server.handler(httpx2)(request)

    client = httpx2.Client(transport=httpx2.MockTransport(handle))
    with pytest.raises(InvalidResponse, match="redirects"):
        register_client(ISSUER, initial_access_token="initial", http_client=client)


@pytest.mark.parametrize(
    "wrong",
    [
        {"redirect_uris": 5},
        {"client_name": 5},
        {"grant_types": [5]},
        {"token_endpoint_auth_method": 5},
        {"initial_access_token": 5},
        {"client_id": "mine"},
        {"exchange": "quick"},
    ],
    ids=str,
)
def test_a_wrong_argument_is_an_error_before_anything_is_sent(wrong: dict[str, Any]) -> None:
    server = Server()
    with pytest.raises(UsageError):
        register_client(ISSUER, http_client=server.client(httpx2, "Client"), **wrong)
    assert server.seen == []


@pytest.mark.parametrize("does", [read_client, update_client, delete_client])
def test_only_a_registered_client_is_managed(does: Callable[..., Any]) -> None:
    with pytest.raises(UsageError, match="what register_client returned"):
        does("app", http_client=Server().client(httpx2, "Client"))


def test_a_name_that_leads_to_this_machine_is_not_asked_for_another_party() -> None:
    with pytest.raises((VerificationError, TransportError)):
        register_client("https://localhost:1", exchange=ExchangePolicy(addresses=public_address, deadline=5.0))


def test_a_client_that_was_stored_is_managed_without_its_issuer() -> None:
    server = Server()
    over = {"http_client": server.client(httpx2, "Client")}
    stored = register_client(ISSUER, redirect_uris=["http://127.0.0.1/cb"], **over).to_dict()
    del stored["issuer"]
    assert read_client(RegisteredClient.from_dict(stored), **over).client_id == "c0"
