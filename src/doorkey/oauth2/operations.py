"""One method body for both worlds: a flow becomes a method that blocks, or one that awaits, with the same signature."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import update_wrapper
from types import FunctionType
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

if TYPE_CHECKING:
    from doorkey.protocol.flow import Flow

P = ParamSpec("P")
T = TypeVar("T")


class Blocking(Protocol):
    """Something that runs flows and blocks."""

    def _run(self, flow: Flow[T]) -> T: ...


class Awaiting(Protocol):
    """Something that runs flows and awaits."""

    def _run(self, flow: Flow[T]) -> Awaitable[T]: ...


def blocking(flow: Callable[Concatenate[Any, P], Flow[T]]) -> Callable[Concatenate[Any, P], T]:
    """Return the method that runs `flow` to its result."""

    def method(self: Blocking, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._run(flow(self, *args, **kwargs))

    _present(method, flow)
    return method


def awaiting(flow: Callable[Concatenate[Any, P], Flow[T]]) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]:
    """Return the coroutine method that runs `flow` to its result."""

    async def method(self: Awaiting, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await self._run(flow(self, *args, **kwargs))

    _present(method, flow)
    return method


def _present(method: Any, flow: Callable[..., Any]) -> None:
    """Let `help()` show the public name, and the result where the flow says ``Flow[result]``."""
    flow = cast(FunctionType, flow)
    update_wrapper(method, flow)
    result = str(flow.__annotations__["return"]).removeprefix("Flow[").removesuffix("]")
    method.__annotations__ = {**flow.__annotations__, "return": result}
    method.__name__ = flow.__name__.lstrip("_")
    method.__qualname__ = f"{flow.__qualname__.rpartition('.')[0]}.{method.__name__}"
    # `inspect` reads the signature off what is wrapped when somebody asks; to ask it here would be to import it.
    shown = FunctionType(flow.__code__, flow.__globals__, method.__name__, flow.__defaults__)
    shown.__kwdefaults__, shown.__annotations__ = flow.__kwdefaults__, method.__annotations__
    method.__wrapped__ = shown
