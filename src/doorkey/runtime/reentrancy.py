"""Reentrancy guard: code called during a renewal (a hook, `update_token`) must not wait for that renewal.

A renewal runs code of the user: hooks, client authentication methods, functions that return an assertion, code that
saves the token. What that code asks for in turn must not wait for the very renewal that waits for it. Tasks that are
begun there, and threads that are given the context, are inside too, for as long as it goes on.
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
    """A renewal in progress that the current code belongs to, or that waits for the current code."""

    __slots__ = ("_work", "of", "outer", "over", "token")

    def __init__(self, of: object, work: Flow[Any], token: OAuthToken | None, outer: _Scope | None) -> None:
        self.of: object = of
        self.token, self.outer = token, outer
        self.over, self._work = False, ref(work)

    def is_left(self) -> bool:
        """Return whether the work has ended, or was dropped by an interruption before it could record its end."""
        return self.over or self._work() is None

    def leave(self) -> None:
        """Record the end, and release references except outer scopes: a copy of the context may live long."""
        self.over = True
        self.of = self.token = None
        if self.outer is not None:
            self.outer = _going_on(self.outer)


def _going_on(scope: _Scope | None) -> _Scope | None:
    """Return the innermost scope that is not left, from `scope` outward."""
    while scope is not None and scope.is_left():
        scope = scope.outer
    return scope


_here: ContextVar[_Scope | None] = ContextVar("doorkey_inside", default=None)


def entered(of: object, work: Flow[T], token: OAuthToken | None = None) -> Flow[T]:
    """Run `work` within a scope of `of`. `token` is the token that code within the scope may use."""
    outer = _here.get()
    scope = _Scope(of, work, token, outer and _going_on(outer))
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
        # Else the garbage collector may be what closes the flow, while another variable is being set: Python 3.11
        # crashes if one changes then. A scope that is left counts as none.


@contextmanager
def detached() -> Generator[None]:
    """Run code outside every scope: for a callback whose tasks the caller does not wait for."""
    before = _here.set(None)
    try:
        yield
    finally:
        _here.reset(before)


def token_inside(of: object) -> OAuthToken | None:
    """Return the token that the current code may use within a scope of `of`, or None."""
    scope = _scope_of(of)
    return None if scope is None else scope.token


def is_saving() -> bool:
    """Return whether the code that runs here is called to save a token."""
    scope = _going_on(_here.get())
    while scope is not None and scope.token is None:
        scope = _going_on(scope.outer)
    return scope is not None


def refuse_reentry(of: object, said: str) -> None:
    """Raise `UsageError(said)` if the current code runs within a scope of `of`, and would wait for itself."""
    if _scope_of(of) is not None:
        raise UsageError(said)


def _scope_of(of: object) -> _Scope | None:
    if (scope := _here.get()) is not None:
        scope = _going_on(scope)
    while scope is not None and scope.of is not of:
        scope = _going_on(scope.outer)
    return scope
