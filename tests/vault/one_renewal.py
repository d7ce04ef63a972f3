"""One renewal of a vault's token, whose effects a test performs one by one."""

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

from doorkey.errors import OAuthError
from doorkey.stores.protocol import Lease, Record
from doorkey.tokens import OAuthToken
from doorkey.vault.entry import Entry
from doorkey.vault.memory import Memory
from doorkey.vault.renewal import Renewing
from tests.vault.model import KEY, World

FOR_EVER = 100_000
"""Steps after which a test gives up on a renewal that does not end."""


class Reports:
    """An observer that keeps its calls, in order, among the effects."""

    def __init__(self, log: list[Any]) -> None:
        self._log = log

    def waiting(self) -> AbstractContextManager[None]:
        return self._wait()

    @contextmanager
    def _wait(self) -> Generator[None]:
        self._log.append("wait begins")
        try:
            yield
        finally:
            self._log.append("wait ends")

    def rejected(self) -> None:
        raise AssertionError("nothing here is rejected")


class One:
    """One renewal of the key of `world`, whose effects the test performs one by one."""

    def __init__(self, world: World, memory: Memory | None = None, **how: Any) -> None:
        self.world, self.log, self.performed = world, list[Any](), list[Any]()
        core = world.workers[0].core
        given: dict[str, Any] = {"jitter": lambda: 1.0, "observer": Reports(self.log), **how}
        self.renewing: Renewing = replace(core._renewing, **given)
        self.memory = Memory(KEY, None, 60.0) if memory is None else memory
        self.token: OAuthToken | None = None
        self.error: OAuthError | None = None
        self._flow = self.renewing.fresh(self.memory)
        self.effect: Any = None
        self._step(lambda: next(self._flow))

    def _step(self, work: Any) -> None:
        try:
            self.effect = work()
        except StopIteration as done:
            self.effect, self.token = None, done.value
        except OAuthError as error:
            self.effect, self.error = None, error

    def feed(self, outcome: Any) -> None:
        """Give the flow this `outcome` of the effect that it asks for."""
        self.performed.append(self.effect)
        self.log.append(type(self.effect))
        self._step(lambda: self._flow.send(outcome))

    def fail(self, error: OAuthError) -> None:
        self.performed.append(self.effect)
        self.log.append(type(self.effect))
        self._step(lambda: self._flow.throw(error))

    def step(self) -> None:
        """Perform the effect that the flow asks for."""
        try:
            outcome = self.world.perform(self.effect)
        except OAuthError as error:
            self.fail(error)
        else:
            self.feed(outcome)

    def run(self, until: type | None = None) -> "One":
        """Perform effects until the flow ends, or asks for one of the type `until`."""
        for _ in range(FOR_EVER):
            if self.effect is None or (until is not None and isinstance(self.effect, until)):
                return self
            self.step()
        raise AssertionError("the renewal does not end")

    @property
    def kinds(self) -> list[type]:
        return [type(effect) for effect in self.performed]

    @property
    def access_token(self) -> str:
        assert self.token is not None, self.error
        return self.token.access_token.reveal()


def expired() -> World:
    world = World(1)
    world.expire()
    return world


def leased_elsewhere(world: World) -> Lease:
    lease = world.store.try_lease(KEY, 60.0)
    assert lease is not None
    return lease


def stored(world: World) -> Entry:
    record = world.store.load(KEY)
    assert record is not None
    return world.workers[0].core._codec.read(KEY, record)


def record_of(world: World, entry: Entry, version: int) -> Record:
    return Record(version, world.workers[0].core._codec.written(KEY, entry, version))
