"""A cache within its budget, however many keys there are."""

import gc
import threading
import tracemalloc

import pytest

from doorkey import TokenExchange, TokenSource
from doorkey.bounded import BoundedCache
from doorkey.errors import UsageError
from tests.clients.adapters import together
from tests.clients.clock import Clock

NEVER = "nobody makes this one again"


def never() -> str:
    raise AssertionError(NEVER)


def test_a_value_is_made_once_and_kept() -> None:
    cache: BoundedCache[str, str] = BoundedCache()
    assert cache.get("a", lambda: "1") == "1"
    assert cache.get("a", never) == "1"


def test_the_least_recently_used_goes_first() -> None:
    cache: BoundedCache[str, str] = BoundedCache(entries=2)
    for key in ("a", "b"):
        cache.get(key, lambda key=key: key)  # type: ignore[misc]
    cache.get("a", never)
    cache.get("c", lambda: "c")
    assert len(cache) == 2
    assert cache.get("a", never) == "a"
    assert cache.get("b", lambda: "made again") == "made again"


def test_what_nobody_used_for_a_while_goes_and_what_is_used_stays() -> None:
    clock = Clock()
    cache: BoundedCache[str, str] = BoundedCache(idle=60, clock=clock)
    cache.get("a", lambda: "a")
    cache.get("b", lambda: "b")
    for _ in range(3):
        clock.advance(50)
        cache.get("a", never)
    assert len(cache) == 1


def test_a_value_that_was_idle_too_long_is_not_used_by_whoever_asks_for_it_next() -> None:
    clock = Clock()
    cache: BoundedCache[str, str] = BoundedCache(idle=60, clock=clock)
    cache.get("a", lambda: "old")
    clock.advance(60)
    assert cache.get("a", never) == "old"
    clock.advance(60.01)
    assert cache.get("a", lambda: "new") == "new"


def test_a_key_can_be_dropped() -> None:
    cache: BoundedCache[str, str] = BoundedCache()
    cache.get("a", lambda: "1")
    cache.drop("a")
    cache.drop("never there")
    assert cache.get("a", lambda: "2") == "2"


def test_what_could_not_be_made_is_not_kept() -> None:
    cache: BoundedCache[str, str] = BoundedCache()
    with pytest.raises(AssertionError, match=NEVER):
        cache.get("a", never)
    assert cache.get("a", lambda: "1") == "1"


@pytest.mark.parametrize(("entries", "idle"), [(0, 1), (-1, 1), (1, 0), (1, -1)])
def test_a_cache_that_could_hold_nothing_is_refused(entries: int, idle: float) -> None:
    with pytest.raises(UsageError):
        BoundedCache(entries, idle)


def test_many_threads_get_the_same_value() -> None:
    cache: BoundedCache[str, object] = BoundedCache()
    start = threading.Barrier(16)

    def get() -> int:
        start.wait(20)
        return id(cache.get("a", object))

    assert len(set(together(16, get))) == 1


def test_a_million_users_stay_within_the_budget() -> None:
    """A service that exchanges a token for each user keeps as many sources as it was told, and no more memory."""
    cache: BoundedCache[int, bytes] = BoundedCache(entries=1000)
    for key in range(1_000_000):
        cache.get(key, bytes)
    assert len(cache) == 1000


def test_sources_that_are_dropped_leave_nothing_behind() -> None:
    endpoint = "https://as.example/token"
    cache: BoundedCache[object, TokenSource] = BoundedCache(entries=50)

    def use(user: int) -> None:
        credentials = TokenExchange("c", "s", subject_token=f"user-{user}")
        cache.get(credentials, lambda: TokenSource(credentials, token_endpoint=endpoint))

    for user in range(200):
        use(user)
    seen: list[int] = []
    tracemalloc.start()
    try:
        for user in range(200, 2600):
            use(user)
            if user in (600, 2599):
                gc.collect()
                seen.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert seen[1] - seen[0] < 2000 * 100  # one source takes thousands of bytes
