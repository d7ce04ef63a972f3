"""What the tests of single flight share: tokens, a slot, a lock that tells who queues, a server that is held."""

import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import anyio.to_thread

from doorkey.errors import InvalidGrant
from doorkey.renewal.leader_lock import AcquireOrWait, Holder, LeaderLock
from doorkey.renewal.single_flight import SingleFlight
from doorkey.renewal.slot import Slot
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request, Response

NOW, WAIT = 1_800_000_000.0, 60.0


ASK = Request("POST", "https://as.example/token")
EXPIRED = OAuthToken(Secret("old"), expires_at=NOW, lifetime=300.0)
STALE = OAuthToken(Secret("old"), expires_at=NOW + 10, lifetime=300.0)
NEW = OAuthToken(Secret("new"), expires_at=NOW + 300, lifetime=300.0)
FAILURE = InvalidGrant("invalid_grant", "Session not active")


def renewing(_: OAuthToken | None) -> Flow[OAuthToken]:
    yield from ASK
    return NEW


class Renews:
    """A `Renewer` that renews by `renew`, where it `can`."""

    def __init__(
        self, renew: Callable[[OAuthToken | None], Flow[OAuthToken]], *, can: bool = True, again: bool = False
    ) -> None:
        self.renew, self._can, self._again = renew, can, again

    def renewable(self, token: OAuthToken | None) -> bool:
        return self._can

    def repeatable(self) -> bool:
        return self._again


def slot(token: OAuthToken | None = EXPIRED) -> Slot:
    made = Slot(Renews(renewing))
    made.set_token(token)
    return made


def discovering(lock: LeaderLock) -> AcquireOrWait:
    return AcquireOrWait(lock, "deadlock", "another caller has been discovering for {seconds} s")


def now() -> float:
    return NOW


class Watched(LeaderLock):
    """A lock that tells who has queued and who has left."""

    __slots__ = ("left", "on_queue", "queued")

    def __init__(self, on_queue: Callable[[], object] = lambda: None) -> None:
        super().__init__()
        self.queued, self.left, self.on_queue = threading.Semaphore(0), threading.Event(), on_queue

    def try_acquire(self, wake: Callable[[], object] | None = None, *, blocks: bool = False) -> Holder | None:
        lead = super().try_acquire(wake, blocks=blocks)
        if lead is None and wake is not None:
            self.queued.release()
            self.on_queue()
        return lead

    def release(self, holder: Holder) -> None:
        super().release(holder)
        self.left.set()

    def wait_for(self, callers: int) -> None:
        for _ in range(callers):
            assert self.queued.acquire(timeout=WAIT), "not all callers wait"


class Server:
    """Answers the exchange when it is let on; counts how often it was asked."""

    def __init__(self, *errors: BaseException) -> None:
        self.asked = 0
        self.errors = list(errors)
        self.arrived, self.go_on = threading.Event(), threading.Event()

    def __call__(self, effect: Any) -> Response:
        assert effect is ASK
        self.asked += 1
        self.arrived.set()
        assert self.go_on.wait(WAIT)
        return self._answer()

    async def answer_later(self, effect: Any) -> Response:
        """As above, for a caller that awaits in any event loop."""
        assert effect is ASK
        self.asked += 1
        self.arrived.set()
        await anyio.to_thread.run_sync(lambda: self.go_on.wait(WAIT))
        return self._answer()

    def _answer(self) -> Response:
        if self.errors:
            raise self.errors.pop(0)
        return Response(200)


@contextmanager
def callers(flight: SingleFlight[Slot], number: int) -> Generator[list[Future[OAuthToken]]]:
    with ThreadPoolExecutor(number) as pool:
        yield [pool.submit(flight.token) for _ in range(number)]
