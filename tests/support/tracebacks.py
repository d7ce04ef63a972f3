"""What collectors of errors show of a traceback: the local variables of each frame, as sentry-sdk and rich do."""

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from traceback import walk_tb
from typing import cast


def local_variables(error: BaseException) -> str:
    """Return all local variables of the frames of `error`, of its causes and contexts, except those of tests."""
    return "\n".join(_of_chain(error, lambda module: not module.startswith("tests."), set()))


def variables_of_ours(error: BaseException) -> str:
    """Return the same of the frames of this package alone: of those of HTTP libraries it makes no promise."""
    return "\n".join(_of_chain(error, lambda module: module.startswith("doorkey."), set()))


def _of_chain(error: BaseException | None, counts: Callable[[str], bool], seen: set[int]) -> Iterator[str]:
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    yield f"{error!r} {error} {error.args!r}"
    for frame, _ in walk_tb(error.__traceback__):
        if counts(str(frame.f_globals.get("__name__"))):
            for name, value in frame.f_locals.items():
                yield f"{frame.f_code.co_qualname}: {name} = {' '.join(_shown(value))}"
    yield from _of_chain(error.__cause__, counts, seen)
    yield from _of_chain(error.__context__, counts, seen)


def _shown(value: object, depth: int = 6) -> Iterator[str]:
    yield repr(value)
    if depth == 0 or hasattr(type(value), "__sentry_repr__"):
        return
    if isinstance(value, Mapping):
        for name, member in cast("Mapping[object, object]", value).items():
            yield repr(name)
            yield from _shown(member, depth - 1)
    elif isinstance(value, Sequence | Set) and not isinstance(value, str | bytes | bytearray | memoryview):
        for member in cast("Sequence[object]", value):
            yield from _shown(member, depth - 1)
