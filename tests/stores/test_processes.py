"""Several processes on one store: two winners are impossible, and a process that dies blocks no other."""

import json
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from doorkey.stores import Store
from tests.stores.workers import main
from tests.support.every_store import SHARED, Place, kinds, taken
from tests.support.forked import Forked

SEVERAL = 6

shared = pytest.mark.parametrize("place", kinds(*SHARED), indirect=True)


@contextmanager
def started() -> Generator[Forked]:
    """A process that carries out orders on stores; killed if it is still there at the end."""
    process = Forked(main)
    try:
        yield process
    finally:
        process.kill()


@pytest.fixture(scope="module")
def several() -> Iterator[list[Forked]]:
    """Processes that the tests of this module share; each order opens its own store."""
    with ExitStack() as stack:
        yield [stack.enter_context(started()) for _ in range(SEVERAL)]


def write(process: Forked, line: str) -> None:
    process.stdin.write(line + "\n")
    process.stdin.flush()


def order(process: Forked, task: str, place: Place, key: str, number: float) -> None:
    write(process, json.dumps([task, place.kind, place.where, key, str(number)]))


def answer(process: Forked) -> Any:
    line = process.stdout.readline()
    assert line, "the worker ended without an answer"
    return json.loads(line)


def begin(process: Forked) -> None:
    write(process, "go")


@contextmanager
def worker(task: str, place: Place, key: str, number: float) -> Generator[Forked]:
    """A process of its own, which begins the task when the test says so."""
    with started() as process:
        order(process, task, place, key, number)
        yield process


def together(processes: list[Forked], task: str, place: Place, key: str, number: int) -> Iterator[Any]:
    """The answers of several processes that begin at once."""
    for process in processes:
        order(process, task, place, key, number)
    for process in processes:
        assert answer(process) == "ready"
    for process in processes:
        begin(process)
    for process in processes:
        yield answer(process)


def flat(lists: list[list[int]]) -> list[int]:
    return [item for items in lists for item in items]


@shared
def test_every_version_is_made_by_exactly_one_process(
    place: Place, blocking: Store, key: str, several: list[Forked]
) -> None:
    turns = 15
    won = list(together(several, "count", place, key, turns))
    assert [len(versions) for versions in won] == [turns] * SEVERAL
    assert sorted(flat(won)) == list(range(1, SEVERAL * turns + 1))
    record = blocking.load(key)
    assert record is not None
    assert record.version == SEVERAL * turns
    lines = record.data.split()
    assert sorted(lines.count(line) for line in set(lines)) == [turns] * SEVERAL  # no update was lost


@shared
def test_of_many_processes_that_want_a_lease_one_gets_it(place: Place, key: str, several: list[Forked]) -> None:
    won = list(together(several, "race", place, key, 40))
    assert sorted(flat(won)) == list(range(40))


@shared
def test_of_many_processes_that_save_the_first_version_one_does(place: Place, key: str, several: list[Forked]) -> None:
    won = list(together(several, "first", place, key, 40))
    assert sorted(flat(won)) == list(range(40))


@shared
def test_the_lease_of_a_process_that_was_killed_expires(place: Place, blocking: Store, key: str) -> None:
    with worker("hold", place, key, 0.5) as process:
        assert answer(process) == "ready"
        begin(process)
        assert answer(process) is True
        process.kill()  # SIGKILL: it has no chance to give anything back
    lease = taken(blocking, key, 60)
    assert blocking.try_lease(key, 60) is None
    blocking.release(lease)


@shared
@pytest.mark.parametrize("off", [300, -300])
def test_a_machine_whose_clock_is_five_minutes_off_neither_breaks_nor_loses_a_lease(
    place: Place, blocking: Store, key: str, off: int
) -> None:
    assert blocking.try_lease(key, 60)
    with worker("wrong_clock", place, key, off) as process:
        assert answer(process) == "ready"
        begin(process)
        assert answer(process) == [False, True]
    assert blocking.try_lease(f"{key}-own", 60) is None


@shared
def test_a_store_in_use_is_carried_over_a_fork(place: Place, blocking: Store, key: str) -> None:
    turns = 8
    with worker("fork", place, key, turns) as process:
        assert answer(process) == "ready"
        begin(process)
        answers = [answer(process) for _ in range(5)]  # four count, then how the children ended
    assert answers.pop() == [0, 0, 0]
    assert sorted(flat(answers)) == list(range(2, 4 * turns + 2))
    record = blocking.load(key)
    assert record is not None
    assert record.version == 4 * turns + 1
