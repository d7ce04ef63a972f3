"""The store in memory: its bounds, and leases by its own clock."""

import threading
from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.stores import MemoryStore, Record
from tests.support.fake_clock import Clock


def test_a_lease_ends_by_the_stores_clock_at_its_second() -> None:
    clock = Clock()
    store = MemoryStore(clock=clock)
    assert store.try_lease("key", 5)
    clock.advance(4.999)
    assert store.try_lease("key", 5) is None
    clock.advance(0.001)
    assert store.try_lease("key", 5)


def test_the_longest_unused_record_is_dropped_when_there_are_too_many() -> None:
    store = MemoryStore(max_entries=2)
    store.commit("a", b"a", expected=0)
    store.commit("b", b"b", expected=0)
    assert store.load("a")  # now b is the longest unused
    store.commit("c", b"c", expected=0)
    assert store.load("b") is None
    assert store.load("a")
    assert store.load("c")


def test_a_record_is_dropped_when_it_was_not_used_for_too_long() -> None:
    clock = Clock()
    store = MemoryStore(max_idle=60, clock=clock)
    store.commit("used", b"", expected=0)
    store.commit("unused", b"", expected=0)
    clock.advance(59)
    assert store.load("used")
    clock.advance(1)
    assert store.load("unused") is None
    assert store.load("used")


def test_a_dropped_record_that_comes_back_has_a_new_version() -> None:
    store = MemoryStore(max_entries=1)
    for version in range(3):
        store.commit("a", b"a", expected=version)
    store.commit("b", b"b", expected=0)  # a is dropped at version 3
    assert store.commit("a", b"again", expected=0) > 3
    assert store.commit("a", b"late", expected=3) == 0


def test_a_deleted_records_version_is_remembered_for_a_day() -> None:
    clock = Clock()
    store = MemoryStore(clock=clock)
    store.commit("a", b"a", expected=0)
    store.commit("a", None, expected=1)
    clock.advance(86_399)
    assert store.commit("a", b"a", expected=0) == 3


def test_deleted_records_take_no_room_from_kept_ones() -> None:
    store = MemoryStore(max_entries=2)
    for key in ("a", "b"):
        store.commit(key, b"data", expected=0)
        store.commit(key, None, expected=1)
        store.commit(key, b"data", expected=0)
    for number in range(100):  # people who come and go, though two at most are there at once
        key = f"guest-{number}"
        store.commit("b", None, expected=3 + 2 * number)
        version = store.commit(key, b"data", expected=0)
        assert store.commit(key, None, expected=version)
        assert store.commit("b", b"data", expected=0) == 5 + 2 * number
    assert store.load("a")
    assert len(store._deleted) <= 2


def test_a_deleted_record_keeps_no_unused_one_alive() -> None:
    clock = Clock()
    store = MemoryStore(max_idle=60, clock=clock)
    store.commit("gone", b"", expected=0)
    store.commit("gone", None, expected=1)
    store.commit("idle", b"", expected=0)
    clock.advance(60)
    assert store.load("idle") is None


def test_leases_that_ran_out_take_no_room() -> None:
    clock = Clock()
    store = MemoryStore(clock=clock)
    for number in range(50_000):
        assert store.try_lease(f"key-{number}", 1)
        clock.advance(0.01)
    assert len(store._leases) < 3000


def test_of_many_threads_that_commit_over_one_version_one_wins() -> None:
    store, threads, rounds = MemoryStore(), 16, 50
    barrier = threading.Barrier(threads)
    won: list[int] = []

    def commit() -> None:
        for expected in range(rounds):
            barrier.wait()  # all of them, at every version
            if version := store.commit("key", b"", expected=expected):
                won.append(version)

    running = [threading.Thread(target=commit) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    assert sorted(won) == list(range(1, rounds + 1))


def test_closing_it_forgets_everything() -> None:
    store = MemoryStore()
    store.commit("key", b"data", expected=0)
    assert store.try_lease("key", 60)
    store.close()
    assert store.load("key") is None
    assert store.try_lease("key", 60)
    assert store.commit("key", b"data", expected=0)
    assert store.load("key") == Record(1, b"data")


@pytest.mark.parametrize("bounds", [{"max_entries": 0}, {"max_idle": 0}, {"max_idle": -1}, {"max_idle": float("nan")}])
def test_bounds_that_leave_no_room_are_refused(bounds: Any) -> None:
    with pytest.raises(UsageError, match=next(iter(bounds))):
        MemoryStore(**bounds)
