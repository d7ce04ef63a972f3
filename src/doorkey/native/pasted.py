"""Parse the URL of the response that a user pasted, and the line of a terminal into which it was typed."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from doorkey.errors import UsageError, printable
from doorkey.native.callbacks import Accepted, Expected
from doorkey.wire.parameters import parse_form

MAX_TEXT: Final = 64 * 1024
_ERASE: Final = b"\x7f\x08"
_ERASE_ALL: Final = 0x15  # Ctrl-U
_END: Final = 0x04  # Ctrl-D
_BRACKETS: Final = re.compile(rb"\x1b\[20[01]~")
"""The sequences around a paste that a terminal adds if a program has requested them."""


def parse_paste(text: str, expected: Expected, *, in_fragment: bool = False) -> Accepted | str:
    """Return the response in `text`, or a sentence that explains why the text is not this response.

    in_fragment: whether the response is in the fragment of the URL.
    """
    url = text.strip().strip("<>\"'")
    if not url:
        return "Nothing was pasted."
    if len(url) > MAX_TEXT:
        return f"The text is longer than {MAX_TEXT} characters: it is not the URL of the page."
    if not url.isprintable() or " " in url:
        return "The text has a space or a line break: it is not one URL."
    wanted = urlsplit(expected.redirect_uri)
    try:
        parts = urlsplit(url)
        query, fragment = parse_form(parts.query), parse_form(parts.fragment)
    except (ValueError, UsageError):
        return "The text is not a URL."
    if {"response_type", "client_id", "request_uri"} & dict(query).keys():
        return "This is the URL of the login page: open it, and paste the URL of the page that opens after the login."
    if parts.scheme not in ("http", "https", wanted.scheme):
        return "The text is not a whole URL: it begins with the scheme, such as http://, and ends with all parameters."
    if (parts.scheme, parts.netloc.lower(), parts.path) != (wanted.scheme, wanted.netloc.lower(), wanted.path):
        shown = printable(f"{parts.scheme}://{parts.hostname or ''}{parts.path}", 100)
        return f"This is the URL of another page, {shown}: the login ends at {wanted.scheme}://{wanted.netloc}{wanted.path}."
    states = [value for name, value in (fragment if in_fragment else query) if name == "state"]
    if len(states) != 1:
        return "The URL has no state: copy all of it, with everything after the question mark."
    if not hmac.compare_digest(states[0].encode("utf-8", "replace"), expected.state.encode()):
        return "The URL belongs to another login: paste the URL of the login that was begun here."
    return Accepted(url)


@dataclass(slots=True, repr=False)
class Line:
    """A line that is typed or pasted into a terminal without line editing.

    With its own line editing, a terminal passes on only 4095 bytes of a line, and a URL with a code may be longer.
    """

    is_done: bool = False
    """Whether the line has ended."""
    is_end: bool = False
    """Whether the input ended before the line began."""
    _text: bytearray = field(default_factory=bytearray)

    @property
    def is_too_long(self) -> bool:
        """Whether the line is longer than `MAX_TEXT`. The rest of it is dropped."""
        return len(self._text) > MAX_TEXT

    def value(self) -> str:
        """Return the line."""
        return _BRACKETS.sub(b"", self._text).decode("utf-8", "replace")

    def feed(self, piece: bytes) -> bytes:
        """Add the typed bytes (b"" at the end of the input), and return the bytes that the terminal must show."""
        echo = bytearray()
        for byte in piece or bytes((_END,)):
            if byte in b"\r\n" or byte == _END:
                self.is_done, self.is_end = True, byte == _END and not self._text
                echo += b"\r\n"
                break
            if byte in _ERASE:
                if self._text:
                    self._text.pop()
                    echo += b"\b \b"
            elif byte == _ERASE_ALL:
                echo += b"\b \b" * len(self._text)
                self._text.clear()
            elif not self.is_too_long:
                self._text.append(byte)
                echo += bytes((byte,)) if 0x20 <= byte < 0x7F else b"?"
        return bytes(echo)
