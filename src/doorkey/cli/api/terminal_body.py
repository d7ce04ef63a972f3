"""The body of a response on a terminal, with its control characters escaped.

Escape sequences control a terminal: they can change its clipboard and its title, hide lines, and make it send input as
if the user had typed it. So an API could act on the user's terminal. A file or a pipe gets the unchanged bytes.
"""

from __future__ import annotations

import codecs
import io
import re
from typing import Final, TextIO

__all__: list[str] = []

_UNUSUAL: Final = re.compile(r"[^\n\t\x20-\x7e]")


class TerminalBody:
    """Writes a body that arrives in pieces to `out`, decoded as UTF-8."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        # also converts CR LF, and a single CR, which would overwrite its line, to a line break
        self._decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder("utf-8")("replace"), translate=True)

    def write(self, piece: bytes) -> None:
        """Write the characters that are complete with this piece."""
        self._write_text(self._decoder.decode(piece))

    def flush(self) -> None:
        """Write the remaining characters at the end of the body."""
        self._write_text(self._decoder.decode(b"", final=True))
        self._out.flush()

    def _write_text(self, text: str) -> None:
        self._out.write(_UNUSUAL.sub(_shown, text))


def _shown(found: re.Match[str]) -> str:
    character = found[0]
    return character if character.isprintable() else ascii(character)[1:-1]
