"""Conversion of text to bytes and back."""

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
    """Return `x` as bytes. Raises `UsageError` if it cannot be encoded.

    x: text, which is encoded; bytes; a number, whose digits are encoded; None, which is returned.
    charset: the encoding, as for `str.encode`.
    errors: the error handler, as for `str.encode`.
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
    """Return `x` as text. Raises `UsageError` if it cannot be decoded.

    x: bytes, which are decoded; text; another value, which is converted by `str`; None, which is returned.
    charset: the encoding, as for `bytes.decode`.
    errors: the error handler, as for `bytes.decode`.
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
        raise UsageError("this number has too many digits to convert it to text") from None
