"""Key sources over each HTTP library, through the client of the program or one that is made."""

from collections.abc import Callable
from functools import partial
from typing import Any

import aiohttp
import httpx
import httpx2
import requests
from anyio.from_thread import BlockingPortal

from doorkey import AsyncKeySource, KeySource
from doorkey.jose import jwt
from tests.support.every_source import TLS

KINDS: dict[str, tuple[str | None, Callable[[], Any] | None]] = {
    "made": (None, None),
    "requests": (None, requests.Session),
    "httpx2": (None, partial(httpx2.Client, verify=TLS)),
    "httpx": (None, partial(httpx.Client, verify=TLS)),
    "made, asyncio": ("asyncio", None),
    "made, trio": ("trio", None),
    "httpx2, asyncio": ("asyncio", partial(httpx2.AsyncClient, verify=TLS)),
    "httpx2, trio": ("trio", partial(httpx2.AsyncClient, verify=TLS)),
    "httpx, asyncio": ("asyncio", partial(httpx.AsyncClient, verify=TLS)),
    "aiohttp": ("asyncio", aiohttp.ClientSession),
}


class World:
    """A source of keys of one kind; `decode` blocks, on asynchronous kinds too."""

    def __init__(self, kind: str, portals: dict[str, BlockingPortal]) -> None:
        backend, client = KINDS[kind]
        self._portal = None if backend is None else portals[backend]
        self.client = None if client is None else self.call(_made, client)

    def call(self, function: Callable[..., Any], *args: Any) -> Any:
        if self._portal is None:
            return function(*args)

        async def called() -> Any:
            result = function(*args)
            return await result if hasattr(result, "__await__") else result

        return self._portal.call(called)

    def source(self, *args: Any, **options: Any) -> Any:
        kind: Any = KeySource if self._portal is None else AsyncKeySource
        return kind(*args, http_client=self.client, **options)

    def decode(self, text: str, keys: Any) -> Any:
        return self.call(jwt.decode if self._portal is None else jwt.adecode, text, keys)

    def close(self, source: Any) -> None:
        self.call(source.close if self._portal is None else source.aclose)
        if self.client is not None:
            self.call(self.client.aclose if hasattr(self.client, "aclose") else self.client.close)


def _made(client: Callable[[], Any]) -> Any:
    return client()
