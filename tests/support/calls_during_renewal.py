"""Callables of the user's own that call their session during its renewal."""

from collections.abc import Callable
from typing import Any

from doorkey.errors import OAuthError

WITHIN = "UsageError during its own renewal"


def told_by(error: OAuthError) -> str:
    return f"{type(error).__name__} {'during its own renewal' if 'during its own renewal' in str(error) else error}"


class Inside:
    """A callable of the user's own that calls `what` of the session, once, and passes on its last argument."""

    def __init__(self, what: str, *args: Any, is_async: bool) -> None:
        self.session: Any = None
        self.told: list[str] = []
        self._what, self.args = what, args
        self.call: Callable[..., Any] = self._acall if is_async else self._call

    def _call(self, *passed: Any, **_: Any) -> Any:
        if not self.told:
            try:
                self.told.append(str(getattr(self.session, self._what)(*self.args)))
            except OAuthError as error:
                self.told.append(told_by(error))
        return passed[0] if len(passed) == 1 else passed[-3:]

    async def _acall(self, *passed: Any, **_: Any) -> Any:
        if not self.told:
            try:
                self.told.append(str(await getattr(self.session, self._what)(*self.args)))
            except OAuthError as error:
                self.told.append(told_by(error))
        return passed[0] if len(passed) == 1 else passed[-3:]
