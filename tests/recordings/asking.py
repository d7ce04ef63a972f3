"""How a question is written: a function of a realm, with `@scenario`.

It returns the answer, or the shape of what it is about: a token, a callback.
"""

from collections.abc import Callable, Mapping
from typing import Any

import requests

from tests.recordings import normalize
from tests.recordings.realm import Realm

Scenario = Callable[[Realm], requests.Response | Mapping[str, Any]]
SCENARIOS: dict[str, Scenario] = {}


def scenario(ask: Scenario) -> Scenario:
    """Give a scenario its name: the function's, with spaces."""
    SCENARIOS[ask.__name__.replace("_", " ")] = ask
    return ask


def run(name: str, realm: Realm) -> dict[str, Any]:
    """Ask, and take out what differs from run to run."""
    told = SCENARIOS[name](realm)
    if isinstance(told, requests.Response):
        return normalize.answer(told, realm.origin)
    return dict(told)
