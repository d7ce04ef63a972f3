"""What a store does in the child of a fork, which has its parent's connections and locks but none of its threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

T = TypeVar("T")

# What there is once per process, a fork, is told to whoever still lives; nothing of a store is kept here.
_afterwards: WeakKeyDictionary[object, Callable[[Any], None]] = WeakKeyDictionary()


def after_fork(store: T, action: Callable[[T], None]) -> None:
    """Have `action(store)` called in every forked child, for as long as the store lives."""
    _afterwards[store] = action


def _in_child() -> None:
    for store, action in list(_afterwards.items()):
        action(store)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
