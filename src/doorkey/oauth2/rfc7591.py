"""Client registration (RFC 7591): an import says what to use instead."""

from typing import TYPE_CHECKING, NoReturn

from doorkey.runtime.absent import absent

__all__: list[str] = []

if not TYPE_CHECKING:  # a type checker then finds that a name is not there

    def __getattr__(name: str) -> NoReturn:
        raise absent(__name__, name)
