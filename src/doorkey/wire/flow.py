"""Flows: a protocol of several steps, written once for blocking and asynchronous programs.

Theory of operation. A flow is a generator. It yields an *effect* for each operation that it cannot perform itself (send
this request, await this value if it is awaitable), receives the outcome at the `yield`, and returns its result.
``response = yield from Request(...)`` has the type `Response`, because iterating an effect returns its outcome. Only
`run` and `arun` distinguish blocking from asynchronous programs. If an effect fails, its exception is thrown into the
flow, so that the flow's own lines are in the traceback.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Generic, Self, TypeAlias, TypeVar, cast

from doorkey.errors import UsageError

R = TypeVar("R")
T = TypeVar("T")


class Effect(Generic[R]):
    """An operation that a flow delegates to its driver. Its outcome has the type `R`."""

    __slots__ = ()

    def __iter__(self) -> Generator[Self, R, R]:
        return (yield self)


Flow: TypeAlias = Generator[Effect[Any], Any, T]
"""A generator that yields effects, receives their outcomes and returns a `T`."""


@dataclass(frozen=True, slots=True)
class Settle(Effect[T]):
    """The effect that returns `value`, awaited if it is awaitable: the result of a user's callable."""

    value: T | Awaitable[T] = field(repr=False)


def maybe_await(value: T | Awaitable[T] | Flow[T]) -> Flow[T]:
    """Return `value`, or its result if it is a flow or an awaitable.

    Unlike `Settle`, it passes only awaitables to the driver, because the value may be a secret.
    """
    given: Any = value
    if inspect.isgenerator(value):
        return cast("T", (yield from given))
    if inspect.isawaitable(value):
        return cast("T", (yield from Settle(given)))
    return cast("T", given)


@dataclass(frozen=True, slots=True)
class Sleep(Effect[None]):
    """The effect that waits for `seconds`.

    saving: True if an issued token is being saved. An interruption of the program is then deferred until it is saved.
    """

    seconds: float
    saving: bool = False


def run(flow: Flow[T], perform: Callable[[Any], Any]) -> T:
    """Run `flow` in a blocking program, and return its result.

    perform: called with each effect; returns its outcome or raises its error.

    Raises the errors of the flow, and `UsageError` if a callable of the user returned an awaitable.
    """
    step: Callable[[], Effect[Any]] = partial(next, flow)
    outcome: Any = None
    while True:
        try:
            effect = step()
        except StopIteration as done:
            return cast(T, done.value)
        except BaseException:
            del step, outcome  # this frame is in the traceback, and the outcome may be a secret
            raise
        try:
            outcome = _settled(effect) if isinstance(effect, Settle) else perform(effect)
        except BaseException as error:  # noqa: BLE001  # interrupts too: the flow must run its `finally`
            step = partial(flow.throw, error)
        else:
            step = partial(flow.send, outcome)


async def arun(flow: Flow[T], perform: Callable[[Any], Awaitable[Any]]) -> T:
    """Run `flow` in an asynchronous program, and return its result.

    perform: called with each effect and awaited; returns its outcome or raises its error.

    Raises the errors of the flow. Cancellation is thrown into the flow like any other error.
    """
    step: Callable[[], Effect[Any]] = partial(next, flow)
    outcome: Any = None
    while True:
        try:
            effect = step()
        except StopIteration as done:
            return cast(T, done.value)
        except BaseException:
            del step, outcome  # this frame is in the traceback, and the outcome may be a secret
            raise
        try:
            outcome = await _asettled(effect) if isinstance(effect, Settle) else await perform(effect)
        except BaseException as error:  # noqa: BLE001  # cancellation too: the flow must run its `finally`
            step = partial(flow.throw, error)
        else:
            step = partial(flow.send, outcome)


def _settled(effect: Settle[T]) -> T:
    value = effect.value
    if not inspect.isawaitable(value):
        return value
    if inspect.iscoroutine(value):
        value.close()  # otherwise Python warns, far from here, that it was never awaited
    raise UsageError(
        "an asynchronous callable was given to a synchronous client: give a plain function, or use the async client"
    )


async def _asettled(effect: Settle[T]) -> T:
    return cast("T", await awaited(effect.value))


async def awaited(value: Any) -> Any:
    """Return `value`, or its result if it is awaitable."""
    return await value if inspect.isawaitable(value) else value
