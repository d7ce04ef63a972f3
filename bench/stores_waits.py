"""The time that processes wait if they share an expired token, and the number of their token requests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from urllib.request import ProxyHandler, build_opener

from bench.stores_places import Place, seeded

ROOT = Path(__file__).resolve().parents[1]
WORKERS = (1, 2, 4, 8, 16)
NOW = 1_800_000_000.0


class Waits(NamedTuple):
    """The wait of the processes for a renewal, in seconds (median and p99), and the requests for each rotation.

    `lost_after` is the round in which the server rejected the grant, or None.
    """

    library: str
    kind: str
    workers: int
    middle: float
    p99: float
    requests: float
    lost_after: int | None


@contextmanager
def _server() -> Generator[str]:
    with _running("bench.stores_server") as server:
        yield f"http://127.0.0.1:{server.stdout.readline().strip()}"


@contextmanager
def _running(module: str, *arguments: str) -> Generator[Any]:
    command = [sys.executable, "-m", module, *arguments]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            assert pipe is not None
            pipe.close()


def waits(library: str, place: Place, workers: int, rounds: int) -> Waits:
    """Let `workers` processes find one shared token expired, `rounds` times."""
    counts = build_opener(ProxyHandler({}))
    with _server() as origin, _fleet(library, place, origin, workers) as fleet:
        seconds: list[float] = []
        requests, lost_after, now = 0, None, NOW
        for worker in fleet:  # one warm-up each, so that the creation of HTTP clients is not measured
            now += 3601
            _asked([worker], now)
        counts.open(f"{origin}/count").close()
        for number in range(rounds):
            now += 3601
            answers = _asked(fleet, now)
            with counts.open(f"{origin}/count") as answer:
                counted = json.load(answer)
            requests += counted["requests"]
            if counted["refused"]:
                lost_after = number + 1
                break
            seconds += [answer["seconds"] for answer in answers]
    ordered = sorted(seconds) or [0.0]
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return Waits(library, place.kind, workers, median(ordered), p99, requests / (lost_after or rounds), lost_after)


@contextmanager
def _fleet(library: str, place: Place, origin: str, workers: int) -> Generator[list[Any]]:
    endpoint = f"{origin}/token"
    seeded(library, place, endpoint, NOW)
    with _all([(library, place.kind, place.address, endpoint)] * workers) as fleet:
        for worker in fleet:
            worker.stdin.write(f"{NOW}\n")
            worker.stdin.flush()
            worker.stdout.readline()
        _asked(fleet, NOW)
        yield fleet


@contextmanager
def _all(jobs: Sequence[tuple[str, ...]]) -> Generator[list[Any]]:
    with ExitStack() as stack:
        yield [stack.enter_context(_running("bench.stores_worker", *job)) for job in jobs]


def _asked(fleet: list[Any], now: float) -> list[dict[str, Any]]:
    for worker in fleet:
        worker.stdin.write(f"{now}\n")
        worker.stdin.flush()
    return [json.loads(worker.stdout.readline()) for worker in fleet]
