"""Browsers with the session of a framework, for the tests of pending logins."""

import json
from collections.abc import Generator
from typing import Any

import anyio

from doorkey.login.registry.state import PendingStates
from doorkey.wire.flow import arun, run

NOW = 1_000_000.0
HOUR = 3600.0
DATA = {"nonce": "n-1", "code_verifier": "v-1", "redirect_uri": "https://app.example/cb"}


async def _nothing(effect: Any) -> Any:
    raise AssertionError(effect)


class Browser:
    """One browser's session, and the requests that it makes; each request ends in a JSON session, as cookies do."""

    def __init__(self, states: PendingStates, session: dict[str, Any] | None = None, *, awaits: bool = False) -> None:
        self.states = states
        self.session: dict[str, Any] = {} if session is None else session
        self.awaits = awaits

    def _run(self, flow: Generator[Any, Any, Any]) -> Any:
        if self.awaits:
            return anyio.run(arun, flow, _nothing)
        return run(flow, _nothing)

    def _ends(self) -> None:
        self.session = json.loads(json.dumps(self.session))

    def begin(self, state: str, data: Any = DATA, *, now: float = NOW, lifetime: float = HOUR, **more: Any) -> None:
        self._run(self.states.save(self.session, state, data, now=now, lifetime=lifetime, **more))
        self._ends()

    def find(self, state: str | None, *, now: float = NOW, **more: Any) -> Any:
        try:
            return self._run(self.states.find(self.session, state, now=now, **more))
        finally:
            self._ends()

    def finish(self, state: str, *, now: float = NOW) -> Any:
        data = self.find(state, now=now)
        self._run(self.states.use_up(self.session, state, now=now))
        self._ends()
        return data

    def clear(self, state: str) -> None:
        self._run(self.states.clear(self.session, state))
        self._ends()
