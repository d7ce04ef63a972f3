"""A program that sends a request, forks, and sends one in the child and one in the parent. Its argument is a URL.

The server at `url` answers each request with the number of its connection. The program prints for each kind of client
the connections of the request before the fork, of the child's and of the parent's.
"""

import asyncio
import json
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import httpx
import httpx2
import requests
from requests.adapters import HTTPAdapter

from doorkey import AsyncTokenSource, ClientCredentials, TokenSource, TokenVault
from doorkey.integrations.httpx_client import on
from doorkey.integrations.httpx_transport import (
    AsyncAuthenticatingTransportFactory,
    AsyncOAuthAuthorityClient,
    AuthenticatingTransportFactory,
    OAuthAuthorityClient,
)
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.login import AsyncLoginClient, LoginClient
from doorkey.stores import MemoryStore
from tests.support.forking import LONG, Child

TOKEN = {"access_token": "at", "token_type": "Bearer"}

Send = Callable[[], Any]
"""Sends a request and returns the number of its connection, or an awaitable of it."""


def _text(client: Any, url: str) -> Send:
    if hasattr(client, "aclose"):

        async def awaited() -> Any:
            return (await client.get(url)).text

        return awaited
    return lambda: client.get(url).text


def session_on_requests(url: str) -> Send:
    return _text(OAuth2Session("c", token=TOKEN), url)


def session_through_a_proxy(url: str) -> Send:
    return _text(OAuth2Session("c", token=TOKEN, proxies={"http": url}), "http://api.example/")


def session_with_an_adapter_of_the_program(url: str) -> Send:
    session = OAuth2Session("c", token=TOKEN)
    session.mount("http://", HTTPAdapter(pool_block=True, pool_maxsize=1))
    return _text(session, url)


def client_on_httpx2(url: str) -> Send:
    return _text(on("httpx2").OAuth2Client("c", token=TOKEN), url)


def client_on_httpx(url: str) -> Send:
    return _text(on("httpx").OAuth2Client("c", token=TOKEN), url)


def client_with_mounts(url: str) -> Send:
    return _text(on("httpx2").OAuth2Client("c", token=TOKEN, mounts={"http://": httpx2.HTTPTransport()}), url)


def client_through_a_proxy(url: str) -> Send:
    return _text(on("httpx2").OAuth2Client("c", token=TOKEN, proxy=url), "http://api.example/")


def asynchronous_client_on_httpx2(url: str) -> Send:
    return _text(on("httpx2").AsyncOAuth2Client("c", token=TOKEN), url)


def asynchronous_client_on_httpx(url: str) -> Send:
    return _text(on("httpx").AsyncOAuth2Client("c", token=TOKEN), url)


def login_on_requests(url: str) -> Send:
    return _text(LoginClient("c", token_endpoint=url, client_cls=requests.Session).session(TOKEN), url)


def login_on_httpx2(url: str) -> Send:
    return _text(LoginClient("c", token_endpoint=url, client_cls=httpx2.Client).session(TOKEN), url)


def login_with_a_session_of_the_program(url: str) -> Send:
    return _text(LoginClient("c", token_endpoint=url, http_client=requests.Session()).session(TOKEN), url)


def login_with_a_client_of_the_program(url: str) -> Send:
    return _text(LoginClient("c", token_endpoint=url, http_client=httpx.Client()).session(TOKEN), url)


def asynchronous_login(url: str) -> Send:
    return _text(AsyncLoginClient("c", token_endpoint=url).session(TOKEN), url)


def asynchronous_login_with_a_client_of_the_program(url: str) -> Send:
    return _text(AsyncLoginClient("c", token_endpoint=url, http_client=httpx2.AsyncClient()).session(TOKEN), url)


class Plain(requests.Session):
    """A class of which doorkey makes no session."""


def client_of_a_vault(url: str) -> Send:
    return _text(_vault(url).client("alice", requests.Session), url)


def plain_client_of_a_vault(url: str) -> Send:
    return _text(_vault(url).client("alice", Plain), url)


def _vault(url: str) -> TokenVault:
    vault = TokenVault(MemoryStore(), client_id="c", token_endpoint=url)
    vault.save("alice", TOKEN)
    return vault


def authenticating_transport(url: str) -> Send:
    authority = OAuthAuthorityClient(httpx2.Client(), openid_config={"token_endpoint": url})
    factory = AuthenticatingTransportFactory(authority)
    return _text(httpx2.Client(transport=factory.authenticating_transport(None, ClientCredentials("c", "s"))), url)


def asynchronous_authenticating_transport(url: str) -> Send:
    authority = AsyncOAuthAuthorityClient(httpx2.AsyncClient(), openid_config={"token_endpoint": url})
    factory = AsyncAuthenticatingTransportFactory(authority)
    transport = factory.authenticating_transport(None, ClientCredentials("c", "s"))
    return _text(httpx2.AsyncClient(transport=transport), url)


def discovery_of_an_authority(url: str) -> Send:
    http = httpx2.Client(base_url=url)

    def send() -> str:
        return str(OAuthAuthorityClient(http).openid_config.extra["connection"])

    return send


def source_with_a_session_of_the_program(url: str) -> Send:
    source = TokenSource(ClientCredentials("c", "s"), token_endpoint=url, http_client=requests.Session())
    return lambda: _next(source)


def source_with_a_client_of_the_program(url: str) -> Send:
    source = TokenSource(ClientCredentials("c", "s"), token_endpoint=url, http_client=httpx2.Client())
    return lambda: _next(source)


def _next(source: TokenSource) -> str:
    source.reject(source.token())
    return source.token().access_token.reveal()


def asynchronous_source_with_a_client_of_the_program(url: str) -> Send:
    source = AsyncTokenSource(ClientCredentials("c", "s"), token_endpoint=url, http_client=httpx2.AsyncClient())

    async def send() -> str:
        source.reject(await source.token())
        return (await source.token()).access_token.reveal()

    return send


KINDS: dict[str, Callable[[str], Send]] = {
    make.__name__: make
    for make in (
        *(session_on_requests, session_through_a_proxy, session_with_an_adapter_of_the_program),
        *(client_on_httpx2, client_on_httpx, client_with_mounts, client_through_a_proxy),
        *(asynchronous_client_on_httpx2, asynchronous_client_on_httpx),
        *(login_on_requests, login_on_httpx2, login_with_a_session_of_the_program, login_with_a_client_of_the_program),
        *(asynchronous_login, asynchronous_login_with_a_client_of_the_program),
        *(client_of_a_vault, plain_client_of_a_vault),
        *(authenticating_transport, asynchronous_authenticating_transport, discovery_of_an_authority),
        *(source_with_a_session_of_the_program, source_with_a_client_of_the_program),
        asynchronous_source_with_a_client_of_the_program,
    )
}


def sent(send: Send, runner: asyncio.Runner) -> str:
    number = send()
    return str(number if isinstance(number, str) else runner.run(number))


def forked(send: Send) -> list[str]:
    """Return the connections of a request before a fork, of one in the child, and of one in the parent."""
    with asyncio.Runner() as runner:
        before = sent(send, runner)
        in_child = Child(lambda: _sent_in_a_new_loop(send)).result()
        return [before, in_child, sent(send, runner)]


def _sent_in_a_new_loop(send: Send) -> str:
    with asyncio.Runner() as runner:
        return sent(send, runner)


def while_pools_are_locked(url: str, *clients: Any) -> list[str]:
    """Fork while another thread holds the locks of the pools, and return the connections of requests in the child."""
    found: list[str] = []
    for client in clients:
        client.get(url)
        held, release = threading.Event(), threading.Event()

        thread = threading.Thread(target=_holding, args=(_locks(client, url), held, release))
        thread.start()
        assert held.wait(LONG)
        found.append(Child(_text(client, url)).result())
        release.set()
        thread.join()
    return found


def _locks(client: Any, url: str) -> list[Any]:
    if not hasattr(client, "adapters"):
        return [client._transport._pool._optional_thread_lock]
    pools = client.get_adapter(url).poolmanager.pools
    return [pools.lock, *(pool.pool.mutex for pool in pools._container.values())]


def _holding(locks: list[Any], held: threading.Event, release: threading.Event) -> None:
    with ExitStack() as holding:
        for lock in locks:
            holding.enter_context(lock)
        held.set()
        release.wait(LONG)


def main() -> None:
    signal.alarm(LONG)
    (url,) = sys.argv[1:]
    found: dict[str, Any] = {name: forked(make(url)) for name, make in KINDS.items()}
    token: Any = TOKEN
    clients = OAuth2Session("c", token=token), on("httpx2").OAuth2Client("c", token=token)
    found["locked"] = while_pools_are_locked(url, *clients)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
