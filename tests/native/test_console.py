"""Messages to the user go to standard error. No exception is raised if it cannot be written to."""

from __future__ import annotations

import io
import sys

import pytest

from doorkey.native.console import is_terminal, write_stderr


class Broken(io.StringIO):
    """A stream whose reader has gone."""

    def flush(self) -> None:
        raise BrokenPipeError


def test_words_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    write_stderr("open this\n")
    assert capsys.readouterr() == ("", "open this\n")


def test_a_stream_that_is_gone_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    closed.close()
    for stream in (None, closed, Broken()):
        monkeypatch.setattr(sys, "stderr", stream)
        write_stderr("open this\n")
        assert is_terminal(stream) is False


def test_a_letter_that_the_stream_cannot_hold_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(raw, encoding="ascii", errors="strict"))
    write_stderr("code \u00e4\n")
    assert raw.getvalue() == b"code \\xe4\n"
