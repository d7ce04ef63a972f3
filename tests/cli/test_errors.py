"""Each error is one sentence on stderr and an exit status; `--debug` adds the traceback."""

from __future__ import annotations

import errno
import sys
from importlib import import_module

import click
import pytest

from doorkey import errors
from doorkey.cli.errors import CommandError, ExitStatus, Settings, guarded, sentence_of, status_of
from doorkey.values import Secret

STATUSES = [
    (errors.StoreError("the store is away"), ExitStatus.STORAGE),
    (errors.RecordError("is cut short"), ExitStatus.STORAGE),
    (errors.MissingTokenError("no token"), ExitStatus.NOT_LOGGED_IN),
    (errors.TokenExpiredError("expired"), ExitStatus.NOT_LOGGED_IN),
    (errors.InvalidGrant("invalid_grant", "Session not active"), ExitStatus.NOT_LOGGED_IN),
    (errors.AccessDenied("access_denied"), ExitStatus.REJECTED),
    (errors.UsageError("scope must be text"), ExitStatus.USAGE),
    (errors.TransportError("no connection"), ExitStatus.UNREACHABLE),
    (errors.InvalidClient("invalid_client"), ExitStatus.UNREACHABLE),
    (errors.InvalidResponse("json", "no JSON"), ExitStatus.UNREACHABLE),
    (errors.VerificationError("iss", "is another one"), ExitStatus.REJECTED),
    (CommandError("there is no account", ExitStatus.NOT_LOGGED_IN), ExitStatus.NOT_LOGGED_IN),
    (OSError(errno.ENOSPC, "No space left on device"), ExitStatus.STORAGE),
    (ZeroDivisionError("division by zero"), ExitStatus.BUG),
]


@pytest.mark.parametrize(("error", "status"), STATUSES, ids=lambda value: type(value).__name__)
def test_each_error_has_a_status_and_one_line(
    error: Exception, status: ExitStatus, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> None:
        raise error

    assert guarded(command, Settings()) == status == status_of(error)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == f"doorkey: {sentence_of(error)}\n"
    assert "Traceback" not in printed.err


def test_debug_shows_the_traceback_without_the_values_of_variables(capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        password = "swordfish" * 2
        raise errors.UsageError(f"a password has {len(password)} characters at most") from ValueError(
            "the cause: token=abc1234"
        )

    assert guarded(command, Settings(debug=True)) == ExitStatus.USAGE
    printed = capsys.readouterr().err
    assert "ValueError: the cause: token=[hidden]" in printed
    assert printed.index("ValueError") < printed.index("in command") < printed.index("UsageError: a password has 18")
    assert "swordfishswordfish" not in printed


def test_a_control_character_of_a_server_does_not_reach_the_terminal() -> None:
    assert "\x1b" not in sentence_of(errors.ServerError("evil", "\x1b[2Jgone"))
    assert sentence_of(CommandError("a\nb", ExitStatus.REJECTED)) == "a\\nb"


def test_an_error_without_the_name_of_a_file_is_of_stdout_or_of_the_working_directory() -> None:
    full, gone = OSError(errno.ENOSPC, "No space left on device"), FileNotFoundError(errno.ENOENT, "No such file")
    assert sentence_of(full) == "stdout cannot be written to: No space left on device"
    assert sentence_of(gone) == "the working directory: No such file"


def test_an_unexpected_error_shows_its_name_and_not_its_text() -> None:
    assert sentence_of(KeyError(Secret("s").reveal() + "ecret")).startswith("this is a bug in doorkey (KeyError)")


@pytest.mark.parametrize("error", [click.Abort(), KeyboardInterrupt()], ids=["prompt", "elsewhere"])
def test_ctrl_c_is_130_and_no_sentence(error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        raise error

    assert guarded(command, Settings()) == 130
    assert capsys.readouterr().err == "\n"


def test_the_number_that_a_command_returns_is_its_status() -> None:
    assert guarded(lambda: 7, Settings()) == 7
    assert guarded(lambda: None, Settings()) == 0


def test_a_missing_library_of_the_command_line_names_its_extra_and_is_no_bug(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rich", None)

    assert guarded(lambda: import_module("rich"), Settings()) == ExitStatus.USAGE
    assert capsys.readouterr().err == "doorkey: rich is not installed: pip install 'doorkey[cli]'\n"

    def broken() -> None:
        raise ModuleNotFoundError("No module named 'a_part_of_a_program'", name="a_part_of_a_program")

    assert guarded(broken, Settings()) == ExitStatus.BUG
