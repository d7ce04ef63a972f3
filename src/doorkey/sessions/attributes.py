"""A session's options as attributes. An assignment is validated in the same way as by the constructor.

`OAuth2Client` needs this when it is imported, and `sessions/options.py` only when a session is constructed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from doorkey.errors import UsageError

if TYPE_CHECKING:
    from doorkey.sessions.client import OAuth2Client

Read_co = TypeVar("Read_co", covariant=True)
Given_contra = TypeVar("Given_contra", contravariant=True)


class Option(Generic[Read_co, Given_contra]):
    """An option as an attribute, whose type may differ for reading and assignment. None resets it to its default.

    An invalid value raises `UsageError` and changes nothing.
    """

    def __init__(self, meaning: str) -> None:
        self.__doc__ = meaning

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, session: None, kind: type) -> Self: ...

    @overload
    def __get__(self, session: OAuth2Client, kind: type) -> Read_co: ...

    def __get__(self, session: OAuth2Client | None, kind: type) -> Any:
        return self if session is None else session._oauth.options.given(self._name)

    def __set__(self, session: OAuth2Client, value: Given_contra) -> None:
        if "_oauth" not in vars(session):
            raise UsageError(
                f"{self._name} was assigned before the session was constructed: call super().__init__() first"
            )
        session._change(self._name, value)
