"""Make a synchronous and an asynchronous function of the flow of a login, both with its signature."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import update_wrapper
from types import FunctionType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from doorkey.errors import UsageError
from doorkey.login.effects import AtSession
from doorkey.native.effects import CallBlocking, OpenClient, WaitForSockets
from doorkey.values import clear_locals
from doorkey.wire.flow import Flow, arun, run

if TYPE_CHECKING:
    from doorkey.login.client import AsyncLoginClient, LoginClient

P = ParamSpec("P")
T = TypeVar("T")


def blocking(flow: Callable[P, Flow[T]]) -> Callable[P, T]:
    """Return the function that runs `flow` to its result."""

    def function(*args: P.args, **kwargs: P.kwargs) -> T:
        driver = _BlockingDriver()
        try:
            return driver.run(flow(*args, **kwargs))
        except BaseException as error:
            del args, kwargs  # this frame is in the traceback, and the arguments may be secrets
            clear_locals(error)
            raise

    _present(function, flow, "")
    return function


def awaiting(flow: Callable[P, Flow[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """Return the coroutine function that runs `flow` to its result. Its name has the prefix `a`."""

    async def function(*args: P.args, **kwargs: P.kwargs) -> T:
        driver = _AwaitingDriver()
        try:
            return await driver.run(flow(*args, **kwargs))
        except BaseException as error:
            del args, kwargs  # as above
            clear_locals(error)
            raise

    _present(function, flow, "a")
    return function


class _BlockingDriver:
    """Runs one login, and closes its client."""

    def __init__(self) -> None:
        self._client: LoginClient | None = None

    def run(self, flow: Flow[T]) -> T:
        try:
            return run(flow, self._perform)
        finally:
            flow.close()  # an interrupt may occur outside the flow; this runs the `finally` blocks of the flow
            if self._client is not None:
                self._client.close()

    def _perform(self, effect: Any) -> Any:
        match effect:
            case AtSession():
                return effect.run()
            case WaitForSockets():
                return effect.wait()
            case CallBlocking():
                return effect.blocking()
            case OpenClient():
                self._client = effect.blocking()
                return self._client
            case _:
                raise UsageError(f"a native login cannot perform {type(effect).__name__}")


class _AwaitingDriver:
    """Runs one login, and closes its client."""

    def __init__(self) -> None:
        self._client: AsyncLoginClient | None = None

    async def run(self, flow: Flow[T]) -> T:
        try:
            return await arun(flow, self._perform)
        finally:
            flow.close()  # as above
            if self._client is not None:
                await _close(self._client)

    async def _perform(self, effect: Any) -> Any:
        match effect:
            case AtSession():
                return await effect.run()
            case WaitForSockets():
                return await effect.wait_async()
            case CallBlocking():
                return await effect.in_thread()
            case OpenClient():
                self._client = effect.awaiting()
                return self._client
            case _:
                raise UsageError(f"a native login cannot perform {type(effect).__name__}")


async def _close(client: AsyncLoginClient) -> None:
    """Close the connections, even in a canceled task."""
    from anyio import CancelScope

    with CancelScope(shield=True):
        await client.aclose()


def _present(function: Any, flow: Callable[..., Any], prefix: str) -> None:
    """Make `help()` show the public name, and the type of the result in place of ``Flow[result]``."""
    flow = cast(FunctionType, flow)
    update_wrapper(function, flow)
    result = str(flow.__annotations__["return"]).removeprefix("Flow[").removesuffix("]")
    function.__annotations__ = {**flow.__annotations__, "return": result}
    function.__name__ = function.__qualname__ = prefix + flow.__name__.lstrip("_")
    # `inspect` reads the signature of the wrapped function when it is needed; reading it here would import `inspect`.
    shown = FunctionType(flow.__code__, flow.__globals__, function.__name__, flow.__defaults__)
    shown.__kwdefaults__, shown.__annotations__ = flow.__kwdefaults__, function.__annotations__
    function.__wrapped__ = shown
