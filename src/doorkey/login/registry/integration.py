"""`FrameworkIntegration`: the link between a registered client and its framework, with sync or async views."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from doorkey.errors import UsageError
from doorkey.login.errors import LoginError
from doorkey.login.registry.state import LOGIN, PendingStates
from doorkey.runtime.clock import wall_time
from doorkey.wire.flow import Flow, arun, run

Session = MutableMapping[str, Any]


class States:
    """The pending logins and logouts of one registration, as flows.

    name: the name of the registration.
    cache: the cache that stores their data; None: the browser session stores it.
    """

    expires_in: float = 3600
    """Seconds after which a pending login has expired."""

    def __init__(self, name: str, cache: Any = None) -> None:
        self.name = name
        self.cache = cache
        self.clock: Callable[[], float] = wall_time
        self._states = PendingStates(name, cache)

    def _find(self, session: Session, state: str | None, use: str = LOGIN) -> Flow[dict[str, Any]]:
        return self._states.find(session, state, now=self.clock(), use=use)

    def _use_up(self, session: Session, state: str) -> Flow[None]:
        return self._states.use_up(session, state, now=self.clock())

    def _save(self, session: Session, state: str, data: Mapping[str, Any], use: str = LOGIN) -> Flow[None]:
        return self._states.save(session, state, data, now=self.clock(), lifetime=self.expires_in, use=use)

    def _get(self, session: Session, state: str) -> Flow[dict[str, Any] | None]:
        try:
            return (yield from self._find(session, state))
        except LoginError:
            return None

    def _clear(self, session: Session, state: str) -> Flow[None]:
        return self._states.clear(session, state)

    @staticmethod
    def load_config(oauth: Any, name: str, params: Any) -> Mapping[str, Any] | None:
        """Return the options of a registration from the settings of the framework, or None.

        oauth: the registry.
        name: the name of the registration.
        params: the names of the options.
        """
        del oauth, name, params
        return None


class FrameworkIntegration(States):
    """The integration of a framework with synchronous views."""

    def get_state_data(self, session: Session, state: str) -> dict[str, Any] | None:
        """Return the data of a pending login, or None if this browser has no such login.

        session: the browser session.
        state: the state of the login.
        """
        return run(self._get(session, state), _refuse)

    def set_state_data(self, session: Session, state: str, data: Mapping[str, Any]) -> None:
        """Store the data of a new login.

        session: the browser session.
        state: the state of the login.
        data: the data, as JSON values.

        Raises `UsageError` for data that JSON cannot represent.
        """
        run(self._save(session, state, data), _refuse)

    def clear_state_data(self, session: Session, state: str) -> None:
        """Remove a pending login of this browser.

        session: the browser session.
        state: the state of the login.
        """
        run(self._clear(session, state), _refuse)

    def update_token(self, token: Any, refresh_token: str | None = None, access_token: str | None = None) -> Any:
        """Send a renewed token to the signal of the framework, if the framework has signals.

        token: the new token.
        refresh_token, access_token: the tokens that it replaces.
        """


class AsyncFrameworkIntegration(States):
    """The integration of a framework with asynchronous views."""

    async def get_state_data(self, session: Session, state: str) -> dict[str, Any] | None:
        """Return a pending login; see `FrameworkIntegration.get_state_data`."""
        return await arun(self._get(session, state), _refuse_async)

    async def set_state_data(self, session: Session, state: str, data: Mapping[str, Any]) -> None:
        """Store a pending login; see `FrameworkIntegration.set_state_data`."""
        await arun(self._save(session, state, data), _refuse_async)

    async def clear_state_data(self, session: Session, state: str) -> None:
        """Delete a pending login; see `FrameworkIntegration.clear_state_data`."""
        await arun(self._clear(session, state), _refuse_async)

    async def update_token(self, token: Any, refresh_token: str | None = None, access_token: str | None = None) -> Any:
        """Report a renewed token; see `FrameworkIntegration.update_token`."""


def _refuse(effect: object) -> Any:
    raise UsageError(f"a registered client cannot perform {type(effect).__name__}")


async def _refuse_async(effect: object) -> Any:
    _refuse(effect)
