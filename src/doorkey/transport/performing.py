"""Performs the effects of a token source and of a vault: a request, a pause, the wait for a lock."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

from doorkey.errors import UsageError
from doorkey.renewal.leader_lock import AcquireOrWait
from doorkey.runtime.interrupts import pausing
from doorkey.runtime.shield import interruptible
from doorkey.transport.senders import AsyncSender, Sender
from doorkey.wire.flow import Sleep
from doorkey.wire.messages import Request


def performed(effect: object, sender: Sender, sleep: Callable[[float], object]) -> Any:
    """Return the outcome of `effect` in a program that blocks.

    sender: sends requests.
    sleep: waits for a number of seconds.

    Raises the error of the request, and `UsageError` for an effect of another kind.
    """
    match effect:
        case Request():
            return sender.send(effect)
        case Sleep():
            return slept(effect, sleep)
        case AcquireOrWait():
            return effect.acquire_or_wait()
        case _:
            raise _unknown(effect)


async def performed_async(effect: object, sender: AsyncSender, sleep: Callable[[float], Any] | None) -> Any:
    """Return the outcome of `effect` in a program that awaits, as `performed` does. `sleep` defaults to anyio's.

    sender: sends requests.

    Raises as `performed` does.
    """
    match effect:
        case Request():
            return await sender.send(effect)
        case Sleep():
            return await slept_async(effect, sleep)
        case AcquireOrWait():
            return await effect.acquire_or_wait_async()
        case _:
            raise _unknown(effect)


def slept(effect: Sleep, sleep: Callable[[float], object] | None) -> object:
    """Let the seconds of `effect` pass in a program that blocks. `sleep` defaults to `time.sleep`."""
    with nullcontext() if effect.saving else pausing():
        return (time.sleep if sleep is None else sleep)(effect.seconds)


async def slept_async(effect: Sleep, sleep: Callable[[float], Any] | None) -> object:
    """Let the seconds of `effect` pass in a program that awaits. `sleep` defaults to anyio's."""
    from anyio import sleep as anyio_sleep

    with nullcontext() if effect.saving else interruptible():
        return await (sleep or anyio_sleep)(effect.seconds)


def _unknown(effect: object) -> UsageError:
    return UsageError(f"a token source and a vault cannot perform {type(effect).__name__}")
