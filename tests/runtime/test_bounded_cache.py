"""A cache within its budget, however many keys there are."""

import gc
import threading
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from doorkey import TokenExchange, TokenSource
from doorkey.errors import UsageError
from doorkey.runtime.bounded_cache import BoundedCache
from tests.support.every_adapter import together
from tests.support.fake_clock import Clock

NEVER = "nobody makes this one again"


class Value:
    """What a cache holds: it can be referred to weakly."""

    def __init__(self, name: str = "") -> None:
        self.name = name


Cache = BoundedCache[str, Value]


def never() -> Value:
    raise AssertionError(NEVER)


def of(name: str) -> Callable[[], Value]:
    return lambda: Value(name)


def test_a_value_is_made_once_and_kept() -> None:
    cache = Cache()
    cache.get("a", of("1"))
    assert cache.get("a", never).name == "1"


def test_the_least_recently_used_goes_first() -> None:
    cache = Cache(entries=2)
    for key in ("a", "b"):
        cache.get(key, of(key))
    cache.get("a", never)
    cache.get("c", of("c"))
    assert len(cache) == 2
    assert cache.get("a", never).name == "a"
    assert cache.get("b", of("made again")).name == "made again"


def test_idle_values_are_evicted_and_used_ones_stay() -> None:
    clock = Clock()
    cache = Cache(idle=60, clock=clock)
    cache.get("a", of("a"))
    cache.get("b", of("b"))
    for _ in range(3):
        clock.advance(50)
        cache.get("a", never)
    assert len(cache) == 1


def test_a_value_that_was_idle_too_long_is_not_returned() -> None:
    clock = Clock()
    cache = Cache(idle=60, clock=clock)
    cache.get("a", of("old"))
    clock.advance(60)
    assert cache.get("a", never).name == "old"
    clock.advance(60.01)
    assert cache.get("a", of("new")).name == "new"


def test_a_value_dropped_while_in_use_is_found_again_and_not_made_twice() -> None:
    cache = Cache(entries=1)
    used = cache.get("a", of("a"))
    cache.get("b", of("b"))
    assert cache.get("a", never) is used


def test_a_dropped_value_is_freed_at_once_and_outside_the_lock() -> None:
    cache = Cache(entries=1)
    seen: list[int] = []

    class Last(Value):
        def __del__(self) -> None:
            seen.append(len(cache))
            cache.get("from its end", of("made"))

    cache.get("a", Last)
    cache.get("b", of("b"))
    assert len(seen) == 1
    assert cache.get("from its end", never).name == "made"


def test_a_pinned_value_is_not_evicted() -> None:
    clock = Clock()
    cache = Cache(entries=1, idle=60, clock=clock)
    cache.get("a", of("a"))
    cache.pin("a", stays=True)
    clock.advance(61)
    for key in ("b", "c"):
        cache.get(key, of(key))
    assert cache.get("a", never).name == "a"
    cache.pin("a", stays=False)
    for key in ("b", "c"):
        cache.get(key, of(key))
    assert cache.get("a", of("made again")).name == "made again"


class Key:
    """A key that counts how often any of them is looked at."""

    looked_at = 0

    def __hash__(self) -> int:
        Key.looked_at += 1
        return id(self)


def test_a_use_costs_the_same_however_many_are_pinned() -> None:
    """A store that is down while many tokens are renewed: no call iterates over those that wait to be saved."""
    cache: BoundedCache[Key, Value] = BoundedCache(entries=10)
    keys = [Key() for _ in range(1000)]
    for key in keys:
        cache.get(key, Value)
        cache.pin(key, stays=True)
    before = Key.looked_at
    cache.get(keys[0], Value)
    cache.get(Key(), Value)
    assert Key.looked_at - before < 50


def test_what_nothing_could_bring_back_stays_and_there_is_room_for_as_many_as_entries() -> None:
    cache = Cache(entries=2)
    kept = [cache.get_pinned(key, of(key), _is_spent, "full") for key in ("a", "b")]
    cache.get("c", of("c"))  # beside them
    cache.get("d", of("d"))
    for _ in range(2):
        with pytest.raises(UsageError, match="full"):
            cache.get_pinned("e", never, _is_spent, "full")
    assert [cache.get_pinned(key, never, _is_spent, "full") for key in ("a", "b")] == kept


def _is_spent(value: Value) -> bool:
    return value.name == "spent"


def test_what_has_come_to_its_end_makes_room() -> None:
    cache = Cache(entries=2)
    first = cache.get_pinned("a", of("a"), _is_spent, "full")
    cache.get_pinned("b", of("spent"), _is_spent, "full")
    cache.get_pinned("c", of("c"), _is_spent, "full")
    assert cache.get_pinned("a", never, _is_spent, "full") is first
    assert len(cache) == 2


def test_a_pinned_value_can_be_dropped() -> None:
    cache = Cache(entries=1)
    cache.get_pinned("a", of("a"), _is_spent, "full")
    cache.drop("a")
    assert cache.get_pinned("b", of("b"), _is_spent, "full").name == "b"


def test_a_key_can_be_dropped() -> None:
    cache = Cache()
    cache.get("a", of("1"))
    cache.drop("a")
    cache.drop("never there")
    assert cache.get("a", of("2")).name == "2"


def test_what_could_not_be_made_is_not_kept() -> None:
    cache = Cache()
    with pytest.raises(AssertionError, match=NEVER):
        cache.get("a", never)
    assert cache.get("a", of("1")).name == "1"


@pytest.mark.parametrize(
    ("entries", "idle"),
    [(0, 1), (-1, 1), (True, 1), (1.5, 1), (None, 1), (1, 0), (1, -1), (1, float("nan")), (1, True), (1, "x")],
)
def test_a_cache_that_could_hold_nothing_is_refused(entries: Any, idle: Any) -> None:
    with pytest.raises(UsageError, match=r"^(many|long) must be"):
        BoundedCache(entries, idle, names=("many", "long"))


def test_many_threads_get_the_same_value() -> None:
    cache = Cache()
    start = threading.Barrier(16)

    def get() -> int:
        start.wait(60)
        return id(cache.get("a", Value))

    assert len(set(together(16, get))) == 1


def test_100_000_users_stay_within_the_budget() -> None:
    """A service that exchanges a token for each user keeps as many sources as it was told, and no more memory."""
    cache: BoundedCache[int, Value] = BoundedCache(entries=1000)
    for key in range(100_000):
        cache.get(key, Value)
    assert len(cache) == 1000


def test_sources_that_are_dropped_leave_nothing_behind() -> None:
    endpoint = "https://as.example/token"
    cache: BoundedCache[object, TokenSource] = BoundedCache(entries=50)

    def use(user: int) -> None:
        credentials = TokenExchange("c", "s", subject_token=f"user-{user}")
        cache.get(credentials, lambda: TokenSource(credentials, token_endpoint=endpoint))

    def held() -> int:
        """The number of blocks of memory that code of sources has allocated: other threads of the process allocate too.

        Not their size: a table of all owners in the process may grow meanwhile, in one block.
        """
        folders = [
            tracemalloc.Filter(inclusive=True, filename_pattern=f"*/doorkey/{name}/*")
            for name in ("sources", "renewal", "runtime")
        ]
        traces = tracemalloc.take_snapshot().filter_traces(folders)
        return sum(one.count for one in traces.statistics("filename"))

    for user in range(200):
        use(user)
    seen: list[int] = []
    tracemalloc.start()
    try:
        for user in range(200, 1000):
            use(user)
            if user in (400, 999):
                gc.collect()
                seen.append(held())
    finally:
        tracemalloc.stop()
    assert seen[1] - seen[0] < 600  # one source takes tens of blocks
