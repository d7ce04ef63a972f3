"""Tables on stdout, in a pipe and on a terminal."""

from __future__ import annotations

import io

import pytest

from doorkey.cli.terminal import out_console
from tests.cli.inspect.tokens import signed
from tests.support.cli_runner import Run


class Stream(io.StringIO):
    """A stream that is a terminal, or is none."""

    def __init__(self, *, is_terminal: bool) -> None:
        super().__init__()
        self.is_terminal = is_terminal

    def isatty(self) -> bool:
        return self.is_terminal


@pytest.mark.parametrize("is_terminal", [False, True])
def test_only_a_terminal_gets_the_spaces_at_the_end_of_a_line(
    is_terminal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rich.padding import Padding

    stream = Stream(is_terminal=is_terminal)
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setenv("TERM", "dumb")  # no colors
    out_console().print(Padding("  a name, a value", (0, 0, 1, 3)))
    lines = stream.getvalue().split("\n")
    assert [line.rstrip() for line in lines] == ["     a name, a value", "", ""]
    assert (lines[0] != lines[0].rstrip()) is is_terminal


@pytest.mark.parametrize(
    "command",
    [
        ("inspect", "--offline", signed(iss="https://as.example", aud="a", exp=1, iat=0, padding="x " * 200)),
        ("doctor", "http://127.0.0.1:1"),
        ("trace", "http://127.0.0.1:1", "--client-id", "a"),
    ],
    ids=lambda command: command[0],
)
def test_no_line_of_a_table_in_a_pipe_ends_with_spaces(run: Run, command: tuple[str, ...]) -> None:
    output = run(*command).stdout
    assert output.count("\n") > 3
    assert not [line for line in output.splitlines() if line != line.rstrip()]
