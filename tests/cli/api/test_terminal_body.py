"""A body of an API on a terminal: text with which it can do nothing."""

from __future__ import annotations

from io import StringIO

import pytest

from doorkey.cli.api.terminal_body import TerminalBody

BODIES: list[tuple[bytes, str]] = [
    ('{"name": "Zoë",\r\n\t"x": 1}\n'.encode(), '{"name": "Zoë",\n\t"x": 1}\n'),
    (b"\x1b]52;c;ZXZpbA==\x07", "\\x1b]52;c;ZXZpbA==\\x07"),
    (b"\x1b[2J\x1b[6n", "\\x1b[2J\\x1b[6n"),
    ("\x9b2J".encode(), "\\x9b2J"),  # the same in one character
    (b"\x9b2J", "\ufffd2J"),  # and in a byte
    ("\u202eevil".encode(), "\\u202eevil"),
    (b"good\rbad", "good\nbad"),
    (b"a\x08b\x7f", "a\\x08b\\x7f"),
    (b"\xf0\x9f\x94", "\ufffd"),
]


@pytest.mark.parametrize(("body", "shown"), BODIES, ids=repr)
@pytest.mark.parametrize("size", [1, 1000])
def test_a_terminal_gets_text_alone_however_it_arrives(body: bytes, shown: str, size: int) -> None:
    out = StringIO()
    terminal = TerminalBody(out)
    for start in range(0, len(body), size):
        terminal.write(body[start : start + size])
    terminal.flush()
    assert out.getvalue() == shown
