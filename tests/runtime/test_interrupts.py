"""Which interruptions are deferred until a renewal ends, and which take effect at once."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator

import pytest

from doorkey.runtime.deadline import within
from doorkey.runtime.interrupts import begin_exchange, defer_interrupt, pausing


@pytest.fixture(autouse=True)
def default_handler() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a process in the background ignores it
    yield
    signal.signal(signal.SIGINT, before)


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def deferred(*steps: Callable[[], object]) -> list[object]:
    """Take the steps of a renewal that is interrupted, and return what those returned that were taken."""
    taken = list[object]()

    def take() -> None:
        with defer_interrupt():
            for step in steps:
                taken.append(step())

    with pytest.raises(KeyboardInterrupt):
        take()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    return [one for one in taken if one is not None]


def paused(*steps: Callable[[], object]) -> None:
    with pausing():
        for step in steps:
            step()


def save() -> str:
    return "saved"


def test_an_interruption_before_the_first_request_takes_effect_at_once() -> None:
    assert deferred(interrupt, save) == []


def test_an_interruption_after_the_first_request_takes_effect_at_the_end() -> None:
    assert deferred(begin_exchange, interrupt, save) == ["saved"]


def test_a_second_interruption_takes_effect_at_once() -> None:
    assert deferred(begin_exchange, interrupt, save, interrupt, save) == ["saved"]


def test_a_deferred_interruption_takes_effect_before_another_request_or_a_pause() -> None:
    assert deferred(begin_exchange, interrupt, begin_exchange, save) == []
    assert deferred(begin_exchange, interrupt, paused, save) == []


def test_an_interruption_in_a_pause_takes_effect_at_once_and_one_after_it_is_deferred() -> None:
    assert deferred(begin_exchange, lambda: paused(interrupt, save), save) == []
    assert deferred(begin_exchange, paused, interrupt, save) == ["saved"]


def test_a_pause_outside_a_renewal_is_a_pause() -> None:
    with pytest.raises(KeyboardInterrupt):
        paused(interrupt)


def test_a_deferred_interruption_replaces_the_error_of_the_renewal() -> None:
    def fail() -> None:
        raise ValueError("the server has refused it")

    assert deferred(begin_exchange, interrupt, fail, save) == []


def test_a_store_is_called_in_a_thread_of_its_own_although_an_interruption_is_deferred() -> None:
    assert deferred(begin_exchange, interrupt, lambda: within(60, save)) == ["saved"]


def test_a_renewal_within_another_one_leaves_the_interruption_to_that() -> None:
    def inner() -> str:
        with defer_interrupt():
            begin_exchange()
            interrupt()
            return "inner"

    assert deferred(begin_exchange, inner, save) == ["inner", "saved"]


def test_no_handler_is_replaced_beside_the_main_thread() -> None:
    seen = list[object]()

    def look() -> None:
        with defer_interrupt():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]


def test_the_handler_of_an_event_loop_is_called_and_stays() -> None:
    handlers = list[object]()

    async def main() -> None:
        received = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, received.set)
        handlers.append(signal.getsignal(signal.SIGINT))
        with defer_interrupt():
            begin_exchange()
            interrupt()
        handlers.append(signal.getsignal(signal.SIGINT))
        async with asyncio.timeout(60):
            await received.wait()

    asyncio.run(main())
    assert handlers[0] is handlers[1]


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with defer_interrupt():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
