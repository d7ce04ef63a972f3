"""Deadlock detection by reentrancy: code called during a renewal (a hook, …) must not wait for that renewal.

A renewal runs code of the user: hooks, client authentication methods, functions that return an assertion, code that
saves the token. If that code requested the token in turn, it would wait for the renewal that waits for it. Tasks that
are created there, and threads that run in a copy of the context, count as inside too until the renewal ends.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar
from weakref import ref

from doorkey.errors import UsageError
from doorkey.tokens import OAuthToken
from doorkey.wire.flow import Flow

__all__: list[str] = []

T = TypeVar("T")


class _Scope:
    """A renewal in progress of which the current code is a part, or which waits for the current code."""

    __slots__ = ("_work", "outer", "over", "owner", "token")

    def __init__(self, owner: object, work: Flow[Any], token: OAuthToken | None, outer: _Scope | None) -> None:
        self.owner: object = owner
        self.token, self.outer = token, outer
        self.over, self._work = False, ref(work)

    def is_left(self) -> bool:
        """Return whether the work has ended, or was interrupted and freed before it could record its end."""
        return self.over or self._work() is None

    def leave(self) -> None:
        """Record the end, and drop all references except the outer scope: a copy of the context may live long."""
        self.over = True
        self.owner = self.token = None
        if self.outer is not None:
            self.outer = _innermost_active(self.outer)


def _innermost_active(scope: _Scope | None) -> _Scope | None:
    """Return the innermost scope, from `scope` outward, whose work has not ended, or None."""
    while scope is not None and scope.is_left():
        scope = scope.outer
    return scope


_here: ContextVar[_Scope | None] = ContextVar("doorkey_inside", default=None)


def entered(owner: object, work: Flow[T], token: OAuthToken | None = None) -> Flow[T]:
    """Run `work` within a scope of `owner`, a lock or the state of a token. Code in the scope may use `token`."""
    outer = _here.get()
    scope = _Scope(owner, work, token, outer and _innermost_active(outer))
    before = _here.set(scope)
    is_closed = False
    try:
        return (yield from work)
    except GeneratorExit:
        is_closed = True
        raise
    finally:
        scope.leave()
        if not is_closed:
            _here.reset(before)
        # If it is closed, that may be by the garbage collector while another context variable is being set, and Python
        # 3.11 crashes if a variable changes then. So the scope stays, and is ignored because its work has ended.


@contextmanager
def detached() -> Generator[None]:
    """Run the block outside of all scopes. For a callback whose tasks the caller does not wait for."""
    before = _here.set(None)
    try:
        yield
    finally:
        _here.reset(before)


def token_inside(owner: object) -> OAuthToken | None:
    """Return the token that the current code may use in a scope of `owner`, or None."""
    scope = _scope_of(owner)
    return None if scope is None else scope.token


def is_saving() -> bool:
    """Return whether the current code was called to save a token."""
    scope = _innermost_active(_here.get())
    while scope is not None and scope.token is None:
        scope = _innermost_active(scope.outer)
    return scope is not None


def refuse_reentry(owner: object, message: str) -> None:
    """Raise `UsageError(message)` if the current code is in a scope of `owner`, where it would wait for itself."""
    if _scope_of(owner) is not None:
        raise UsageError(message)


def _scope_of(owner: object) -> _Scope | None:
    if (scope := _here.get()) is not None:
        scope = _innermost_active(scope)
    while scope is not None and scope.owner is not owner:
        scope = _innermost_active(scope.outer)
    return scope
