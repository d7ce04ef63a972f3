"""Transports and adapters of a program's own, under a policy of addresses: they get the address and the name."""

import json
import ssl
from collections.abc import Callable
from io import BytesIO
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
import requests
from requests.adapters import BaseAdapter, HTTPAdapter

from doorkey import ExchangePolicy, adiscover, public_address
from doorkey.errors import TransportError, UsageError, VerificationError
from doorkey.integrations.requests_client import OAuth2Session
from tests.support.backends import both_backends
from tests.support.every_adapter import KINDS, Adapter, Kind
from tests.support.hostile_server import Hostile
from tests.support.named_servers import NAME, Authority, Names, Proven

HERE = ExchangePolicy(addresses=lambda address: address == IPv4Address("127.0.0.1"))
PUBLIC = ExchangePolicy(addresses=public_address)
ANSWER = {"access_token": "at-1", "token_type": "Bearer", "expires_in": 300}

on_httpx = pytest.mark.parametrize("adapter", [name for name in KINDS if name != "requests"], indirect=True)
on_requests = pytest.mark.parametrize("adapter", ["requests"], indirect=True)
each_address = pytest.mark.parametrize(
    ("address", "host"), [("1.1.1.1", "1.1.1.1"), ("2606:4700::1111", "[2606:4700::1111]")]
)

Sending = Callable[[Any], None]


def carrying(kind: Kind, inner: Any, before: Sending) -> Any:
    """Return a transport of the program's own: it calls `before` with each request, and lets `inner` carry it."""
    if kind.is_async:

        class Carrying(kind.library.AsyncBaseTransport):  # type: ignore[misc, name-defined]
            async def handle_async_request(self, request: Any) -> Any:
                before(request)
                return await inner.handle_async_request(request)

            async def aclose(self) -> None:
                await inner.aclose()

        return Carrying()

    class CarryingToo(kind.library.BaseTransport):  # type: ignore[misc, name-defined]
        def handle_request(self, request: Any) -> Any:
            before(request)
            return inner.handle_request(request)

        def close(self) -> None:
            inner.close()

    return CarryingToo()


def own(kind: Kind, **options: Any) -> Any:
    """Return the library's transport."""
    return (kind.library.AsyncHTTPTransport if kind.is_async else kind.library.HTTPTransport)(**options)


@on_httpx
@each_address
def test_a_transport_in_memory_gets_the_address_the_name_and_what_to_prove(
    adapter: Adapter, names: Names, address: str, host: str
) -> None:
    came: list[Any] = []
    names.lead(NAME, address)

    def answer(request: Any) -> Any:
        came.append(request)
        return adapter.kind.library.Response(200, json=ANSWER)

    transport = adapter.kind.library.MockTransport(answer)
    client = adapter.client("c", "s", token_endpoint=f"https://{NAME}:8443/t?a=b", transport=transport, exchange=PUBLIC)
    client.fetch_token()
    assert [str(request.url) for request in came] == [f"https://{host}:8443/t?a=b"]
    assert came[0].headers.get_list("host") == [f"{NAME}:8443"]
    assert came[0].extensions["sni_hostname"] == NAME
    assert b"grant_type=client_credentials" in came[0].content


@on_requests
@each_address
def test_an_adapter_in_memory_gets_the_address_and_the_name(
    adapter: Adapter, names: Names, address: str, host: str
) -> None:
    came: list[requests.PreparedRequest] = []

    class Memory(BaseAdapter):
        def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
            came.append(request)
            response = requests.Response()
            response.status_code, response.raw = 200, BytesIO(json.dumps(ANSWER).encode())
            return response

        def close(self) -> None: ...

    names.lead(NAME, address)
    client = adapter.client("c", "s", token_endpoint=f"https://{NAME}/t?a=b", exchange=PUBLIC)
    client.native.mount("https://", Memory())
    client.fetch_token()
    assert [(request.url, request.headers["Host"]) for request in came] == [(f"https://{host}/t?a=b", NAME)]
    assert came[0].body == b"grant_type=client_credentials"


@on_httpx
def test_a_transport_of_the_programs_own_carries_each_exchange_on_a_connection_of_its_own(
    adapter: Adapter, names: Names, authority: Authority, server: Proven
) -> None:
    came: list[str] = []
    transport = carrying(
        adapter.kind, own(adapter.kind, verify=authority.trusted), lambda request: came.append(str(request.url))
    )
    names.lead(NAME, "127.0.0.1")
    client = adapter.client("c", "s", token_endpoint=server.url("/token"), transport=transport, exchange=HERE)
    client.fetch_token()
    client.fetch_token()
    assert came == [server.url("/token", host="127.0.0.1")] * 2
    assert server.asked_for == [NAME, NAME]


@on_httpx
def test_a_transport_that_keeps_its_connections_is_a_misuse(
    adapter: Adapter, names: Names, authority: Authority, server: Proven
) -> None:
    """What it keeps was made for another request: perhaps for another name, whose certificate was checked."""

    def keep(request: Any) -> None:
        del request.headers["Connection"]

    transport = carrying(adapter.kind, own(adapter.kind, verify=authority.trusted), keep)
    names.lead(NAME, "127.0.0.1")
    names.lead("other.example", "127.0.0.1")
    client = adapter.client("c", "s", token_endpoint=server.url("/token"), transport=transport, exchange=HERE)
    client.fetch_token()
    with pytest.raises(UsageError, match="another request"):
        client.fetch_token(server.url("/token", host="other.example"))
    assert len(server.received) == 1


@on_httpx
def test_a_proxy_inside_a_transport_is_a_misuse(adapter: Adapter, names: Names, hostile: Hostile) -> None:
    transport = carrying(adapter.kind, own(adapter.kind, proxy=hostile.url("")), lambda _: None)
    names.lead(NAME, "127.0.0.1")
    client = adapter.client("c", "s", token_endpoint=f"https://{NAME}/t", transport=transport, exchange=HERE)
    with pytest.raises(UsageError, match="proxy"):
        client.fetch_token()
    assert hostile.received == []


@pytest.mark.parametrize("scheme", ["https://", f"all://{NAME}"])
def test_a_proxy_of_the_client_is_a_misuse(adapter: Adapter, names: Names, hostile: Hostile, scheme: str) -> None:
    names.lead(NAME, "127.0.0.1")
    options: dict[str, Any] = {"token_endpoint": f"https://{NAME}/t", "exchange": HERE}
    if adapter.kind.name == "requests":
        client = adapter.client("c", "s", **options)
        client.native.proxies[scheme.removesuffix("://")] = hostile.url("")
    else:
        client = adapter.client("c", "s", mounts={scheme: own(adapter.kind, proxy=hostile.url(""))}, **options)
    with pytest.raises(UsageError, match="proxy"):
        client.fetch_token()
    assert names.asked == []
    assert hostile.received == []


@on_httpx
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_unix_socket_which_has_no_address_is_a_misuse(
    adapter: Adapter, names: Names, tmp_path: Path, *, wrapped: bool
) -> None:
    transport = own(adapter.kind, uds=str(tmp_path / "socket"))
    transport = carrying(adapter.kind, transport, lambda _: None) if wrapped else transport
    names.lead(NAME, "127.0.0.1")
    client = adapter.client("c", "s", token_endpoint=f"https://{NAME}/t", transport=transport, exchange=HERE)
    with pytest.raises(UsageError, match="Unix socket"):
        client.fetch_token()


class WithContext(HTTPAdapter):
    """As programs write it: TLS settings of its own, and a count."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.context, self.sent = context, 0
        super().__init__()

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=self.context, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> requests.Response:
        self.sent += 1
        return super().send(*args, **kwargs)


@on_requests
def test_an_adapter_of_the_programs_own_keeps_its_tls_settings_its_pools_and_its_state(
    adapter: Adapter, names: Names, authority: Authority, server: Proven
) -> None:
    mounted = WithContext(authority.trusted)
    names.lead(NAME, "127.0.0.1")
    client = adapter.client("c", "s", token_endpoint=server.url("/token"), exchange=HERE)
    client.native.mount("https://", mounted)
    client.fetch_token()
    client.fetch_token()
    assert mounted.sent == 2
    assert mounted.context.check_hostname is True
    assert server.asked_for == [NAME], "the connection for this name at this address was kept"
    assert client.native.get_adapter("https://any.example") is mounted


@on_requests
def test_a_connection_kept_for_one_name_never_serves_another(
    adapter: Adapter, names: Names, authority: Authority, server: Proven
) -> None:
    names.lead(NAME, "127.0.0.1")
    names.lead("other.example", "127.0.0.1")
    client = adapter.client("c", "s", token_endpoint=server.url("/token"), exchange=HERE)
    client.native.mount("https://", WithContext(authority.trusted))
    client.fetch_token()
    with pytest.raises(TransportError, match="another host name"):
        client.fetch_token(server.url("/token", host="other.example"))
    assert server.asked_for == [NAME, "other.example"]
    assert len(server.received) == 1


def test_tls_that_a_call_turns_off_is_off(names: Names, server: Proven) -> None:
    names.lead(NAME, "127.0.0.1")
    session = OAuth2Session("c", "s", token_endpoint=server.url("/token"), exchange=HERE)
    with pytest.warns(Warning, match="Unverified HTTPS"):
        session.fetch_token(verify=False)
    assert server.asked_for == [NAME]
    session.close()


@pytest.mark.anyio
@both_backends
@pytest.mark.parametrize("library", [httpx2, httpx])
async def test_the_awaiting_clients_do_so_on_trio_too(
    library: Any, names: Names, authority: Authority, server: Proven
) -> None:
    names.lead(NAME, "127.0.0.1", "10.0.0.1")
    async with library.AsyncClient(verify=authority.trusted) as client:
        assert (await adiscover(server.url(""), http_client=client, exchange=HERE)).issuer == server.url("")
        with pytest.raises(VerificationError):
            await adiscover(server.url(""), http_client=client, exchange=HERE, max_age=0)
    assert server.asked_for == [NAME]
