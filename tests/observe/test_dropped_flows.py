"""A flow that is dropped before it ends, as those of an event loop that is closed early: no listener is called for it.

The garbage collector closes it at any line of its thread, also at one where a listener holds a lock.
"""

import subprocess
import sys
from collections.abc import Callable
from threading import Lock

import pytest

from doorkey.observe import TokenEvent
from doorkey.observe.observer import Observer, Watch
from doorkey.wire.flow import Flow, Sleep

WATCHES: dict[str, Callable[[Observer], Watch]] = {
    "requesting": lambda observer: observer.requesting("refresh_token"),
    "preparing": Observer.preparing,
    "waiting": Observer.waiting,
}


def watched(watch: Watch) -> Flow[None]:
    with watch:
        yield from Sleep(1)


@pytest.mark.parametrize("kind", WATCHES)
def test_a_flow_that_is_dropped_while_a_listener_holds_its_lock_calls_no_listener(kind: str) -> None:
    lock = Lock()
    told, blocked = list[str](), list[str]()
    dropped: list[Flow[None]] = []

    def on_event(event: TokenEvent) -> None:
        if not lock.acquire(blocking=False):
            blocked.append(event.kind)
            return
        told.append(event.kind)
        for flow in dropped:
            flow.close()
        lock.release()

    observer = Observer("c", lambda: "https://as.example", on_event, lambda: 1.0)
    flow = watched(WATCHES[kind](observer))
    next(flow)
    before = len(told)
    dropped.append(flow)
    observer.rejected()
    assert told[before:] == ["rejected"]
    assert blocked == []


COLLECTED = """
import gc
from opentelemetry import metrics
from opentelemetry.sdk.metrics import AlwaysOnExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from doorkey.observe.observer import Observer

metrics.set_meter_provider(MeterProvider([InMemoryMetricReader()], exemplar_filter=AlwaysOnExemplarFilter()))
observer = Observer("c", lambda: "https://as.example", None, lambda: 1.0)

def work():
    with observer.requesting("refresh_token"):
        yield

def abandon():
    flow = work()
    next(flow)
    cycle = [flow]
    cycle.append(cycle)

gc.set_threshold(7, 1, 1)
for number in range(2_000):
    abandon()
    observer.rejected()
"""
"""Flows that the garbage collector closes, often while OpenTelemetry counts an event."""


def test_a_flow_that_the_garbage_collector_closes_does_not_block_a_counter_of_opentelemetry() -> None:
    done = subprocess.run([sys.executable, "-c", COLLECTED], timeout=600, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
