"""32 threads find an expired token, whose refresh token works only once. Other libraries do the same for comparison."""

from __future__ import annotations

from demo.fleet import Fleet
from demo.libraries import SESSIONS, doorkey_session
from demo.outcome import Fact, Step
from demo.place import Place
from demo.threads import THREADS, Outcome, measure


def shows(place: Place, _: Fleet) -> list[Fact]:
    """Check the result of doorkey; the results of the other libraries are only a comparison."""
    outcomes = measure(place)
    facts = [_fact(one) for one in outcomes]
    missing = [name for name in SESSIONS if name not in [one.name for one in outcomes]]
    return facts + [Fact(name, "not installed, so not compared", None) for name in missing]


def _fact(outcome: Outcome) -> Fact:
    refreshes = "1 refresh" if outcome.refreshes == 1 else f"{outcome.refreshes} refreshes"
    login = "login lives" if outcome.login_lives else "login lost"
    holds = outcome.is_as_promised
    value = f"{outcome.answered} of {THREADS} answered, {refreshes}, {login}"
    return Fact(f"{outcome.name} {outcome.version}", value, holds if outcome.name == "doorkey" else holds or None)


STEP = Step(f"{THREADS} threads, one expired token, a refresh token that works once", doorkey_session, shows)
