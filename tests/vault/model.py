"""A world in one thread: workers whose next step the test chooses, one store, one server that rotates.

Every effect of a worker's flow is one step, so that an interleaving is a list of choices, and a seed names it. Every
other worker reaches the store as a vault that awaits does, the others as one that blocks.
"""

import json
from collections.abc import Callable, Coroutine, Generator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from doorkey.errors import OAuthError, StoreError, TransportError
from doorkey.stores import AsyncMemoryStore, MemoryStore
from doorkey.tokens import OAuthToken
from doorkey.vault import AsyncTokenVault, TokenVault
from doorkey.vault.core import VaultCore
from doorkey.vault.effects import Commit, Load, Release, TryLease
from doorkey.vault.key_state import KeyState
from doorkey.wire.flow import Sleep
from doorkey.wire.messages import Request, Response

KEY = "user-42"
ENDPOINT = "https://as.example/token"
START = 1_700_000_000.0
LIFETIME = 300


class RotatingServer:
    """Accepts the latest refresh token of its one grant; an earlier one that comes back ends the grant."""

    def __init__(self) -> None:
        self.turn = 0
        self.revoked = False
        self.presented: list[str] = []

    @property
    def current(self) -> str:
        return f"rt-{self.turn}"

    def token(self) -> dict[str, Any]:
        return {
            "access_token": f"at-{self.turn}",
            "token_type": "Bearer",
            "expires_in": LIFETIME,
            "refresh_token": self.current,
        }

    def login(self) -> dict[str, Any]:
        """Return the token of a new grant."""
        self.turn, self.revoked = self.turn + 1, False
        return self.token()

    def answer(self, request: Request) -> Response:
        presented = dict(parse_qsl(request.content.decode()))["refresh_token"]
        self.presented.append(presented)
        if presented != self.current or self.revoked:
            self.revoked = True
            return _json(400, {"error": "invalid_grant", "error_description": "reused"})
        self.turn += 1
        return _json(200, self.token())


def _json(status: int, members: dict[str, Any]) -> Response:
    return Response(status, (("Content-Type", "application/json"),), json.dumps(members).encode())


@dataclass(eq=False)
class Worker:
    """One process: its memory of the key, and the flow it is in."""

    core: VaultCore
    slot: KeyState
    awaits: bool = False
    flow: Generator[Any, Any, OAuthToken] | None = None
    effect: Any = None
    outcome: OAuthToken | OAuthError | None = None
    leased: bool = False
    performed: list[Any] = field(default_factory=list[Any])

    @property
    def idle(self) -> bool:
        return self.flow is None

    def begin(self) -> None:
        self.outcome = None
        self.flow = self.slot.renew_or_share(self.slot.attempts.generation)
        self._on(next)

    def feed(self, outcome: Any) -> None:
        self._on(lambda flow: flow.send(outcome))

    def fail(self, error: Exception) -> None:
        self._on(lambda flow: flow.throw(error))

    def crash(self) -> None:
        """End as a killed process does: nothing is tidied up, and nothing is remembered."""
        assert self.flow is not None
        self.flow.close()
        self.flow, self.effect = None, None

    def _on(self, step: Callable[[Generator[Any, Any, OAuthToken]], Any]) -> None:
        assert self.flow is not None
        try:
            self.effect = step(self.flow)
        except StopIteration as done:
            self.flow, self.effect, self.outcome = None, None, done.value
        except OAuthError as error:
            self.flow, self.effect, self.outcome = None, None, error


class World:
    """`workers` of them, on one store and one server, with the token of a first login saved."""

    def __init__(self, workers: int) -> None:
        self.now = START
        self.ticks = 0.0  # by the store's clock
        self.elapsed = 0.0  # by the workers' timers, which do not depend on their clocks
        self.store = MemoryStore(clock=lambda: self.ticks)
        awaited = AsyncMemoryStore()
        awaited._store = self.store
        known: dict[str, Any] = {"client_id": "app", "token_endpoint": ENDPOINT}
        self._blocking, self._awaiting = TokenVault(self.store, **known), AsyncTokenVault(awaited, **known)
        self.server = RotatingServer()
        self.workers: list[Worker] = []
        for _ in range(workers):
            self.another()
        self.save(self.workers[0])

    def _worker(self, clock_is_off_by: float = 0.0) -> Worker:
        core = VaultCore(
            "app",
            "secret",
            issuer=None,
            token_endpoint=ENDPOINT,
            metadata=None,
            token_endpoint_auth_method=None,
            audience=(),
            resource=(),
            sealer=None,
            leeway=None,
            check_every=60.0,
            exchange=None,
            clock=lambda: self.now + clock_is_off_by,
            timer=lambda: self.elapsed,
        )
        return Worker(core, core.state(KEY), awaits=len(self.workers) % 2 == 1)

    def another(self, clock_is_off_by: float = 0.0) -> Worker:
        """Return a new worker, as after a restart; its clock may be wrong."""
        worker = self._worker(clock_is_off_by)
        self.workers.append(worker)
        return worker

    def save(self, worker: Worker, token: Any = None) -> None:
        """Log in anew, or save this `token`."""
        flow = worker.core.save(worker.slot, self.server.login() if token is None else token)
        effect = next(flow)
        while True:
            try:
                effect = flow.send(self.perform(effect))
            except StopIteration:
                return

    def expire(self) -> None:
        """Let the access token expire."""
        self.now += LIFETIME + 1

    def expire_leases(self) -> None:
        """Let all leases expire, even those of workers that still use them."""
        self.ticks += 3600

    def step(self, worker: Worker) -> None:
        """Perform the effect that `worker` waits for."""
        effect = worker.effect
        worker.performed.append(effect)
        try:
            outcome = self.perform(effect, awaits=worker.awaits)
        except OAuthError as error:
            worker.fail(error)
        else:
            worker.leased = outcome is not None if isinstance(effect, TryLease) else worker.leased
            worker.leased = worker.leased and not isinstance(effect, Release)
            worker.feed(outcome)

    def perform(self, effect: Any, *, awaits: bool = False) -> Any:
        match effect:
            case Load() | TryLease() | Commit() | Release() if awaits:
                return at_once(self._awaiting._perform(effect))
            case Load() | TryLease() | Commit() | Release():
                return self._blocking._perform(effect)
            case Request():
                return self.server.answer(effect)
            case Sleep():
                self.elapsed += effect.seconds
                return None
            case _:
                raise AssertionError(effect)

    def finish(self, worker: Worker, until: type | None = None) -> None:
        """Step `worker` to its end, or until it waits for an effect of the type `until`."""
        while not worker.idle and not (until is not None and isinstance(worker.effect, until)):
            self.step(worker)

    def stored(self) -> OAuthToken:
        """Return the token in the store."""
        from doorkey.stores.envelope import open_record

        record = self.store.load(KEY)
        assert record is not None
        return open_record(record.data)[0]


def at_once(work: Coroutine[Any, Any, Any]) -> Any:
    """Return the outcome of what awaits nothing that takes time."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits")


DOWN = StoreError("the store does not answer")
UNREACHABLE = TransportError("no connection", retryable=True)
