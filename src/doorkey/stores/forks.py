"""What a store does when the process forks: the child has its connections and locks, but none of its threads."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

__all__: list[str] = []

T = TypeVar("T")

# What happens once per process, a fork, is told to whoever still lives; nothing of a store is kept here.
_in_child: WeakKeyDictionary[Any, Callable[[Any], None]] = WeakKeyDictionary()
_around: WeakKeyDictionary[Any, tuple[Callable[[Any], None], Callable[[Any], None]]] = WeakKeyDictionary()
_forking = threading.local()


def after_fork(owner: T, action: Callable[[T], None]) -> None:
    """Have `action(owner)` called in every forked child, for as long as the owner lives."""
    _in_child[owner] = action


def around_fork(owner: T, before: Callable[[T], None], after: Callable[[T], None]) -> None:
    """Have `before(owner)` called before every fork, and `after(owner)` then in the parent and in the child."""
    _around[owner] = (before, after)


def _before() -> None:
    told: list[tuple[Any, Callable[[Any], None]]] = []
    _forking.told = told
    for owner, (before, after) in list(_around.items()):
        before(owner)
        told.append((owner, after))


def _after() -> None:
    told: list[tuple[Any, Callable[[Any], None]]] = getattr(_forking, "told", [])
    _forking.told = []
    for owner, after in told:
        after(owner)


def _child() -> None:
    _after()
    for owner, action in list(_in_child.items()):
        action(owner)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_child)
