"""Eight processes share one grant whose refresh tokens work once, and where a second use ends the grant.

The time stands still until the test moves it, and then all eight find the token expired and ask at once.
"""

from collections.abc import Iterator
from random import Random

import pytest

from tests.vault.backends import Backend, sqlite_file
from tests.vault.fleet import Fleet, Member, fleet, rotating_provider
from tests.vault.worker import Order

PROCESSES = 8
ROUNDS = 200
KILLINGS = 24


@pytest.fixture(scope="module", params=["sqlite"])
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    with sqlite_file(tmp_path_factory.mktemp("store")) as running:
        yield running


@pytest.fixture(scope="module")
def started(backend: Backend) -> Iterator[Fleet]:
    with rotating_provider() as provider, fleet(provider, backend.kind, backend.address, PROCESSES) as whole:
        yield whole


@pytest.fixture
def eight(started: Fleet) -> Fleet:
    started.login()
    return started


def test_200_rotations_by_8_processes_are_200_requests_and_the_grant_lives(eight: Fleet) -> None:
    seen: set[str] = set()
    for number in range(1, ROUNDS + 1):
        eight.expire()
        answers = list(eight.ask().values())
        tokens = {answer.token for answer in answers}
        assert len(tokens) == 1, answers
        assert None not in tokens, answers
        assert not tokens & seen
        seen |= {token for token in tokens if token}
        assert eight.provider.token_requests == number
    assert {request.status for request in eight.provider.requests} == {200}


@pytest.mark.parametrize("seed", [1])
def test_processes_killed_at_any_step_cost_the_grant_only_between_rotation_and_commit(
    seed: int, eight: Fleet, backend: Backend
) -> None:
    choice, losses, deaths = Random(seed), 0, 0  # noqa: S311  # it chooses, and hides nothing
    for number in range(KILLINGS):
        eight.expire()
        eight.provider.requests.clear()
        victim = choice.choice(eight.members)
        died = _ask_with_a_victim(eight, victim, Order(eight.now, 1 + number % 6, after=number % 12 >= 6), backend)
        deaths += died
        # What the killed one left undone, those who come now do; and they all agree.
        answers = list(eight.ask().values())
        tokens, errors = {answer.token for answer in answers}, {answer.error for answer in answers}
        assert len(tokens) == len(errors) == 1, answers
        statuses = [request.status for request in eight.provider.requests]
        if errors == {None}:
            assert statuses == [200], answers
            continue
        # It died with the new refresh token in its hands: that is told by name, and by all.
        assert errors == {"InvalidGrant"}, answers
        assert statuses == [200, 400]
        assert died
        losses += 1
        eight.login()
    assert deaths > KILLINGS / 4
    assert losses < deaths


def _ask_with_a_victim(eight: Fleet, victim: Member, order: Order, backend: Backend) -> bool:
    """Have all ask; the victim dies on its way if it gets that far. Say whether it did."""
    others = [member for member in eight.members if member is not victim]
    victim.order(order)
    if order.die_at > 1:  # let it be the one that renews; its end is waited for, its lease is not
        died = victim.answer().died
        backend.expire_leases()
        for member in others:
            member.order(Order(eight.now))
    else:
        for member in others:
            member.order(Order(eight.now))
        died = victim.answer().died
    for member in others:
        member.answer()
    if died:
        eight.replace(victim)
    return died
