"""A process that forks four times and asks for one token in all five."""

import asyncio
import json
import sys
import threading
from typing import Any

from doorkey.errors import OAuthError
from doorkey.vault import AsyncTokenVault, TokenVault
from tests.support.every_store import Place
from tests.support.forking import Child

NOW = 1_800_000_000.0
OLD = {"access_token": "at-1", "refresh_token": "rt-1", "expires_at": NOW + 300, "expires_in": 300}


class Program:
    """What the five processes have in common: a synchronous vault, and the time."""

    def __init__(self, place: Place, key: str, endpoint: str) -> None:
        self.place, self.key, self.endpoint, self.now = place, key, endpoint, NOW

    def begin(self) -> None:
        self.vault = TokenVault(
            self.place.open(), client_id="app", client_secret="s", token_endpoint=self.endpoint, clock=lambda: self.now
        )
        self.vault.save(self.key, OLD)
        assert self.ask() == "at-1"  # in memory when it forks

    def ask(self) -> str:
        try:
            return self.vault.source(self.key).token().access_token.reveal()
        except OAuthError as error:
            return repr(error)


class AwaitingProgram(Program):
    """The same with an asynchronous vault, in a new event loop for each call."""

    def begin(self) -> None:
        asyncio.run(self._begin())

    def ask(self) -> str:
        return asyncio.run(self._ask())

    async def _begin(self) -> None:
        self.store: Any = await self.place.aopen()
        self.awaited = AsyncTokenVault(
            self.store, client_id="app", client_secret="s", token_endpoint=self.endpoint, clock=lambda: self.now
        )
        await self.awaited.save(self.key, OLD)
        assert await self._ask() == "at-1"

    async def _ask(self) -> str:
        try:
            return (await self.awaited.source(self.key).token()).access_token.reveal()
        except OAuthError as error:
            return repr(error)
        finally:
            await self.store.close()


def main(place: Place, key: str, endpoint: str, moment: str) -> None:
    program = (AwaitingProgram if moment == "awaited" else Program)(place, key, endpoint)
    program.begin()
    program.now += 301
    if moment == "during":
        own: list[str] = []
        leader = threading.Thread(target=lambda: own.append(program.ask()))
        leader.start()
        sys.stdin.readline()
        children = [Child(program.ask) for _ in range(4)]
        print("forked", flush=True)
        leader.join()
    else:
        children = [Child(program.ask) for _ in range(4)]
        own = [program.ask()]
    print(json.dumps(own + [child.result() for child in children]), flush=True)
