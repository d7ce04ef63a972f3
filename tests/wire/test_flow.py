"""A protocol of several steps written once, run by a driver that blocks and by one that awaits, to the same end."""

from collections.abc import Awaitable, Callable, Generator
from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.wire.flow import Flow, Settle, arun, maybe_await, run
from doorkey.wire.messages import Request, Response
from tests.support.backends import both_backends
from tests.support.tracebacks import variables_of_ours

ONE, TWO = Request("GET", "https://as.example/1"), Request("GET", "https://as.example/2")


def two_steps() -> Flow[int]:
    first = yield from ONE
    second = yield from TWO
    return first.status + second.status


def cautious(seen: list[str]) -> Flow[str]:
    try:
        yield from ONE
    except OSError as error:
        return f"caught {error}"
    finally:
        seen.append("finally")
    return "no error"


def settling(value: Any) -> Flow[Any]:
    return (yield from Settle(value))


async def later(value: Any) -> Any:
    return value


class Awaited:
    """An awaitable that is no coroutine."""

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield from later("awaited").__await__())


def answering(effect: Any) -> Response:
    return Response(200 if effect is ONE else 4)


async def answering_later(effect: Any) -> Response:
    return answering(effect)


def failing(error: BaseException) -> Callable[[Any], Any]:
    def perform(_: Any) -> Any:
        raise error

    return perform


def failing_later(error: BaseException) -> Callable[[Any], Awaitable[Any]]:
    async def perform(_: Any) -> Any:
        raise error

    return perform


def test_a_flow_yields_what_it_wants_done_and_returns_its_result() -> None:
    flow = two_steps()
    assert next(flow) == ONE
    assert flow.send(Response(1)) == TWO
    with pytest.raises(StopIteration) as done:
        flow.send(Response(2))
    assert done.value.value == 3


def test_a_program_that_blocks_runs_a_flow_to_its_result() -> None:
    assert run(two_steps(), answering) == 204


@both_backends
@pytest.mark.anyio
async def test_a_program_that_awaits_runs_the_same_flow_to_the_same_result() -> None:
    assert await arun(two_steps(), answering_later) == 204


def test_an_error_of_the_driver_is_thrown_into_the_flow_which_may_catch_it() -> None:
    seen: list[str] = []
    assert run(cautious(seen), failing(OSError("gone"))) == "caught gone"
    assert seen == ["finally"]


@both_backends
@pytest.mark.anyio
async def test_an_error_of_the_awaiting_driver_is_thrown_into_the_flow_too() -> None:
    seen: list[str] = []
    assert await arun(cautious(seen), failing_later(OSError("gone"))) == "caught gone"
    assert seen == ["finally"]


@pytest.mark.parametrize("error", [ValueError("odd"), KeyboardInterrupt()])
def test_an_uncaught_exception_keeps_the_flows_traceback_and_runs_its_finally(
    error: BaseException,
) -> None:
    seen: list[str] = []
    with pytest.raises(type(error)) as caught:
        run(cautious(seen), failing(error))
    assert caught.value is error
    assert "cautious" in [entry.name for entry in caught.traceback]
    assert seen == ["finally"]


def fails_after_an_outcome() -> Flow[None]:
    yield from Settle("a s3cret value")
    raise LookupError


async def unused(_: Any) -> None:
    raise AssertionError


def test_the_frames_of_the_driver_that_blocks_hold_no_outcome_once_the_flow_has_failed() -> None:
    with pytest.raises(LookupError) as caught:
        run(fails_after_an_outcome(), unused)
    assert "run: effect = Settle()" in variables_of_ours(caught.value)
    assert "s3cret" not in variables_of_ours(caught.value)


@both_backends
@pytest.mark.anyio
async def test_the_frames_of_the_awaiting_driver_hold_no_outcome_once_the_flow_has_failed() -> None:
    with pytest.raises(LookupError) as caught:
        await arun(fails_after_an_outcome(), unused)
    assert "arun: effect = Settle()" in variables_of_ours(caught.value)
    assert "s3cret" not in variables_of_ours(caught.value)


@both_backends
@pytest.mark.anyio
async def test_the_awaiting_driver_raises_what_the_flow_does_not_catch() -> None:
    seen: list[str] = []
    with pytest.raises(ValueError, match="odd") as caught:
        await arun(cautious(seen), failing_later(ValueError("odd")))
    assert "cautious" in [entry.name for entry in caught.traceback]
    assert seen == ["finally"]


def test_a_plain_value_settles_to_itself() -> None:
    assert run(settling(7), answering) == 7


@pytest.mark.parametrize("value", [lambda: later(1), Awaited], ids=["a coroutine", "another awaitable"])
def test_a_program_that_blocks_cannot_settle_what_must_be_awaited(value: Callable[[], object]) -> None:
    with pytest.raises(UsageError, match="asynchronous"):
        run(settling(value()), answering)


@both_backends
@pytest.mark.anyio
async def test_a_program_that_awaits_settles_both() -> None:
    assert await arun(settling(7), answering_later) == 7
    assert await arun(settling(later("value")), answering_later) == "value"
    assert await arun(settling(Awaited()), answering_later) == "awaited"


@pytest.mark.parametrize("value", ["at once", None, 7, ()])
def test_a_value_that_is_there_is_settled_without_the_driver(value: object) -> None:
    assert run(maybe_await(value), pytest.fail) is value


def test_a_flow_is_settled_by_its_own_effects() -> None:
    flow: Flow[int] = maybe_await(two_steps())
    assert run(flow, answering) == 204


@both_backends
@pytest.mark.anyio
async def test_an_awaitable_is_settled_where_the_program_awaits() -> None:
    for value, expected in ((later("x"), "x"), (Awaited(), "awaited"), (two_steps(), 204)):
        assert await arun(maybe_await(value), answering_later) == expected


def test_an_awaitable_is_not_settled_where_the_program_blocks() -> None:
    with pytest.raises(UsageError, match="asynchronous"):
        run(maybe_await(later("x")), pytest.fail)
