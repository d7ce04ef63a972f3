"""What the scripts of shells are answered; the shells themselves run in processes/test_completion.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from doorkey.cli.main import COMMANDS, cli
from doorkey.cli.shells import Bash, Fish
from doorkey.dev import Provider
from tests.cli.logins import logged_in
from tests.support.cli_runner import Run


def shell(kind: type[Bash | Fish]) -> Bash | Fish:
    return kind(cli, {}, "doorkey", "_DOORKEY_COMPLETE")


@pytest.mark.parametrize(
    ("words", "number", "args", "incomplete"),
    [
        ("doorkey token", 1, [], "token"),
        ("doorkey token ", 2, ["token"], ""),
        ("doorkey token localhost : 80", 4, ["token"], "localhost:80"),
        ("doorkey token localhost :", 3, ["token"], "localhost:"),
        ("doorkey token localhost : 8080 ", 5, ["token", "localhost:8080"], ""),
        ("doorkey curl http : //127.0.0.1 : 80", 6, ["curl"], "http://127.0.0.1:80"),
        ("doorkey curl a : b --acc", 5, ["curl", "a:b"], "--acc"),
        ("doorkey", 1, [], ""),
    ],
)
def test_words_that_bash_split_at_colons_are_joined(
    monkeypatch: pytest.MonkeyPatch, words: str, number: int, args: list[str], incomplete: str
) -> None:
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(number))
    assert shell(Bash).get_completion_args() == (args, incomplete)


def test_the_part_before_the_colon_is_not_repeated_in_bash(
    home: Path, server: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged_in(home, server, "localhost:8080")
    monkeypatch.setenv("COMP_WORDS", "doorkey token localhost : 80")
    monkeypatch.setenv("COMP_CWORD", "4")
    assert shell(Bash).complete() == "plain,8080"


def test_fish_splits_a_line_at_its_first_comma_only(run: Run) -> None:
    script = run("completion", "fish").stdout
    assert 'string split --max 1 ","' in script
    assert 'string split ","' not in script
    assert any("," in summary for _, summary in COMMANDS.values())


def test_the_file_of_zsh_completes_also_when_it_is_called_again(run: Run) -> None:
    assert "== loadautofunc " not in run("completion", "zsh").stdout


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_a_store_that_cannot_be_read_completes_no_account_and_prints_nothing(
    run: Run, home: Path, server: Provider, name: str
) -> None:
    logged_in(home, server)
    (home / "key.json").write_text("damaged")
    number = "w" if name == "fish" else "2"
    result = run(_DOORKEY_COMPLETE=f"{name}_complete", COMP_WORDS="doorkey token w", COMP_CWORD=number)
    assert (result.exit_code, result.output.strip()) == (0, "")
