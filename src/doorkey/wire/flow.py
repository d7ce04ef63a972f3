"""Flows: a protocol of several steps written once, for programs that block and programs that await.

Theory of operation. A flow is a generator. It asks for what it cannot do itself by yielding an *effect* (send this
request, settle this value that may be awaitable), receives the outcome where it yielded, and returns its result.
``answer = yield from Request(...)`` is typed as the `Response` it brings, because an effect iterates to its own
outcome. `run` and `arun` are the only two places that know whether the program blocks; an outcome that is an
exception is thrown into the flow, so that the flow's own lines are in the traceback.
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
    """Something a flow asks its driver to do, with an outcome of type `R`."""

    __slots__ = ()

    def __iter__(self) -> Generator[Self, R, R]:
        return (yield self)


Flow: TypeAlias = Generator[Effect[Any], Any, T]
"""A generator that yields effects, receives their outcomes and returns a `T`."""


@dataclass(frozen=True, slots=True)
class Settle(Effect[T]):
    """Awaits the result of a user's callable if it is awaitable, and returns the value."""

    value: T | Awaitable[T] = field(repr=False)


def maybe_await(value: T | Awaitable[T] | Flow[T]) -> Flow[T]:
    """Return `value`, or the result of it if it is a flow or an awaitable.

    Unlike `Settle`, it passes to the driver only what has to be awaited: the value may be a secret.
    """
    given: Any = value
    if inspect.isgenerator(value):
        return cast("T", (yield from given))
    if inspect.isawaitable(value):
        return cast("T", (yield from Settle(given)))
    return cast("T", given)


@dataclass(frozen=True, slots=True)
class Sleep(Effect[None]):
    """Ask for `seconds` to pass.

    saving: something that the server has issued is being saved; an interruption of the program waits until it is.
    """

    seconds: float
    saving: bool = False


def run(flow: Flow[T], perform: Callable[[Any], Any]) -> T:
    """Run `flow` to its result in a program that blocks; `perform` turns each effect into its outcome.

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
        except BaseException as error:  # noqa: BLE001  # an interrupt too: the flow must get to its `finally`
            step = partial(flow.throw, error)
        else:
            step = partial(flow.send, outcome)


async def arun(flow: Flow[T], perform: Callable[[Any], Awaitable[Any]]) -> T:
    """Run `flow` to its result in a program that awaits; `perform` turns each effect into its outcome.

    Raises the errors of the flow. Cancellation is thrown into the flow like any other outcome.
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
        except BaseException as error:  # noqa: BLE001  # cancellation too: the flow must get to its `finally`
            step = partial(flow.throw, error)
        else:
            step = partial(flow.send, outcome)


def _settled(effect: Settle[T]) -> T:
    value = effect.value
    if not inspect.isawaitable(value):
        return value
    if inspect.iscoroutine(value):
        value.close()  # or Python warns, far from here, that it was never awaited
    raise UsageError(
        "an asynchronous callable was given to a client that blocks: give a plain function, or use the async client"
    )


async def _asettled(effect: Settle[T]) -> T:
    value: Any = effect.value
    return cast("T", await value if inspect.isawaitable(value) else value)
