"""The body of a response on a terminal, on which an API could otherwise act: its text, with control characters escaped.

A terminal obeys what it is sent: it can be told to change the clipboard or its title, to hide lines, and to answer as
if the user had typed. A file and a pipe get the bytes as they are.
"""

from __future__ import annotations

import codecs
import io
import re
from typing import Final, TextIO

__all__: list[str] = []

_UNUSUAL: Final = re.compile(r"[^\n\t\x20-\x7e]")


class TerminalBody:
    """Writes a body that arrives in pieces to `out`, as text in UTF-8."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        # also turns CR LF, and a CR that would overwrite its line, into a line break
        self._decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")("replace"), translate=True)

    def write(self, piece: bytes) -> None:
        """Write the characters that are complete with this piece."""
        self._put(self._decoder.decode(piece))

    def flush(self) -> None:
        """Write the rest: it is the end of the body."""
        self._put(self._decoder.decode(b"", final=True))
        self._out.flush()

    def _put(self, text: str) -> None:
        self._out.write(_UNUSUAL.sub(_shown, text))


def _shown(found: re.Match[str]) -> str:
    character = found[0]
    return character if character.isprintable() else ascii(character)[1:-1]
