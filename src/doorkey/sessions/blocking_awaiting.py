"""Makes blocking methods and coroutine methods from flows, with the same signature.

`BlockingSession` and `AwaitingSession` have the operations of every session. A class inherits or copies them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from functools import update_wrapper
from types import FunctionType
from typing import TYPE_CHECKING, Any, ClassVar, Concatenate, ParamSpec, Protocol, TypeVar, cast

from doorkey.errors import UsageError
from doorkey.sessions.client import OAuth2Client
from doorkey.values import clear_locals

if TYPE_CHECKING:
    from doorkey.wire.flow import Flow

P = ParamSpec("P")
T = TypeVar("T")
R = TypeVar("R")


class Blocking(Protocol):
    """An object that runs flows and blocks."""

    def _run(self, flow: Flow[T]) -> T: ...


class Awaiting(Protocol):
    """An object that runs flows asynchronously."""

    def _run(self, flow: Flow[T]) -> Awaitable[T]: ...


def blocking(flow: Callable[Concatenate[Any, P], Flow[T]]) -> Callable[Concatenate[Any, P], T]:
    """Return a method that runs `flow` and returns its result."""

    def method(self: Blocking, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return self._run(flow(self, *args, **kwargs))
        except BaseException as error:
            del args, kwargs  # this frame is in the traceback, and the arguments may be secrets
            clear_locals(error)
            raise

    _copy_signature(method, flow)
    return method


def awaiting(flow: Callable[Concatenate[Any, P], Flow[T]]) -> Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]:
    """Return a coroutine method that runs `flow` and returns its result."""

    async def method(self: Awaiting, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await self._run(flow(self, *args, **kwargs))
        except BaseException as error:
            del args, kwargs  # as above
            clear_locals(error)
            raise

    _copy_signature(method, flow)
    return method


def with_response_class(
    kind: type[R],
    flow: Callable[Concatenate[Any, P], Flow[Any]],
) -> Callable[Concatenate[Any, P], Flow[R]]:
    """Return a copy of `flow` whose signature has `kind`, the response class of an HTTP library, as its result."""
    own = cast(FunctionType, flow)
    copy = FunctionType(own.__code__, own.__globals__, own.__name__, own.__defaults__)
    copy.__kwdefaults__, copy.__doc__, copy.__qualname__ = own.__kwdefaults__, own.__doc__, own.__qualname__
    library = kind.__module__.partition(".")[0]
    copy.__annotations__ = {**own.__annotations__, "return": f"Flow[{library}.{kind.__name__}]"}
    return copy


def _copy_signature(method: Any, flow: Callable[..., Any]) -> None:
    """Give `method` the docstring and signature of `flow`, with the public name, and ``T`` for a result ``Flow[T]``."""
    flow = cast(FunctionType, flow)
    update_wrapper(method, flow)
    result = str(flow.__annotations__["return"]).removeprefix("Flow[").removesuffix("]")
    method.__annotations__ = {**flow.__annotations__, "return": result}
    method.__name__ = flow.__name__.lstrip("_")
    method.__qualname__ = f"{flow.__qualname__.rpartition('.')[0]}.{method.__name__}"
    # `inspect.signature` follows `__wrapped__` only when it is called. Setting a signature here would import `inspect`.
    shown = FunctionType(flow.__code__, flow.__globals__, method.__name__, flow.__defaults__)
    shown.__kwdefaults__, shown.__annotations__ = flow.__kwdefaults__, method.__annotations__
    method.__wrapped__ = shown


class BlockingSession:
    """The operations of a blocking session.

    A concrete session adds `_exchange(request)`, which returns the response, and `revoke_token`, which returns the
    response class of its HTTP library.
    """

    _blocking: ClassVar[bool] = True

    discover = blocking(OAuth2Client._discover)
    fetch_token = blocking(OAuth2Client._fetch_token)
    fetch_access_token = fetch_token
    token_from_fragment = blocking(OAuth2Client._token_from_fragment)
    refresh_token = blocking(OAuth2Client._refresh_token)
    ensure_active_token = blocking(OAuth2Client._ensure_active_token)
    introspect_token = blocking(OAuth2Client._introspect_token)
    begin_device_authorization = blocking(OAuth2Client._begin_device_authorization)
    finish_device_authorization = blocking(OAuth2Client._finish_device_authorization)
    verify_id_token = blocking(OAuth2Client._verify_id_token)
    userinfo = blocking(OAuth2Client._userinfo)
    verify_logout_token = blocking(OAuth2Client._verify_logout_token)

    def _find_endpoint(self: Any, kind: str, url: str | None) -> None:
        """Discover the endpoint of this `kind`, unless the call has its `url` or the session already has it."""
        if not url and self._oauth.needs_discovery(kind):
            self.discover()

    def _run(self: Any, flow: Flow[T]) -> T:
        from doorkey.wire.flow import run

        return run(flow, self._perform)

    def _perform(self: Any, effect: Any) -> Any:
        from doorkey.renewal.effects import Active, Renewed
        from doorkey.renewal.leader_lock import AcquireOrWait
        from doorkey.wire.flow import Sleep
        from doorkey.wire.messages import Request

        match effect:
            case Request():
                return self._exchange(effect)
            case Renewed():
                return self._flight.renewed(effect.renew)
            case Active():
                return self._flight.token()
            case AcquireOrWait():
                return effect.acquire_or_wait()
            case Sleep():
                from doorkey.transport.performing import slept

                return slept(effect, self._oauth.options.sleep)
            case _:
                raise UsageError(f"a session cannot perform {type(effect).__name__}")


class AwaitingSession:
    """The operations of an asynchronous session. See `BlockingSession`."""

    _blocking: ClassVar[bool] = False

    discover = awaiting(OAuth2Client._discover)
    fetch_token = awaiting(OAuth2Client._fetch_token)
    fetch_access_token = fetch_token
    token_from_fragment = awaiting(OAuth2Client._token_from_fragment)
    refresh_token = awaiting(OAuth2Client._refresh_token)
    ensure_active_token = awaiting(OAuth2Client._ensure_active_token)
    introspect_token = awaiting(OAuth2Client._introspect_token)
    begin_device_authorization = awaiting(OAuth2Client._begin_device_authorization)
    finish_device_authorization = awaiting(OAuth2Client._finish_device_authorization)
    verify_id_token = awaiting(OAuth2Client._verify_id_token)
    userinfo = awaiting(OAuth2Client._userinfo)
    verify_logout_token = awaiting(OAuth2Client._verify_logout_token)

    def _find_endpoint(self: Any, kind: str, url: str | None) -> None:
        """Raise `UsageError` if the endpoint of this `kind` must be discovered, because a plain method cannot await."""
        if not url and self._oauth.needs_discovery(kind):
            raise UsageError(
                f"the {kind} endpoint has to be discovered, which this method cannot await: call "
                f"`await client.discover()` first, or construct the client with metadata= or {kind}_endpoint="
            )

    async def _run(self: Any, flow: Flow[T]) -> T:
        from doorkey.runtime.preload import preloaded
        from doorkey.wire.flow import arun

        await preloaded()
        return await arun(flow, self._perform)

    async def _perform(self: Any, effect: Any) -> Any:
        from doorkey.renewal.effects import Active, Renewed
        from doorkey.renewal.leader_lock import AcquireOrWait
        from doorkey.wire.flow import Sleep
        from doorkey.wire.messages import Request

        match effect:
            case Request():
                return await self._exchange(effect)
            case Renewed():
                return await self._flight.renewed(effect.renew)
            case Active():
                return await self._flight.token()
            case AcquireOrWait():
                return await effect.acquire_or_wait_async()
            case Sleep():
                from doorkey.transport.performing import slept_async

                return await slept_async(effect, self._oauth.options.sleep)
            case _:
                raise UsageError(f"a session cannot perform {type(effect).__name__}")
