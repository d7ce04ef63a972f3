"""Four worker processes share a login in an SQLite file. One is killed while it renews the token."""

from __future__ import annotations

from demo.fleet import LEASE, WORKERS, Fleet
from demo.outcome import Fact, Step
from demo.place import Place
from demo.worker import call_for_alice


def shows(place: Place, workers: Fleet) -> list[Fact]:
    """Check that the calls of the other workers succeed after one refresh."""
    result = workers.call(place)
    left = WORKERS - 1
    return [
        Fact("killed", f"1 of {WORKERS} workers, by {result.signal}, while it renewed", result.signal == "SIGKILL"),
        Fact("its lease", f"ended now by the demo; by itself it ends after {LEASE} seconds", None),
        Fact("the others", f"{result.answers.count(200)} of {left} answered", result.answers == [200] * left),
        Fact("refreshes", f"{result.refreshes}, so the login lives", result.refreshes == 1),
    ]


STEP = Step("A worker fleet on SQLite, and one process killed", call_for_alice, shows)
