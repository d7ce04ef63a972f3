"""Thousands of interleavings of several processes, chosen by a seed: with no fault, and with every fault there is."""

from random import Random

import pytest

from doorkey.errors import InvalidGrant, MissingTokenError, StoreError, TransportError
from doorkey.tokens import OAuthToken
from doorkey.vault.effects import Commit
from doorkey.wire.messages import Request
from tests.vault.model import DOWN, UNREACHABLE, Worker, World

SEEDS = range(100)
ROUNDS = 6


def busy(world: World) -> list[Worker]:
    return [worker for worker in world.workers if not worker.idle]


def access_token(worker: Worker) -> str:
    assert isinstance(worker.outcome, OAuthToken), worker.outcome
    return worker.outcome.access_token.reveal()


@pytest.mark.parametrize("seed", SEEDS)
def test_any_order_of_steps_makes_one_request_for_each_rotation(seed: int) -> None:
    choice, world = Random(seed), World(4)  # noqa: S311  # it chooses, and hides nothing
    for turn in range(1, ROUNDS + 1):
        world.expire()
        for worker in world.workers:
            worker.begin()
        while at_work := busy(world):
            world.step(choice.choice(at_work))
        assert {access_token(worker) for worker in world.workers} == {f"at-{turn + 1}"}
        assert len(world.server.presented) == turn
    assert world.server.presented == [f"rt-{turn}" for turn in range(1, ROUNDS + 1)]
    assert not world.server.revoked


@pytest.mark.parametrize("seed", SEEDS)
def test_any_order_of_steps_with_stale_tokens_presents_each_refresh_token_once(seed: int) -> None:
    choice, world = Random(seed), World(4)  # noqa: S311  # it chooses, and hides nothing
    for _ in range(40):
        idle = [worker for worker in world.workers if worker.idle]
        if idle and choice.random() < 0.3:
            choice.choice(idle).begin()
        if choice.random() < 0.05:
            world.now += 130
        for _ in range(choice.randrange(4)):
            if at_work := busy(world):
                world.step(choice.choice(at_work))
    for worker in busy(world):
        world.finish(worker)
    assert len(set(world.server.presented)) == len(world.server.presented)
    assert not world.server.revoked


class Chaos:
    """Faults at random steps; `lost` notes what can end the grant: an answer of the server that no worker kept."""

    def __init__(self, seed: int) -> None:
        self.choice, self.world, self.lost = Random(seed), World(4), False  # noqa: S311

    def step(self, worker: Worker) -> None:
        fault, effect = self.choice.random(), worker.effect
        if fault < 0.02:
            self._crash(worker)
        elif fault < 0.04:
            self._lease_runs_out()
        elif fault < 0.08 and isinstance(effect, Request):
            worker.fail(UNREACHABLE)  # before the server saw it
        elif fault < 0.10 and isinstance(effect, Request):
            self.world.perform(effect)
            self.lost = True
            worker.fail(UNREACHABLE)  # after the server answered
        elif fault < 0.14 and not isinstance(effect, Request):
            worker.fail(DOWN)
        elif fault < 0.16 and isinstance(effect, Commit):
            self.world.perform(effect)
            worker.fail(DOWN)  # the commit was made, the answer lost
        else:
            self.world.step(worker)

    def _crash(self, worker: Worker) -> None:
        # What it was about to commit is gone, as is what it alone remembers.
        self.lost |= isinstance(worker.effect, Commit) or worker.slot.memory.unsaved
        worker.crash()
        self.world.workers.remove(worker)
        self.world.another(self.choice.choice([0.0, 300.0, -300.0]))

    def _lease_runs_out(self) -> None:
        # A worker that still uses a lease may present a token that the next owner presents too.
        self.lost |= any(worker.leased for worker in busy(self.world))
        self.world.expire_leases()


@pytest.mark.parametrize("seed", SEEDS)
def test_with_every_fault_there_is_a_grant_is_lost_only_with_a_response_and_never_silently(seed: int) -> None:
    chaos = Chaos(seed)
    world = chaos.world
    for _ in range(ROUNDS):
        world.expire()
        for worker in world.workers:
            worker.begin()
        while at_work := busy(world):
            chaos.step(chaos.choice.choice(at_work))
        for worker in world.workers:
            assert worker.outcome is None or isinstance(
                worker.outcome, OAuthToken | InvalidGrant | StoreError | TransportError | MissingTokenError
            ), repr(worker.outcome)
        world.expire_leases()  # of the killed
        if world.server.revoked:
            assert chaos.lost
            world.save(world.workers[0])
            chaos.lost = False
    world.expire()
    for worker in world.workers:  # all faults are over, and every worker gets a token again
        worker.begin()
        world.finish(worker)
    good = [worker for worker in world.workers if isinstance(worker.outcome, OAuthToken)]
    assert len(good) == len(world.workers) or chaos.lost
