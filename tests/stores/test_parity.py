"""Blocking and asynchronous stores are twins: the same calls with the same arguments."""

import inspect
from typing import Any

import pytest

from doorkey import stores

TWINS = [
    (stores.Store, stores.AsyncStore),
    (stores.MemoryStore, stores.AsyncMemoryStore),
    (stores.SQLiteStore, stores.AsyncSQLiteStore),
    (stores.RedisStore, stores.AsyncRedisStore),
    (stores.SQLStore, stores.AsyncSQLStore),
]


def calls(kind: type) -> dict[str, Any]:
    return {name: call for name, call in vars(kind).items() if inspect.isfunction(call) and not name.startswith("_")}


@pytest.mark.parametrize(("blocking", "awaited"), TWINS, ids=lambda kind: kind.__name__)
def test_twins_have_the_same_calls_and_arguments(blocking: type, awaited: type) -> None:
    assert list(calls(blocking)) == list(calls(awaited))
    for name, call in calls(blocking).items():
        twin = calls(awaited)[name]
        assert inspect.signature(call) == inspect.signature(twin)
        assert inspect.iscoroutinefunction(twin)
        assert inspect.getdoc(twin)


@pytest.mark.parametrize(("blocking", "awaited"), TWINS[1:], ids=lambda kind: kind.__name__)
def test_twins_are_made_with_the_same_arguments_and_keep_the_promise(blocking: type, awaited: type) -> None:
    assert list(inspect.signature(blocking).parameters) == list(inspect.signature(awaited).parameters)
    for name, call in calls(stores.Store).items():
        assert inspect.signature(calls(blocking)[name]) == inspect.signature(call)
