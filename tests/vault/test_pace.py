"""When a caller that waits for another process polls the store: seldom enough to spare it, and soon after the end."""

import pytest

from doorkey.vault.effects import Load
from doorkey.vault.pace import LONGEST, REMEMBERED, SHORTEST, Pace
from doorkey.wire.flow import Sleep
from doorkey.wire.messages import Request
from tests.vault.model import World


def looks(pace: Pace, until: float, chance: float) -> list[float]:
    """Return the times at which a waiter polls for work that ends at `until`; a poll itself takes no time."""
    times = [0.0]
    while times[-1] < until:
        times.append(times[-1] + pace.pause(times[-1], 0.0, chance))
    return times[1:]


def paced(*seconds: float) -> Pace:
    pace = Pace()
    for one in seconds:
        pace.took(one)
    return pace


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("took", [0.05, 0.1, 1.0, 5.0])
def test_the_end_of_a_renewal_is_missed_by_an_eighth_of_it(took: float, chance: float) -> None:
    assert looks(paced(took, took), took, chance)[-1] <= took + max(took / 8, SHORTEST)


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_one_that_takes_what_the_others_took_is_left_alone_until_it_is_almost_done(chance: float) -> None:
    first, *_ = times = looks(paced(0.1, 0.1), 0.1, chance)
    assert first >= 0.08
    assert len(times) <= 6


def test_where_nothing_is_known_the_pauses_grow_with_the_wait() -> None:
    times = looks(Pace(), 3.0, 1.0)
    pauses = [after - before for before, after in zip([0.0, *times], times, strict=False)]
    assert pauses == pytest.approx(sorted(pauses))
    assert pauses[0] == SHORTEST
    assert pauses[-1] > 0.5


def test_the_first_renewal_which_sets_up_connections_says_nothing_of_the_next() -> None:
    assert paced(9.0).expected == 0.0
    assert paced(9.0, 0.1).expected == 0.1


def test_a_server_that_has_become_slower_or_faster_is_known_after_a_few() -> None:
    assert paced(0.1, 0.1, *[0.5] * REMEMBERED).expected == 0.5
    assert paced(*[0.5] * REMEMBERED, 0.1).expected == 0.1


def test_however_long_a_renewal_takes_there_is_a_look_now_and_then() -> None:
    assert paced(60.0, 60.0).pause(0.0, 0.0, 1.0) == LONGEST
    assert Pace().pause(60.0, 0.0, 1.0) == LONGEST


def test_a_store_that_is_slow_to_answer_is_asked_less() -> None:
    assert Pace().pause(0.0, 0.2, 1.0) == 0.4


def test_who_has_seen_renewals_leaves_the_next_alone_until_it_is_almost_done() -> None:
    world = World(2)
    leader, waiter = world.workers
    for _ in range(4):
        world.expire()
        leader.begin()
        world.finish(leader, Request)
        waiter.begin()
        waiter.performed.clear()
        began = world.elapsed
        while world.elapsed < began + 0.1:  # as long as the server takes
            world.step(waiter)
        world.finish(leader)
        world.finish(waiter)
    assert len([effect for effect in waiter.performed if isinstance(effect, Load)]) <= 6
    pauses = [effect.seconds for effect in waiter.performed if isinstance(effect, Sleep)]
    assert pauses[0] == max(pauses) > 0.05
