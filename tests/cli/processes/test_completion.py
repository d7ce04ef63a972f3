"""Completion in the shells themselves: commands, options and the names of accounts."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from doorkey.dev import Provider
from tests.cli.logins import logged_in
from tests.support.cli_runner import COMMAND, Run, Terminal

SHOWN = {
    "doorkey tok": "doorkey token ",
    "doorkey comp": "doorkey completion ",
    "doorkey login --no-b": "doorkey login --no-browser ",
    "doorkey token wo": "doorkey token work ",
    "doorkey accounts --default wo": "doorkey accounts --default work ",
    "doorkey run wo": "doorkey run work ",
    "doorkey inspect wo": "doorkey inspect work ",
    "doorkey token local": "doorkey token localhost:8080 ",
    "doorkey token localhost:": "doorkey token localhost:8080 ",
    "doorkey token localhost:80": "doorkey token localhost:8080 ",
}
"""What a line is after the Tab key."""

BASH = """PS1='$ '; source {script}
show() {{ echo; echo "LINE<$READLINE_LINE>"; }}
bind -x '"\\C-xp": show'
"""
ZSH = """PS1='$ '; autoload -U compinit; compinit -u -D; source {script}
show() {{ print; print -r -- "LINE<$BUFFER>"; }}
zle -N show; bindkey '^Xp' show
"""


@pytest.fixture
def script(
    run: Run, home: Path, server: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Path]:
    """Returns the file of the completion of a shell; `doorkey` is a program of the path, with two accounts."""
    for name in ("work", "localhost:8080"):
        logged_in(home, server, name)
    program = tmp_path / "bin" / "doorkey"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")

    def made(shell: str) -> Path:
        file = tmp_path / f"completion.{shell}"
        file.write_text(run("completion", shell).stdout)
        return file

    return made


def check(terminal: Terminal, most: int = len(SHOWN)) -> None:
    """Type lines, at `most` so many, each with Tab, and compare the line with what it should be."""
    terminal.until("$ ")
    for typed, shown in [*SHOWN.items()][:most]:
        terminal.type(f"{typed}\t\x18p")
        terminal.until(f"LINE<{shown}>")
        terminal.type("\x15")
        terminal.text = ""


def test_bash_completes_commands_options_and_accounts(script: Callable[[str], Path], tmp_path: Path) -> None:
    bash = shutil.which("bash")
    assert bash is not None, "each system for which we test has it"
    rc = tmp_path / "bashrc"
    rc.write_text(BASH.format(script=script("bash")))
    with Terminal(bash, "--noprofile", "--rcfile", str(rc), "-i") as terminal:
        check(terminal)


def test_zsh_completes_commands_options_and_accounts(zsh: str, script: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / ".zshrc").write_text(ZSH.format(script=script("zsh")))
    with Terminal(zsh, "-d", "-i", env={"ZDOTDIR": str(tmp_path)}) as terminal:
        check(terminal)


def test_zsh_loads_the_completion_from_its_path(zsh: str, script: Callable[[str], Path], tmp_path: Path) -> None:
    functions = tmp_path / "functions"
    functions.mkdir()
    script("zsh").rename(functions / "_doorkey")
    rc = ZSH.format(script="/dev/null").replace("compinit -u -D", f"fpath=({functions} $fpath); compinit -u -D")
    (tmp_path / ".zshrc").write_text(rc)
    with Terminal(zsh, "-d", "-i", env={"ZDOTDIR": str(tmp_path)}) as terminal:
        check(terminal, 3)


def test_fish_completes_commands_options_and_accounts_with_whole_sentences(
    fish: str, script: Callable[[str], Path], tmp_path: Path
) -> None:
    lines = [*SHOWN, "doorkey acc"]
    asked = "; ".join(f"complete -C {shlex.quote(line)}; echo" for line in lines)
    source = f"source {script('fish')}; {asked}"
    done = subprocess.run(
        [fish, "--no-config", "-c", source],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "HOME": str(tmp_path)},
    )
    found = done.stdout.strip("\n").split("\n\n")
    for line, answer in zip(lines, found, strict=True):
        name = SHOWN.get(line, "doorkey accounts ").split()[-1]
        assert answer.partition("\t")[0].endswith(name.rpartition(":")[2] if ":" in line else name), (line, answer)
    assert found[-1] == "accounts\tList the accounts, or choose the default."
