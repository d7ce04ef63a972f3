"""Performs the effects of sources, issuers and vaults: a request, a pause, a wait for a lock."""

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
    """Perform `effect` in a blocking program, and return its outcome.

    sender: sends requests.
    sleep: waits for a number of seconds.

    Raises the errors of the effect, and `UsageError` for an unsupported effect.
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
    """Perform `effect` in an asynchronous program, and return its outcome.

    sender: sends requests.
    sleep: waits for a number of seconds when awaited; None means `anyio.sleep`.

    Raises the errors of `performed`.
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
    """Wait for the seconds of `effect` in a blocking program. `sleep` defaults to `time.sleep`."""
    with nullcontext() if effect.saving else pausing():
        return (time.sleep if sleep is None else sleep)(effect.seconds)


async def slept_async(effect: Sleep, sleep: Callable[[float], Any] | None) -> object:
    """Wait for the seconds of `effect` in an asynchronous program. `sleep` defaults to `anyio.sleep`."""
    from anyio import sleep as anyio_sleep

    with nullcontext() if effect.saving else interruptible():
        return await (sleep or anyio_sleep)(effect.seconds)


def _unknown(effect: object) -> UsageError:
    return UsageError(f"a source, an issuer and a vault cannot perform {type(effect).__name__}")
