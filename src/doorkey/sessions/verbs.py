"""The request methods of a session: in `help`, their parameters are those of the HTTP library and `withhold_token`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import update_wrapper, wraps
from types import FunctionType
from typing import Any, Final, TypeVar, cast

__all__: list[str] = []

M = TypeVar("M", bound=Callable[..., Any])

VERBS: Final = ("get", "options", "head", "post", "put", "patch", "delete")


def like_native(native: Any) -> Callable[[M], M]:
    """Return a decorator that gives a method the name, docstring and signature of `native`, with `withhold_token`."""

    def decorated(method: M) -> M:
        wrapped: Any = wraps(native)(method)
        wrapped.__doc__ = _documented(native.__doc__)
        wrapped.__wrapped__ = _SignatureOf(native, native)
        return cast("M", wrapped)

    return decorated


def with_parameters_of(
    native: M, *, returns: str | None = None, after_url: bool = False
) -> Callable[[Callable[..., Any]], M]:
    """Return a decorator that copies a method and gives the copy the parameters of `native`, and `withhold_token`.

    native: the method of the HTTP library. For type checkers, its type is that of the copy too.
    returns: the annotation of the result, if it is another one than that of `native`.
    after_url: True if `withhold_token` is also a positional parameter, which follows `url`.
    """

    def decorated(method: Any) -> M:
        # The copy runs the code of the method itself, because a wrapper would slow down each request.
        copied: Any = FunctionType(
            method.__code__, method.__globals__, method.__name__, method.__defaults__, method.__closure__
        )
        update_wrapper(copied, method)
        copied.__kwdefaults__ = method.__kwdefaults__
        copied.__wrapped__ = _SignatureOf(native, method, returns, after_url=after_url)
        return cast("M", copied)

    return decorated


class _SignatureOf:
    """Gives `inspect.signature` the signature of a method of the HTTP library, with `withhold_token` added.

    The signature is built only on request, because building all of them would delay the import.
    """

    def __init__(self, native: Any, source: Any, returns: str | None = None, *, after_url: bool = False) -> None:
        self._native, self._returns, self._after_url = native, returns, after_url
        self.__wrapped__ = source  # `inspect.unwrap` ends at a function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._native(*args, **kwargs)

    @property
    def __signature__(self) -> Any:
        import inspect

        own, kinds = inspect.signature(self._native), inspect.Parameter
        parameters = [one.replace(default=_named(one.default)) for one in own.parameters.values()]
        kind = kinds.POSITIONAL_OR_KEYWORD if self._after_url else kinds.KEYWORD_ONLY
        last = len(parameters) - (parameters[-1].kind is kinds.VAR_KEYWORD)
        place = list(own.parameters).index("url") + 1 if self._after_url else last
        parameters.insert(place, kinds("withhold_token", kind, default=False, annotation="bool"))
        return own.replace(parameters=parameters, return_annotation=self._returns or own.return_annotation)


def _named(default: Any) -> Any:
    """Return a default, or an equal object with a readable `repr` if that of the default is only an address.

    The object is an instance of the same class, so the HTTP library accepts it as the default.
    """
    if " object at 0x" not in repr(default):
        return default
    kind = default.__class__
    names = vars(sys.modules[kind.__module__]).items()
    name = next((name for name, value in names if value is default), kind.__name__)
    named: Any = type(kind.__name__, (_Named, kind), {"_default": default, "_name": name})
    return named()


class _Named:
    """A default with the `repr` of its name in the HTTP library."""

    _default: Any
    _name: str

    def __repr__(self) -> str:
        return self._name

    def __eq__(self, other: object) -> bool:
        return getattr(other, "_default", other) is self._default

    def __hash__(self) -> int:
        return hash(self._default)


def _documented(doc: str | None) -> str | None:
    """Return the docstring of a method of the HTTP library, with a line about `withhold_token`."""
    if doc is None:  # removed by python -OO
        return None
    rest = [line for line in doc.splitlines()[1:] if line.strip()]
    indent = min((len(line) - len(line.lstrip()) for line in rest), default=0)
    return f"{doc.rstrip()}\n\n{' ' * indent}withhold_token: True to send the request without the token.\n"
