"""Text to bytes and back."""

from __future__ import annotations

from typing import TypeAlias, overload

from doorkey.arguments import text
from doorkey.errors import UsageError, scrubbed

Plain: TypeAlias = str | bytes | bytearray | int | float


@overload
def to_bytes(x: None, charset: str = "utf-8", errors: str = "strict") -> None: ...
@overload
def to_bytes(x: Plain, charset: str = "utf-8", errors: str = "strict") -> bytes: ...
def to_bytes(x: Plain | None, charset: str = "utf-8", errors: str = "strict") -> bytes | None:
    """Return `x` as bytes: text encoded, numbers by their digits, None as it is. Raises `UsageError`.

    charset, errors: as for `str.encode`.
    """
    if x is None:
        return None
    if isinstance(x, bytes | bytearray):
        return bytes(x)
    try:
        return _text_of(x).encode(text(charset, "charset"), text(errors, "errors"))
    except (ValueError, LookupError) as error:
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"this text cannot be encoded: {type(error).__name__}") from scrubbed(error)


@overload
def to_unicode(x: None, charset: str = "utf-8", errors: str = "strict") -> None: ...
@overload
def to_unicode(x: Plain, charset: str = "utf-8", errors: str = "strict") -> str: ...
def to_unicode(x: Plain | None, charset: str = "utf-8", errors: str = "strict") -> str | None:
    """Return `x` as text: bytes decoded, other values by `str`, None as it is. Raises `UsageError` if it cannot be.

    charset, errors: as for `bytes.decode`.
    """
    if x is None or isinstance(x, str):
        return x
    if isinstance(x, bytes | bytearray):
        try:
            return bytes(x).decode(text(charset, "charset"), text(errors, "errors"))
        except (ValueError, LookupError) as error:
            if isinstance(error, UsageError):
                raise
            raise UsageError(f"these bytes cannot be decoded: {type(error).__name__}") from scrubbed(error)
    return _text_of(x)


def _text_of(x: object) -> str:
    try:
        return str(x)
    except ValueError:
        raise UsageError("a number of thousands of digits is not written out") from None
