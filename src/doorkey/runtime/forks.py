"""Locks and connections after a fork: the child has copies of them, but none of the parent's other threads.

A lock that another thread of the parent held would never be released in the child.
"""

from __future__ import annotations

import os
import threading
from _thread import RLock
from collections.abc import Callable
from typing import Any, TypeVar, cast
from weakref import WeakKeyDictionary, ref

__all__: list[str] = []

T = TypeVar("T")


class _Owner(ref[Any]):
    """An owner, whose entry goes when it is freed; it may be of a class whose objects are equal, or have no hash."""

    __slots__ = ("key",)
    key: int


_in_child: dict[int, tuple[_Owner, Callable[[Any], object]]] = {}
_around: WeakKeyDictionary[Any, tuple[Callable[[Any], object], Callable[[Any], object]]] = WeakKeyDictionary()
_forking = threading.local()


def after_fork(owner: T, action: Callable[[T], object]) -> None:
    """Have `action(owner)` called in every forked child, for as long as the owner lives; one action for each owner."""
    known = _Owner(owner, _forget)
    known.key = id(owner)
    _in_child[known.key] = known, action


def _forget(freed: _Owner, entries: dict[int, tuple[_Owner, Callable[[Any], object]]] = _in_child) -> None:
    known = entries.get(freed.key)
    if known is not None and known[0] is freed:
        del entries[freed.key]


class ForkSafeLock(RLock):  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]  # final for checkers only
    """A re-entrant lock that is free in a forked child, whichever thread of the parent held it.

    Re-entrant, because a finalizer or a signal handler may use the object that the lock guards while its own thread
    holds the lock: a plain lock would block that thread for ever. Code that holds it must therefore leave the state
    consistent before each call of anything that is not its own, and free no object that a user gave it.
    """

    def __init__(self) -> None:
        super().__init__()
        after_fork(self, ForkSafeLock.renew_in_child)

    def renew_in_child(self) -> None:
        """Be free, unless the thread that forked holds the lock: it is the one that goes on in the child."""
        if self.acquire(blocking=False):
            self.release()
        else:
            cast("Any", self)._at_fork_reinit()


def around_fork(owner: T, before: Callable[[T], object], after: Callable[[T], object]) -> None:
    """Have `before(owner)` called before every fork, and `after(owner)` then in the parent and in the child.

    A callback whose `before` raises must undo its own effects; its `after` is not called. Those of the others are.
    """
    _around[owner] = (before, after)


def _before() -> None:
    told: list[tuple[Any, Callable[[Any], object]]] = []
    _forking.told = told
    failed: Exception | None = None
    for owner in _alive(_around):
        before, after = _around[owner]
        try:
            before(owner)
        except Exception as error:  # noqa: BLE001  # the others are to know of the fork all the same
            failed = failed or error
        else:
            told.append((owner, after))
    if failed is not None:
        raise failed  # Python shows it, and forks


def _after() -> None:
    told: list[tuple[Any, Callable[[Any], object]]] = getattr(_forking, "told", [])
    _forking.told = []
    for owner, after in told:
        after(owner)


def _child() -> None:
    _after()
    failed: Exception | None = None
    for known, action in list(_in_child.values()):
        owner = known()
        try:
            if owner is not None:
                action(owner)
        except Exception as error:  # noqa: BLE001  # the others must leave what is the parent's all the same
            failed = failed or error
    if failed is not None:
        raise failed  # Python shows it, and goes on


def _alive(owners: WeakKeyDictionary[Any, Any]) -> list[Any]:
    """Return the owners that are still alive; other threads may add some meanwhile."""
    return [owner for ref in owners.keyrefs() if (owner := ref()) is not None]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_child)
