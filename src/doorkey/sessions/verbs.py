"""The methods `get`, `post`, … of a session: in `help`, those of its HTTP library with `withhold_token`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar, cast

__all__: list[str] = []

M = TypeVar("M", bound=Callable[..., Any])

VERBS: Final = ("get", "options", "head", "post", "put", "patch", "delete")


def like_native(native: Any) -> Callable[[M], M]:
    """Return a decorator that gives a method the name, docstring and signature of `native`, with `withhold_token`."""

    def decorated(method: M) -> M:
        wrapped: Any = wraps(native)(method)
        wrapped.__doc__ = _documented(native.__doc__)
        wrapped.__wrapped__ = _SignatureOf(native)
        return cast("M", wrapped)

    return decorated


class _SignatureOf:
    """Gives `inspect.signature` the signature of a method of the HTTP library, with `withhold_token` added.

    The signature is built only on request, because building all of them would delay the import.
    """

    def __init__(self, native: Any) -> None:
        self._native = self.__wrapped__ = native  # `inspect.unwrap` ends at a function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._native(*args, **kwargs)

    @property
    def __signature__(self) -> Any:
        import inspect

        own = inspect.signature(self._native)
        withheld = inspect.Parameter("withhold_token", inspect.Parameter.KEYWORD_ONLY, default=False, annotation="bool")
        parameters = list(own.parameters.values())
        last = len(parameters) - (parameters[-1].kind is inspect.Parameter.VAR_KEYWORD)
        return own.replace(parameters=[*parameters[:last], withheld, *parameters[last:]])


def _documented(doc: str | None) -> str | None:
    """Return the docstring of a method of the HTTP library, with a line about `withhold_token`."""
    if doc is None:  # removed by python -OO
        return None
    rest = [line for line in doc.splitlines()[1:] if line.strip()]
    indent = min((len(line) - len(line.lstrip()) for line in rest), default=0)
    return f"{doc.rstrip()}\n\n{' ' * indent}withhold_token: True to send the request without the token.\n"
