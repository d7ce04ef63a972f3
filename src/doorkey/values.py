"""Basic values: frozen, typed, and without secrets in their repr.

Two guards keep secrets out of the local variables of a traceback, and neither can replace the other. `hides_locals`
removes all frames. It is for code that passes secrets to other libraries, because their frames keep the secrets too.
`clears_locals` clears this package's frames only. It is for methods that call the program's callables: developers need
the frames of those callables, with their variables.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
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


class ShownDefaults:
    """The `__signature__` of a dataclass: `help()` shows the value of each default instead of ``<factory>``."""

    def __get__(self, instance: object, owner: Any) -> Any:
        import inspect

        if instance is not None:  # only the class has a constructor
            raise AttributeError("__signature__")
        own = inspect.signature(owner.__init__)
        parameters = [
            one.replace(default=_shown_default(owner.__dataclass_fields__[one.name].default_factory))
            if repr(one.default) == "<factory>"
            else one
            for one in list(own.parameters.values())[1:]
        ]
        return own.replace(parameters=parameters)


def _shown_default(factory: Callable[[], Any]) -> Any:
    """Return what the factory makes. Its `repr` is that of a plain mapping, or has no address."""
    made: Any = factory()
    if isinstance(made, Mapping):
        return dict(cast("Mapping[str, Any]", made))
    if " at 0x" not in repr(made):
        return made
    kind = made.__class__

    def shown(self: object) -> str:
        return f"{kind.__name__}()"

    return type(kind.__name__, (kind,), {"__repr__": shown})()


def without_frames(error: E) -> E:
    """Remove the traceback from `error`, its causes and its contexts, and return `error`.

    The frames of a traceback keep their local variables. Error collectors show these, and secrets are among them.
    """
    for link in _chain(error):
        link.__traceback__ = None
    return error


def clear_locals(error: BaseException) -> None:
    """Clear the local variables of this package's finished frames in `error`, its causes and its contexts.

    For methods of the public API, whose arguments may be secrets. All frames stay in the traceback, and the frames of
    the program's own callables keep their variables.
    """
    for link in _chain(error):
        traceback = link.__traceback__
        while traceback is not None:
            frame, traceback = traceback.tb_frame, traceback.tb_next
            # A flow that caught a cause may still be suspended, and in Python 3.11 and 3.12, `clear` would close it.
            may_resume = link is not error and frame.f_code.co_flags & _SUSPENDS
            if not may_resume and str(frame.f_globals.get("__name__")).startswith("doorkey."):
                with suppress(RuntimeError):  # the frame of the method that handles this error still runs
                    frame.clear()


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the error, its causes and its contexts. Each is yielded once, because the chain may have a cycle."""
    seen: set[int] = set()
    pending: list[BaseException | None] = [error]
    while pending:
        link = pending.pop()
        if link is not None and id(link) not in seen:
            seen.add(id(link))
            yield link
            pending += [link.__cause__, link.__context__]


def clears_locals(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function or coroutine function, so that the errors it raises keep none of its arguments.

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
            del args, kwargs  # this frame is in the traceback
            clear_locals(error)
            raise

    return call


def constructor_clears_locals(kind: type[T]) -> type[T]:
    """Apply `clears_locals` to the constructor of the class `kind`. A decorator for dataclasses with secrets."""
    made: Any = kind
    made.__init__ = clears_locals(made.__init__)
    return kind


def hides_locals(function: Callable[P, R]) -> Callable[P, R]:
    """Decorate a function, so that the `OAuthError`s it raises carry no frame of it or of the functions that it calls.

    For code whose arguments or local variables are secrets in plain text. Such code must not call the program's own
    callables, because a developer needs their frames.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except OAuthError as error:
            del args, kwargs  # this frame is in the traceback
            raise without_frames(error)  # noqa: B904  # the same error

    return call


def unguarded(function: Callable[P, R]) -> Callable[P, R]:
    """Return the undecorated function under `hides_locals`. A decorated caller calls it to save one call."""
    inner: Callable[P, R] = cast("Any", function).__wrapped__
    return inner


class Secret:
    """A string that only `reveal()` returns: it is not in the repr, str, format, pickle or a log record.

    Secrets are compared in constant time.

    value: the string, or another `Secret`.

    Raises `UsageError` for any other value.
    """

    __slots__ = ("_value",)
    _value: str

    def __init__(self, value: str | Secret) -> None:
        given: object = value._value if isinstance(value, Secret) else value
        if not isinstance(given, str):
            kind = type(given).__name__
            del value, given  # this frame is in the traceback
            raise UsageError(f"the value of a Secret must be text, not {kind}")
        object.__setattr__(self, "_value", given)

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._value

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise UsageError("a Secret cannot be changed: construct another one")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        mine, theirs = (secret._value.encode("utf-8", "surrogatepass") for secret in (self, other))
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
        raise UsageError("a Secret is not pickled: store the text from reveal() in a place that may hold secrets")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self


class Redacted:
    """A value whose content error collectors do not show: they use its repr instead of reading its members."""

    __slots__ = ()

    def __sentry_repr__(self) -> str:
        return repr(self)

    def __rich_repr__(self) -> Iterator[str]:
        yield repr(self)


class RedactedBytes(Redacted, bytes):
    """Bytes whose repr and str show only their number: a body, a sealed record. A slice of them is plain `bytes`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} bytes>"

    __str__ = __repr__


class RedactedDict(Redacted, dict[str, Any]):
    """A dictionary whose repr shows only the number of its members: a parsed document, a record."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} members>"

    __str__ = __repr__


class NotPicklable:
    """A mixin for classes that hold locks, connections or secrets: it refuses pickling and copying."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        kind = type(self).__name__
        raise UsageError(f"a {kind} is neither pickled nor copied: share it, or construct another one")


class ReadOnlyDict(Redacted, dict[str, Any]):
    """A read-only dictionary: its content stays as it was checked. `dict(…)` returns a copy that can be changed."""

    __slots__ = ()
    _read_only_because: ClassVar[str] = "this is read-only: change a copy, dict(…)"

    def _read_only(self, *_: Any, **__: Any) -> Any:
        raise UsageError(self._read_only_because)

    if not TYPE_CHECKING:  # a type checker should see the methods of a dict
        __setitem__ = __delitem__ = __ior__ = _read_only
        update = setdefault = pop = popitem = clear = _read_only

    def copy(self) -> dict[str, Any]:
        """Return a copy as a plain dictionary."""
        return dict(self)


@dataclass(frozen=True, slots=True)
class Scope:
    """A set of scope tokens that keeps their order (RFC 6749 §3.3).

    tokens: the scope tokens as a tuple of texts; `Scope.of` accepts text and lists too.

    Raises `UsageError` for any other value.
    """

    tokens: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        given: object = self.tokens
        if not isinstance(given, tuple) or not all(isinstance(token, str) for token in self.tokens):
            raise UsageError("the tokens of a Scope must be a tuple of texts: use Scope.of() for text and lists")

    @classmethod
    def of(cls, value: str | Iterable[str] | None) -> Scope:
        """Return the scope of a space-separated string or of an iterable of tokens. Raises `UsageError`.

        value: text, an iterable of tokens, or None for the empty scope. A token is visible ASCII without ``"`` and
            backslash (RFC 6749 §3.3).
        """
        if isinstance(value, Scope):
            return value
        given: object = value
        if isinstance(given, bytes | bytearray) or not (given is None or isinstance(given, Iterable)):
            raise UsageError(f"a scope must be text or a list of texts, not {type(given).__name__}")
        tokens = value.split() if isinstance(value, str) else list(value or ())
        if any(not isinstance(token, str) for token in tokens):
            raise UsageError("a scope must be text or a list of texts")
        for token in tokens:
            if " " in token.strip():
                raise UsageError("a scope token contains a space: give each token of a list by itself, or one text")
            if not token or any(not "!" <= c <= "~" or c in '"\\' for c in token):
                raise UsageError('a scope token has only visible ASCII characters except " and \\ (RFC 6749 §3.3)')
        return cls(tuple(dict.fromkeys(tokens)))

    @classmethod
    def granted(cls, value: str | Iterable[object]) -> Scope:
        """Return the scope in a server's response, as lenient as possible: illegal tokens are kept.

        This scope is information and is not sent, so an illegal one must not lose the access token. A lone surrogate
        becomes a question mark, because no store could hold it.

        value: the scope as text, or a list whose items are converted to text.
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
