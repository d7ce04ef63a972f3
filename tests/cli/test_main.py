"""The command itself: its table, its start, and what all commands have in common."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import doorkey
from doorkey.cli.main import COMMANDS, cli
from tests.support.cli_runner import Run, finished, on_terminal

SLOW = {
    *("httpx", "httpx2", "requests", "urllib3", "aiohttp", "anyio", "rich", "segno", "keyring", "cryptography"),
    *("joserfc", "sqlite3", "sqlalchemy", "redis", "starlette", "uvicorn", "flask", "django", "fastapi", "asyncio"),
}


def loaded_by(*arguments: str) -> set[str]:
    """The modules that a command has imported when it ends, also with an error, beyond those of Python itself."""
    code = "import sys\nbefore = set(sys.modules)\n"
    code += f"from doorkey.cli.main import cli\nstatus = cli.run({list(arguments)!r})\n"
    code += "print('\\n', sorted(set(sys.modules) - before), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules: list[str] = ast.literal_eval(done.stderr.splitlines()[-1].strip())
    return set(modules)


def test_the_version_is_that_of_the_package(run: Run) -> None:
    assert run("--version").stdout == f"doorkey {doorkey.__version__}\n"


@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("no-such-command",)], ids=str)
def test_the_start_imports_no_http_client_database_framework_or_console(arguments: tuple[str, ...]) -> None:
    loaded = loaded_by(*arguments)
    assert {module.partition(".")[0] for module in loaded} & SLOW == set()
    assert [module for module in loaded if module.startswith("doorkey.cli.commands")] == []


def test_the_list_of_commands_has_the_first_sentence_of_the_help_of_each() -> None:
    context = cli.make_context("doorkey", ["--version"], resilient_parsing=True)
    commands = {name: cli.get_command(context, name) for name in COMMANDS}
    summaries = {name: one.get_short_help_str(limit=500) for name, one in commands.items() if one}
    assert summaries == {name: summary for name, (_, summary) in COMMANDS.items()}


def test_the_list_of_commands_has_one_line_for_each_on_a_terminal_of_80_columns(run: Run) -> None:
    lines = run("--help", COLUMNS="80").stdout.partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in lines if line] == list(COMMANDS)


def test_every_command_has_a_help_of_one_sentence_and_its_own_page(run: Run) -> None:
    overview = run("--help").stdout
    for name in COMMANDS:
        result = run(name, "--help")
        assert (result.exit_code, result.stderr) == (0, "")
        assert "--debug" in result.stdout
        assert f"  {name}" in overview


def test_python_dash_m_runs_the_same_command(home: Path) -> None:
    done = finished("--version")
    assert (done.returncode, done.stdout) == (0, f"doorkey {doorkey.__version__}\n")


def test_ctrl_c_before_the_command_begins_is_status_130_without_a_traceback() -> None:
    code = (
        "import sys, doorkey.__main__\n"
        "class Interrupted:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'doorkey.cli.main': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupted())\n"
        "sys.exit(doorkey.__main__.main())\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_an_unknown_command_is_a_usage_error(run: Run) -> None:
    result = run("no-such-command")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == "doorkey: no such command 'no-such-command' (see 'doorkey --help')\n"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["token", "a", "b"], "got unexpected extra argument (b) (see 'doorkey token --help')"),
        (["login"], "missing argument 'ISSUER' (see 'doorkey login --help')"),
        (["--debug"], "missing command (see 'doorkey --help')"),
        (["completion"], "missing argument '{bash|zsh|fish}'. Choose from: bash, zsh, fish (see 'doorkey completion"),
        (["run"], "name the program after '--' (see 'doorkey run --help')"),
        (["token", "a\x1b[2J\n"], "invalid value for '[ACCOUNT]': the name of an account has 1 to 64 printable"),
        (["curl", "--no-\x1b[2J\n", "x"], "no such option"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(run: Run, arguments: list[str], sentence: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (2, "", 1)
    assert result.stderr.startswith(f"doorkey: {sentence}")


def test_without_a_command_the_help_is_shown(run: Run) -> None:
    assert run().output == run("--help").output


def test_without_click_one_sentence_names_the_extra() -> None:
    code = "import sys\nsys.modules['click'] = None\nfrom doorkey.__main__ import main\nsys.exit(main())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "doorkey: click is not installed: pip install 'doorkey[cli]'\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_that_calls_doorkey(run: Run, shell: str) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert f"_DOORKEY_COMPLETE={shell}_complete" in result.stdout


def test_a_shell_completes_the_names_of_commands(home: Path) -> None:
    environment = {**os.environ, "_DOORKEY_COMPLETE": "bash_complete", "COMP_WORDS": "doorkey comp", "COMP_CWORD": "1"}
    assert finished(env=environment).stdout == "plain,completion\n"
    assert "plain,--version" in finished(env={**environment, "COMP_WORDS": "doorkey --"}).stdout.split()


def test_a_full_disk_behind_stdout_is_a_storage_error(home: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = finished("completion", "bash", stdout=full)
    assert done.returncode == 5
    assert done.stderr == "doorkey: stdout cannot be written to: No space left on device\n"


def test_the_table_names_commands_that_are_there() -> None:
    context = cli.make_context("doorkey", ["--version"], resilient_parsing=True)
    assert [cli.get_command(context, name) is not None for name in COMMANDS] == [True] * len(COMMANDS)
    assert cli.list_commands(context) == list(COMMANDS)


@pytest.mark.parametrize("command", ["curl --timeout", "inspect --leeway", "login --timeout", "trace --timeout"])
def test_a_number_of_seconds_that_is_no_number_is_a_usage_error(run: Run, command: str) -> None:
    result = run(*command.split(), "nan", "https://as.example")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "nan is not a number of seconds" in result.stderr


@pytest.mark.parametrize("columns", ["0", "1", "-5", "wide"])
def test_a_width_that_no_terminal_has_is_no_error(run: Run, columns: str) -> None:
    assert run("login", "--help", COLUMNS=columns).exit_code == 0


def test_the_help_fits_a_narrow_terminal(home: Path) -> None:
    with on_terminal("--help", columns=40) as terminal:
        assert terminal.status() == 0
        assert max(len(line) for line in terminal.text.splitlines()) <= 40
