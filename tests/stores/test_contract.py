"""What every store does, blocking or awaited, over real servers and files: one suite for all."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import anyio
import pytest

from doorkey.errors import UsageError
from doorkey.stores import AsyncStore, Lease, Record
from doorkey.stores.limits import MAX_DATA, MAX_KEY
from tests.support.every_store import SHARED, Awaited, Place, ataken, marks

pytestmark = pytest.mark.anyio

KINDS = ("memory", *SHARED)
ON_TRIO = ("memory", "sqlite")  # the libraries of the others are asyncio's


def _colors() -> list[object]:
    blocking = [("blocking", kind) for kind in KINDS]
    asyncio = [("asyncio", kind) for kind in KINDS]
    trio = [("trio", kind) for kind in ON_TRIO]
    cases = [*blocking, *asyncio, *trio]
    return [pytest.param(color, kind, id=f"{kind}-{color}", marks=marks(kind)) for color, kind in cases]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two stores on the same place, as two programs have them; in memory there is only the one."""

    one: AsyncStore
    other: AsyncStore


@pytest.fixture
def anyio_backend(color: str) -> str:
    return "trio" if color == "trio" else "asyncio"


@pytest.fixture
async def stores(color: str, place: Place) -> AsyncIterator[Pair]:
    number = 1 if place.kind == "memory" else 2
    opened: list[AsyncStore] = [
        Awaited(place.open()) if color == "blocking" else await place.aopen() for _ in range(number)
    ]
    yield Pair(opened[0], opened[-1])
    for store in opened:
        await store.close()


@pytest.fixture
def store(stores: Pair) -> AsyncStore:
    return stores.one


everywhere = pytest.mark.parametrize(("color", "place"), _colors(), indirect=["place"])


@everywhere
async def test_a_key_that_was_never_saved_has_no_record(store: AsyncStore, key: str) -> None:
    assert isinstance(store, AsyncStore)
    assert await store.load(key) is None


@everywhere
async def test_the_first_version_is_1_and_every_commit_adds_1(stores: Pair, key: str) -> None:
    assert [await stores.one.commit(key, bytes([n]), expected=n) for n in range(5)] == [1, 2, 3, 4, 5]
    assert await stores.other.load(key) == Record(5, b"\x04")


@everywhere
async def test_a_commit_of_another_caller_is_not_overwritten(stores: Pair, key: str) -> None:
    assert await stores.one.commit(key, b"first", expected=0) == 1
    assert await stores.other.commit(key, b"second", expected=1) == 2
    for stale in (0, 1, 3, 2**52):
        assert await stores.one.commit(key, b"late", expected=stale) == 0
    assert await stores.one.commit(key, None, expected=1) == 0
    assert await stores.one.load(key) == Record(2, b"second")


@everywhere
async def test_a_record_that_is_not_there_cannot_be_committed_over(store: AsyncStore, key: str) -> None:
    assert await store.commit(key, b"data", expected=1) == 0
    assert await store.commit(key, None, expected=1) == 0
    assert await store.load(key) is None


@everywhere
async def test_a_deleted_record_is_gone_and_its_versions_go_on(stores: Pair, key: str) -> None:
    await stores.one.commit(key, b"data", expected=0)
    assert await stores.one.commit(key, None, expected=1) == 2
    assert await stores.other.load(key) is None
    assert await stores.other.commit(key, None, expected=2) == 0
    assert await stores.other.commit(key, b"again", expected=2) == 0
    assert await stores.other.commit(key, b"again", expected=0) == 3
    assert await stores.one.load(key) == Record(3, b"again")


@everywhere
async def test_a_renewal_begun_before_a_logout_does_not_overwrite_the_next_login(stores: Pair, key: str) -> None:
    renewing, login = stores.one, stores.other
    await login.commit(key, b"first grant", expected=0)
    seen = await renewing.load(key)
    assert seen is not None
    await login.commit(key, None, expected=1)
    await login.commit(key, b"second grant", expected=0)
    assert await renewing.commit(key, b"first grant, renewed", expected=seen.version) == 0
    loaded = await login.load(key)
    assert loaded is not None
    assert loaded.data == b"second grant"


DATA = {
    "none": b"",
    "every": bytes(range(256)),
    "nul": b"\x00" * 100,
    "quotes": b"'\"\\%s{}$1",
    "largest": bytes(MAX_DATA),
}


@everywhere
async def test_data_comes_back_byte_for_byte(store: AsyncStore, key: str) -> None:
    for name, data in DATA.items():
        assert await store.commit(f"{key}-{name}", data, expected=0) == 1
        loaded = await store.load(f"{key}-{name}")
        assert loaded is not None
        assert loaded == Record(1, data), name
        assert type(loaded.data) is bytes


@everywhere
async def test_keys_that_only_look_alike_are_different_records(store: AsyncStore, key: str) -> None:
    endings = [
        "a",
        "A",
        "a ",
        " a",
        "ä",
        "a\u0308",
        "á",
        "%61",
        "a}b",
        "{a}",
        "}",
        "a:record",
        "a'--",
        "a\n",
        "\U0001f511",
    ]
    longest = "x" * (MAX_KEY - len(key))
    for number, ending in enumerate([*endings, longest]):
        assert await store.commit(key + ending, bytes([number]), expected=0) == 1
        assert await store.try_lease(key + ending, 60) is not None
    for number, ending in enumerate([*endings, longest]):
        assert await store.load(key + ending) == Record(1, bytes([number]))


NO_KEYS: tuple[Any, ...] = ("", "nul\0", "x" * (MAX_KEY + 1), "ä" * MAX_KEY, "\ud800", None, b"bytes", 7)


@everywhere
async def test_a_value_that_is_not_a_key_is_refused_without_quoting_it(store: AsyncStore) -> None:
    calls: list[Callable[[], Awaitable[object]]] = []
    for wrong in NO_KEYS:
        calls.append(partial(store.load, wrong))
        calls.append(partial(store.try_lease, wrong, 1))
        calls.append(partial(store.commit, wrong, b"", expected=0))
    for call in calls:
        with pytest.raises(UsageError, match="key") as caught:
            await call()
        assert len(str(caught.value)) < 100


@everywhere
async def test_wrong_arguments_are_refused_before_the_store_is_asked(store: AsyncStore, key: str) -> None:
    for data, expected in [
        (b"", -1),
        (b"", True),
        (b"", 1.0),
        (b"", 2**60),
        ("text", 0),
        (None, 0),
        (bytes(MAX_DATA + 1), 0),
    ]:
        with pytest.raises(UsageError):
            await store.commit(key, data, expected=expected)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    for seconds in (0, -1, float("nan"), float("inf"), 86_401, True, "5", None):
        with pytest.raises(UsageError):
            await store.try_lease(key, seconds)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert await store.load(key) is None
    assert await store.try_lease(key, 1) is not None


@everywhere
async def test_one_holds_the_lease_until_it_is_given_back(stores: Pair, key: str) -> None:
    lease = await stores.one.try_lease(key, 60)
    assert lease is not None
    assert await stores.other.try_lease(key, 60) is None
    assert await stores.one.try_lease(key, 60) is None
    await stores.other.release(lease)
    assert await stores.other.try_lease(key, 60) is not None
    assert await stores.one.try_lease(key, 60) is None


@everywhere
async def test_a_lease_is_for_its_key_alone_and_needs_no_record(stores: Pair, key: str) -> None:
    assert await stores.one.try_lease(key, 60) is not None
    assert await stores.other.try_lease(key + "x", 60) is not None
    assert await stores.one.load(key) is None
    assert await stores.one.commit(key, b"data", expected=0) == 1


@everywhere
async def test_only_its_owner_gives_a_lease_back(stores: Pair, key: str) -> None:
    lease = await stores.one.try_lease(key, 60)
    assert lease is not None
    for guess in ("", "x", lease.owner[:-1], lease.owner.swapcase()):
        await stores.other.release(Lease(key, guess))
        assert await stores.other.try_lease(key, 60) is None


@everywhere
async def test_an_expired_lease_can_be_taken_and_its_late_release_has_no_effect(stores: Pair, key: str) -> None:
    late = await stores.one.try_lease(key, 0.05)
    assert late is not None
    await ataken(stores.other, key, 60)
    await stores.one.release(late)
    assert await stores.one.try_lease(key, 60) is None


@everywhere
async def test_an_owner_that_outlived_its_lease_still_saves_the_rotated_token(stores: Pair, key: str) -> None:
    await stores.one.commit(key, b"old", expected=0)
    assert await stores.one.try_lease(key, 0.05) is not None
    await ataken(stores.other, key, 60)
    assert await stores.one.commit(key, b"rotated", expected=1) == 2
    assert await stores.other.load(key) == Record(2, b"rotated")
    assert await stores.one.try_lease(key, 60) is None  # a commit does not end the other's lease


@everywhere
async def test_of_many_tasks_that_commit_over_one_version_one_wins(stores: Pair, key: str) -> None:
    wins: list[tuple[int, bytes]] = []

    async def commit(store: AsyncStore, data: bytes, expected: int) -> None:
        if version := await store.commit(key, data, expected=expected):
            wins.append((version, data))

    for expected in range(3):
        async with anyio.create_task_group() as tasks:
            for number in range(8):
                tasks.start_soon(
                    commit, stores.one if number % 2 else stores.other, bytes([expected, number]), expected
                )
    assert [version for version, _ in wins] == [1, 2, 3]
    assert await stores.one.load(key) == Record(*wins[-1])


@everywhere
async def test_of_many_tasks_that_want_the_lease_one_gets_it(stores: Pair, key: str) -> None:
    leases: list[Lease | None] = []

    async def lease(store: AsyncStore) -> None:
        leases.append(await store.try_lease(key, 60))

    async with anyio.create_task_group() as tasks:
        for number in range(8):
            tasks.start_soon(lease, stores.one if number % 2 else stores.other)
    assert len(leases) == 8
    assert len([lease for lease in leases if lease]) == 1


@everywhere
async def test_a_closed_store_opens_again_when_it_is_used(stores: Pair, place: Place, key: str) -> None:
    await stores.one.commit(key, b"data", expected=0)
    for _ in range(2):
        await stores.one.close()
    kept = None if place.kind == "memory" else Record(1, b"data")  # memory has nothing to open again
    assert await stores.one.load(key) == kept
