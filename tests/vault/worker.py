"""A process that shares a grant with others, told what to do line by line: `main` of tests/support/forked.py.

The first line on standard input is a `Job`, each further one an `Order`. A line on standard output tells each step that
matters to who watches (`Step`), and the last line of an order is its answer. A worker blocks, or awaits with several
tasks at once, on asyncio or trio.
"""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import anyio

from doorkey.credentials import ClientCredentials
from doorkey.errors import OAuthError
from doorkey.stores import AsyncStore, Store
from doorkey.vault import AsyncTokenVault, TokenVault
from doorkey.vault.effects import Commit, Release, TryLease
from doorkey.wire.messages import Request

KEY = "user-42"
CLIENT, SECRET = "client-1", "my-secret"
LONG = 60.0
"""Seconds a store may take for a call: far more than any does, however busy the machine and its disk are."""
TASKS = 4
"""That ask at once, in a worker that awaits."""


class Step(StrEnum):
    LEASED = "leased"
    RELEASED = "released"
    ASKING = "asking"
    COMMITTED = "committed"


@dataclass(frozen=True)
class Job:
    """The store's kind and address, the token endpoint, the error of the process's clock (seconds), and its color.

    With `credentials` the token is that of the client itself, instead of the login under `KEY`.
    """

    kind: str
    address: str
    token_endpoint: str
    clock_is_off_by: float = 0.0
    color: str = "blocking"
    credentials: bool = False

    def to_json(self) -> str:
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Order:
    """Bring a token at `now`; kill yourself before the effect number `die_at`, or after `die_after` seconds.

    With `die_leading`, die before that effect of those under the lease, should you get it.
    """

    now: float
    die_at: int = 0
    die_after: float = 0.0
    die_leading: int = 0

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def store_of(job: Job) -> Store:
    from doorkey import stores  # each imports its database's library when it is named

    match job.kind:
        case "sqlite":
            return stores.SQLiteStore(job.address, timeout=LONG)
        case "redis":
            return stores.RedisStore(job.address, timeout=LONG)
        case _:
            return stores.SQLStore(job.address, timeout=LONG)


def async_store_of(job: Job) -> AsyncStore:
    from doorkey import stores

    match job.kind:
        case "sqlite":
            return stores.AsyncSQLiteStore(job.address, timeout=LONG)
        case "redis":
            return stores.AsyncRedisStore(job.address, timeout=LONG)
        case _:
            return stores.AsyncSQLStore(job.address.replace("+pymysql", "+asyncmy"), timeout=LONG)


def tell(**members: object) -> None:
    """Print a line in one write: a process that is killed has written all of it or nothing."""
    os.write(1, (json.dumps(members) + "\n").encode())


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Mortal:
    """What both kinds of workers share: they report each step, and kill themselves when ordered to.

    A timer kills no process between the statement that takes the lease and the report of it. Nothing would end that
    lease but its 20 seconds, which the others wait, and by which their tests would be slow.
    """

    def __init__(self, job: Job) -> None:
        self.job, self.now, self._die_at, self._die_leading = job, 0.0, 0, 0
        self._timer: threading.Timer | None = None
        self._leasing = threading.Lock()

    def clock(self) -> float:
        return self.now + self.job.clock_is_off_by

    def take(self, order: Order) -> None:
        self.now, self._die_at, self._die_leading = order.now, order.die_at, order.die_leading
        if order.die_after:
            self._timer = threading.Timer(order.die_after, self._die_between_steps)
            self._timer.start()

    def answer(self, **members: object) -> None:
        """Print the outcome; a process that has printed it is not killed any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer.join()
            self._timer = None
        tell(**members)

    def _die_between_steps(self) -> None:
        with self._leasing:
            die()

    def whole(self, effect: Any) -> AbstractContextManager[object]:
        """Return what keeps the timer waiting while `effect` is performed and reported, if that takes the lease."""
        return self._leasing if isinstance(effect, TryLease) else nullcontext()

    def before(self, effect: Any) -> None:
        self._die_at -= 1
        if self._die_at == 0:
            die()
        if isinstance(effect, Request):
            tell(step=Step.ASKING)

    def after(self, effect: Any, outcome: Any) -> None:
        match effect:
            case TryLease() if outcome is not None:
                tell(step=Step.LEASED)
                self._die_at = self._die_leading or self._die_at
            case Release():
                tell(step=Step.RELEASED)
            case Commit() if outcome:
                tell(step=Step.COMMITTED)
            case _:
                pass


class MortalVault(TokenVault):
    """A vault whose process may be killed at any of its effects."""

    mortal: Mortal

    def _perform(self, effect: Any) -> Any:
        self.mortal.before(effect)
        with self.mortal.whole(effect):
            outcome = super()._perform(effect)
            self.mortal.after(effect, outcome)
        return outcome


class AsyncMortalVault(AsyncTokenVault):
    """The same, awaited."""

    mortal: Mortal

    async def _perform(self, effect: Any) -> Any:
        self.mortal.before(effect)
        with self.mortal.whole(effect):  # of the tasks of a process, one takes the lease
            outcome = await super()._perform(effect)
            self.mortal.after(effect, outcome)
        return outcome


def refused(error: OAuthError) -> dict[str, str]:
    return {"error": type(error).__name__, "text": str(error)}


def block(mortal: Mortal) -> None:
    job = mortal.job
    store, endpoint = store_of(job), job.token_endpoint
    vault = MortalVault(store, client_id=CLIENT, client_secret=SECRET, token_endpoint=endpoint, clock=mortal.clock)
    vault.mortal = mortal
    source = vault.source_of(ClientCredentials(CLIENT)) if job.credentials else vault.source(KEY)
    tell(ready=True)
    with vault:
        for line in sys.stdin:
            mortal.take(Order(**json.loads(line)))
            try:
                token = source.token()
            except OAuthError as error:
                mortal.answer(**refused(error))
            else:
                mortal.answer(token=token.access_token.reveal())


async def await_(mortal: Mortal) -> None:
    job = mortal.job
    store, endpoint = async_store_of(job), job.token_endpoint
    vault = AsyncMortalVault(store, client_id=CLIENT, client_secret=SECRET, token_endpoint=endpoint, clock=mortal.clock)
    vault.mortal = mortal
    source = vault.source_of(ClientCredentials(CLIENT)) if job.credentials else vault.source(KEY)
    tell(ready=True)
    async with vault:
        while line := await anyio.to_thread.run_sync(sys.stdin.readline):
            mortal.take(Order(**json.loads(line)))
            got: list[dict[str, str]] = []

            async def ask(got: list[dict[str, str]] = got) -> None:
                try:
                    got.append({"token": (await source.token()).access_token.reveal()})
                except OAuthError as error:
                    got.append(refused(error))

            async with anyio.create_task_group() as group:
                for _ in range(TASKS):
                    group.start_soon(ask)
            errors = [answer for answer in got if "error" in answer]
            different = {answer.get("token") for answer in got}
            mortal.answer(**(errors or got)[0], different=len(different))


WORK: dict[str, Callable[[Mortal], None]] = {
    "blocking": block,
    "asyncio": lambda mortal: anyio.run(await_, mortal, backend="asyncio"),
    "trio": lambda mortal: anyio.run(await_, mortal, backend="trio"),
}


def main() -> None:
    job = Job(**json.loads(sys.stdin.readline()))
    WORK[job.color](Mortal(job))
