"""Locks and connections after a fork: the child has copies of them, but not the other threads of the parent.

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
    """A weak reference to an owner, found by identity: the owner may be equal to others, or unhashable."""

    __slots__ = ("key",)
    key: int


_in_child: dict[int, tuple[_Owner, Callable[[Any], object]]] = {}
_around: WeakKeyDictionary[Any, tuple[Callable[[Any], object], Callable[[Any], object]]] = WeakKeyDictionary()
_forking = threading.local()


def after_fork(owner: T, action: Callable[[T], object]) -> None:
    """Call `action(owner)` in every forked child while the owner is alive. An owner has one action."""
    known = _Owner(owner, _forget)
    known.key = id(owner)
    _in_child[known.key] = known, action


def _forget(freed: _Owner, entries: dict[int, tuple[_Owner, Callable[[Any], object]]] = _in_child) -> None:
    known = entries.get(freed.key)
    if known is not None and known[0] is freed:
        del entries[freed.key]


class ForkSafeLock(RLock):  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]  # final for checkers only
    """A re-entrant lock that is free in a forked child, even if another thread of the parent held it.

    It is re-entrant, because a finalizer or a signal handler may use the guarded object while its own thread holds the
    lock. A plain lock would block that thread forever. Code that holds this lock must therefore leave the state
    consistent before it calls foreign code, and must not free an object of the user.
    """

    def __init__(self) -> None:
        super().__init__()
        after_fork(self, ForkSafeLock.renew_in_child)

    def renew_in_child(self) -> None:
        """Free the lock, unless the thread that forked holds it, because that thread continues in the child."""
        if self.acquire(blocking=False):
            self.release()
        else:
            cast("Any", self)._at_fork_reinit()


def around_fork(owner: T, before: Callable[[T], object], after: Callable[[T], object]) -> None:
    """Call `before(owner)` before every fork, and `after(owner)` after it in the parent and in the child.

    If a `before` raises, it must undo its own effects, because its `after` is not called. The callbacks of other owners
    are still called.
    """
    _around[owner] = (before, after)


def _before() -> None:
    called: list[tuple[Any, Callable[[Any], object]]] = []
    _forking.called = called
    failed: Exception | None = None
    for owner in _alive(_around):
        before, after = _around[owner]
        try:
            before(owner)
        except Exception as error:  # noqa: BLE001  # the callbacks of other owners must run nevertheless
            failed = failed or error
        else:
            called.append((owner, after))
    if failed is not None:
        raise failed  # Python prints it, and forks


def _after() -> None:
    called: list[tuple[Any, Callable[[Any], object]]] = getattr(_forking, "called", [])
    _forking.called = []
    for owner, after in called:
        after(owner)


def _child() -> None:
    _after()
    failed: Exception | None = None
    for known, action in list(_in_child.values()):
        owner = known()
        try:
            if owner is not None:
                action(owner)
        except Exception as error:  # noqa: BLE001  # the other owners must drop the parent's resources nevertheless
            failed = failed or error
    if failed is not None:
        raise failed  # Python prints it, and continues


def _alive(owners: WeakKeyDictionary[Any, Any]) -> list[Any]:
    """Return the owners that are still alive. Other threads may add owners during this call."""
    return [owner for ref in owners.keyrefs() if (owner := ref()) is not None]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_after, after_in_child=_child)
