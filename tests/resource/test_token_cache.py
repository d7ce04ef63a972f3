"""Verified tokens in a bounded cache without locks on the way of a hit."""

import threading

import pytest

from doorkey import UsageError
from doorkey.resource.token_cache import TokenCache

NOW = 1000.0


def test_a_value_is_there_for_its_time() -> None:
    cache: TokenCache[str] = TokenCache(10)
    cache.put(b"a", "value", NOW, NOW + 10)
    assert cache.get(b"a", NOW) == cache.get(b"a", NOW + 9.9) == "value"
    assert cache.get(b"a", NOW + 10) is None
    assert cache.get(b"a", NOW - 0.1) is None
    assert cache.get(b"b", NOW) is None


def test_a_value_whose_time_is_over_is_not_kept() -> None:
    cache: TokenCache[str] = TokenCache(10)
    cache.put(b"a", "value", NOW, NOW)
    assert len(cache) == 0


def test_the_values_that_were_not_used_for_longest_make_room() -> None:
    cache: TokenCache[int] = TokenCache(4)
    for number in range(100):
        cache.put(f"{number}".encode(), number, NOW, NOW + 10)
        cache.put(b"used", -1, NOW, NOW + 10) if number == 0 else cache.get(b"used", NOW)
        assert len(cache) <= 4
    assert cache.get(b"used", NOW) == -1
    assert cache.get(b"99", NOW) == 99
    assert cache.get(b"50", NOW) is None


def test_a_value_whose_time_is_over_does_not_stay_because_it_is_looked_up() -> None:
    cache: TokenCache[int] = TokenCache(4)
    cache.put(b"old", 0, NOW, NOW + 1)
    for number in range(8):
        cache.put(f"{number}".encode(), number, NOW, NOW + 10)
        assert cache.get(b"old", NOW + 2) is None
    assert cache.get(b"old", NOW) is None


@pytest.mark.parametrize("entries", [0, 1, -1, 2.5, True, None])
def test_the_bound_is_a_number_of_entries(entries: object) -> None:
    with pytest.raises(UsageError, match="cache_entries"):
        TokenCache(entries)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_threads_share_it_within_the_bound() -> None:
    cache: TokenCache[int] = TokenCache(16)
    wrong: list[int] = []

    def work(seed: int) -> None:
        for number in range(2000):
            key = (number * seed) % 40
            cache.put(f"{key}".encode(), key, NOW, NOW + 10)
            found = cache.get(f"{key}".encode(), NOW)
            if found not in (None, key) or len(cache) > 16:
                wrong.append(key)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in (3, 7, 11, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
