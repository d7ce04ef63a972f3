"""Basic values: frozen, typed, and without secrets in their repr.

Two guards keep secrets out of the local variables of a traceback, and neither can replace the other. `hides_locals`
removes all frames. It is for code that passes secrets to other libraries, whose frames keep them too. `clears_locals`
clears this package's frames only. It is for methods within which callables of the program run: a program looks for the
frames of these, with their variables.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn, ParamSpec, TypeVar, cast

from doorkey.errors import OAuthError, UsageError

__all__ = ["Scope", "Secret"]

E = TypeVar("E", bound=BaseException)
P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")

MASK = "***"
_IS_COROUTINE: Final = 0x80
_SUSPENDS: Final = 0x20 | 0x80 | 0x200  # flags of the code of generators, coroutines and asynchronous generators


def without_frames(error: E) -> E:
    """Return `error` with no traceback in it, nor in its causes and contexts.

    The frames of a traceback keep their local variables. Collectors of errors show those, and secrets are among them.
    """
    for one in _chain(error):
        one.__traceback__ = None
    return error


def clear_locals(error: BaseException) -> None:
    """Clear the local variables of this package's finished frames in `error`, its causes and its contexts.

    For methods of the public API, whose arguments may be secrets: the lines of the frames stay in the traceback, and
    frames of the program's own callables keep their variables.
    """
    for one in _chain(error):
        traceback = one.__traceback__
        while traceback is not None:
            frame, traceback = traceback.tb_frame, traceback.tb_next
            # A flow that caught a cause may still be suspended, and Python 3.11 and 3.12 would close it.
            may_go_on = one is not error and frame.f_code.co_flags & _SUSPENDS
            if not may_go_on and str(frame.f_globals.get("__name__")).startswith("doorkey."):
                with suppress(RuntimeError):  # it still runs: the method that handles this error
                    frame.clear()


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error, its causes and its contexts, each once: the chain may be a circle."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        one = pending.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            yield one
            pending += [one.__cause__, one.__context__]


def clears_locals(function: Callable[P, R]) -> Callable[P, R]:
    """Return `function`, or a coroutine function, such that errors that leave it keep none of its arguments.

    See `clear_locals`.
    """
    if cast("Any", function).__code__.co_flags & _IS_COROUTINE:
        return cast("Callable[P, R]", _clears_locals_async(cast("Any", function)))

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            del args, kwargs  # this frame is in the traceback
            clear_locals(error)
            raise

    return call


def _clears_locals_async(function: Callable[P, Awaitable[R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    @wraps(function)
    async def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await function(*args, **kwargs)
        except BaseException as error:
            del args, kwargs  # as above
            clear_locals(error)
            raise

    return call


def constructor_clears_locals(kind: type[T]) -> type[T]:
    """Return the class `kind`, whose constructor `clears_locals`: a decorator for a dataclass with secrets."""
    made: Any = kind
    made.__init__ = clears_locals(made.__init__)
    return kind


def hides_locals(function: Callable[P, R]) -> Callable[P, R]:
    """Return `function` such that the errors it raises carry no frame of it, nor of what it calls.

    For code whose arguments or local variables are secrets in plain text. A callable of the program's own is not called
    within, because its frames are what a program looks for.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except OAuthError as error:
            del args, kwargs  # this frame is in the traceback
            raise without_frames(error)  # noqa: B904  # it is the error that was raised

    return call


def unguarded(function: Callable[P, R]) -> Callable[P, R]:
    """Return the function that `hides_locals` guards, for a caller that is guarded itself: one call instead of two."""
    inner: Callable[P, R] = cast("Any", function).__wrapped__
    return inner


class Secret:
    """A string that shows itself only when asked by name: not in repr, str, format, pickle or a log record.

    Compared in constant time. `reveal()` returns the string.
    """

    __slots__ = ("_value",)
    _value: str

    def __init__(self, value: str | Secret) -> None:
        given: object = value._value if isinstance(value, Secret) else value
        if not isinstance(given, str):
            kind = type(given).__name__
            del value, given  # this frame is in the traceback
            raise UsageError(f"a Secret is made of text, not {kind}")
        object.__setattr__(self, "_value", given)

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._value

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise UsageError("a Secret cannot be changed: make a new one")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = (one._value.encode("utf-8", "surrogatepass") for one in (self, other))
        return hmac.compare_digest(mine, theirs)

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise UsageError("a Secret is not pickled: store what reveal() returns where secrets may be stored")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self


class Redacted:
    """A value whose content collectors of local variables do not show: they use its repr, and do not look into it."""

    __slots__ = ()

    def __sentry_repr__(self) -> str:
        return repr(self)

    def __rich_repr__(self) -> Iterator[str]:
        yield repr(self)


class RedactedBytes(Redacted, bytes):
    """Bytes whose repr and str show their number and nothing else: a body, a sealed record. Their slices are bytes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"

    __str__ = __repr__


class RedactedDict(Redacted, dict[str, Any]):
    """A dictionary whose repr shows the number of its members and nothing else: a parsed document, a record."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} members>"

    __str__ = __repr__


class NotPicklable:
    """Has locks, connections or secrets: it is neither pickled nor copied, but made where it is needed."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        kind = type(self).__name__
        raise UsageError(f"a {kind} is neither pickled nor copied: share it, or make one where it is needed")


class ReadOnlyDict(Redacted, dict[str, Any]):
    """A dictionary for reading: it stays as it was when it was checked. `dict(it)` is a copy to change."""

    __slots__ = ()
    _read_only_because: ClassVar[str] = "this is read-only: change a copy, dict(…)"

    def _read_only(self, *_: Any, **__: Any) -> Any:
        raise UsageError(self._read_only_because)

    if not TYPE_CHECKING:  # a checker should see a dict, and complain of nothing but what raises here
        __setitem__ = __delitem__ = __ior__ = _read_only
        update = setdefault = pop = popitem = clear = _read_only

    def copy(self) -> dict[str, Any]:
        """Return a plain dictionary."""
        return dict(self)


@dataclass(frozen=True, slots=True)
class Scope:
    """A set of scope tokens that remembers their order (RFC 6749 §3.3)."""

    tokens: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        given: object = self.tokens
        if not isinstance(given, tuple) or not all(isinstance(token, str) for token in self.tokens):
            raise UsageError("the tokens of a Scope are a tuple of texts: Scope.of() takes text and lists")

    @classmethod
    def of(cls, value: str | Iterable[str] | None) -> Scope:
        """Return the scope of a space-separated string, or of an iterable of tokens; None is the empty scope."""
        if isinstance(value, Scope):
            return value
        given: object = value
        if isinstance(given, bytes | bytearray) or not (given is None or isinstance(given, Iterable)):
            raise UsageError(f"a scope is text, or tokens that are text, not {type(given).__name__}")
        tokens = value.split() if isinstance(value, str) else list(value or ())
        if any(not isinstance(token, str) for token in tokens):
            raise UsageError("a scope is text, or tokens that are text")
        for token in tokens:
            if " " in token.strip():
                raise UsageError("a scope token contains a space: give each token of a list by itself, or one text")
            if not token or any(not "!" <= c <= "~" or c in '"\\' for c in token):
                raise UsageError('a scope token is made of visible ASCII characters without " and \\ (RFC 6749 §3.3)')
        return cls(tuple(dict.fromkeys(tokens)))

    @classmethod
    def granted(cls, value: str | Iterable[object]) -> Scope:
        """Return the scope that a server names, as text or as a list; tokens that are illegal are kept as text.

        It informs and is sent nowhere, so it is no reason to lose the token. A lone surrogate becomes a question mark,
        because no store could hold it.
        """
        text = value if isinstance(value, str) else " ".join(str(token) for token in value)
        return cls(tuple(dict.fromkeys(text.encode("utf-8", "replace").decode("utf-8").split())))

    def __iter__(self) -> Iterator[str]:
        return iter(self.tokens)

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: object) -> bool:
        return token in self.tokens

    def __str__(self) -> str:
        return " ".join(self.tokens)
