"""A login whose URL the user pastes: from a callable, from a terminal, and from standard input that is none."""

from __future__ import annotations

import io
import os
import pty
import select
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from doorkey.errors import OAuthError, UsageError
from doorkey.login.errors import LoginRefused
from doorkey.native import NativeLogin, WrongPaste
from doorkey.testing import Provider
from tests.native.conftest import CLIENT, Native

PROMPT = "Paste it here: "
URI = "http://127.0.0.1/callback"


class User:
    """Logs in where the URL is shown, and answers each prompt with the next text; CALLBACK in it is the URL."""

    def __init__(self, provider: Provider, *texts: str) -> None:
        self.provider, self.texts = provider, [*texts]
        self.prompts: list[str] = []
        self.callback = ""

    def show(self, url: str) -> None:
        self.callback = self.provider.log_in(url, "alice")

    def read(self, prompt: str) -> str:
        self.prompts.append(prompt)
        return self.texts.pop(0).replace("CALLBACK", self.callback)


def paste(login: Native, user: User, **options: Any) -> NativeLogin:
    options = {"redirect_uri": URI, "show": user.show, "read": user.read, **options}
    return login.call("login_by_pasting", login.provider.issuer, CLIENT, **options)


def failure(login: Native, user: User, **options: Any) -> OAuthError:
    with pytest.raises(OAuthError) as caught:
        paste(login, user, **options)
    return caught.value


def test_the_pasted_url_ends_the_login(login: Native) -> None:
    user = User(login.provider, "CALLBACK\n")
    result = paste(login, user)
    assert result.method == "paste"
    assert result.claims is not None
    assert result.claims["preferred_username"] == "alice"
    assert len(user.prompts) == 1


def test_two_wrong_texts_are_explained_and_the_third_ends_the_login(login: Native) -> None:
    user = User(login.provider, "", "CALLBACK&state=x", "CALLBACK")
    assert paste(login, user).claims
    assert user.prompts[0].endswith("Paste it here: ")
    assert user.prompts[1].startswith("Nothing was pasted.\n")
    assert user.prompts[2].startswith("The URL has no state")


BAD = {
    "another login": ("http://127.0.0.1/callback?code=c&state=x", "belongs to another login"),
    "another host": ("http://evil.example/callback?code=c&state=x", "another page, http://evil.example/callback"),
    "a megabyte": ("x" * 1_000_000, "longer than 65536"),
    "nothing": ("\n", "Nothing was pasted"),
    "a code": ("Zk3jQ9x", "not a whole URL"),
}


@pytest.mark.parametrize("name", BAD)
def test_three_wrong_texts_are_an_error_that_says_what_the_last_one_was(login: Native, name: str) -> None:
    text, problem = BAD[name]
    error = failure(login, User(login.provider, "", "", text))
    assert isinstance(error, WrongPaste)
    assert problem in str(error)
    assert "paste the whole URL" in str(error)


def test_an_error_response_ends_the_login_at_once(login: Native) -> None:
    user = User(login.provider, "CALLBACK&error=access_denied")
    error = failure(login, user)
    assert isinstance(error, LoginRefused)
    assert len(user.prompts) == 1


def test_a_response_is_used_once(login: Native) -> None:
    user = User(login.provider, "CALLBACK")
    paste(login, user)
    error = failure(login, User(login.provider, user.callback, user.callback, user.callback))
    assert "belongs to another login" in str(error)


@pytest.mark.parametrize(
    "wrong", [{"redirect_uri": None}, {"read": "stdin"}, {"show": 5}, {"response_mode": "form_post"}, {"scope": 5}]
)
def test_wrong_arguments_are_a_usage_error(login: Native, wrong: dict[str, Any]) -> None:
    assert isinstance(failure(login, User(login.provider, "CALLBACK"), **wrong), UsageError)


def test_a_callable_that_returns_no_text_is_a_usage_error(login: Native) -> None:
    def read(_: str) -> None:
        """Return no text."""

    error = failure(login, User(login.provider), read=read)
    assert isinstance(error, UsageError)
    assert "read(prompt)" in str(error)


def test_asynchronous_callables_are_awaited_or_refused(login: Native) -> None:
    user = User(login.provider, "CALLBACK")

    async def read(prompt: str) -> str:
        return user.read(prompt)

    if login.world == "blocking":
        assert isinstance(failure(login, user, read=read), UsageError)
    else:
        assert paste(login, user, read=read).claims


# -- standard input ----------------------------------------------------------------------------------------------------


class Terminal:
    """A terminal that is standard input and standard error, and the user in front of it."""

    def __init__(self) -> None:
        self.user, self.program = pty.openpty()
        self.before = termios.tcgetattr(self.program)
        self.seen = ""
        self.streams = os.fdopen(os.dup(self.program)), os.fdopen(os.dup(self.program), "w")

    def connect(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Replace the standard streams; in the test itself, because pytest replaces them before it."""
        monkeypatch.setattr(sys, "stdin", self.streams[0])
        monkeypatch.setattr(sys, "stderr", self.streams[1])

    def look(self) -> None:
        """Read more of what the program shows."""
        assert select.select([self.user], [], [], 60)[0], self.seen
        self.seen += os.read(self.user, 65536).decode()

    def wait_for_prompt(self) -> None:
        """Read up to the end of the next prompt."""
        while PROMPT not in self.seen:
            self.look()
        self.seen = self.seen.partition(PROMPT)[2]

    def type(self, *texts: str) -> threading.Thread:
        """Answer each prompt with the next text, in a thread."""

        def answer() -> None:
            for text in texts:
                self.wait_for_prompt()
                for start in range(0, len(text), 1000):
                    piece, length = text[start : start + 1000], len(self.seen)
                    os.write(self.user, piece.encode())
                    while len(self.seen) < length + len(piece):  # each character is shown
                        self.look()

        thread = threading.Thread(target=answer)
        thread.start()
        return thread

    def close(self) -> None:
        for stream in self.streams:
            with suppress(OSError):  # of a terminal that was closed
                stream.close()
        os.close(self.user)
        os.close(self.program)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    assert termios.tcgetattr(terminal.program) == terminal.before
    terminal.close()


def test_a_url_longer_than_a_line_of_the_terminal_can_be_pasted(
    login: Native, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.connect(monkeypatch)
    threads: list[threading.Thread] = []

    def show(url: str) -> None:
        callback = login.provider.log_in(url, "alice")
        threads.append(terminal.type(f"{URI}?code={'x' * 6000}&state=other\n", f"{callback}&{'x' * 6000}=\n"))

    assert paste(login, User(login.provider), show=show, read=None).claims
    threads[0].join(60)


def test_ctrl_d_ends_the_login(login: Native, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal.connect(monkeypatch)
    threads: list[threading.Thread] = []

    def show(_: str) -> None:
        threads.append(terminal.type("\x04"))

    error = failure(login, User(login.provider), show=show, read=None)
    assert "Standard input ended" in str(error)
    threads[0].join(60)


def test_the_code_is_shown_in_no_file(login: Native, terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal.connect(monkeypatch)
    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)

    def show(url: str) -> None:
        os.write(terminal.user, f"{login.provider.log_in(url, 'alice')}\n".encode())

    assert paste(login, User(login.provider), show=show, read=None).claims
    assert "Paste it here" in log.getvalue()
    assert "code=" not in log.getvalue()


def test_a_line_of_a_pipe_is_read_and_the_next_one_stays(login: Native, monkeypatch: pytest.MonkeyPatch) -> None:
    output, source = os.pipe()
    monkeypatch.setattr(sys, "stdin", os.fdopen(output, encoding="utf-8"))

    def show(url: str) -> None:
        os.write(source, f"nonsense\n{login.provider.log_in(url, 'alice')}\nmore\n".encode())

    assert paste(login, User(login.provider), show=show, read=None).claims
    assert os.read(output, 100) == b"more\n"
    os.close(source)
    error = failure(login, User(login.provider), show=str, read=None)
    assert "Standard input ended" in str(error)
    sys.stdin.close()


def test_a_file_and_a_text_in_memory_are_read(login: Native, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for stdin in (io.StringIO("one\ntwo\nthree\n"), (tmp_path / "input").open("w+", encoding="utf-8")):
        stdin.write("one\ntwo\n\n")
        stdin.seek(0)
        monkeypatch.setattr(sys, "stdin", stdin)
        assert "Nothing was pasted" in str(failure(login, User(login.provider), show=str, read=None))
        assert "Standard input ended" in str(failure(login, User(login.provider), show=str, read=None))
        stdin.close()


def test_a_terminal_that_was_closed_and_input_that_is_no_text_are_the_end(
    login: Native, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    terminal.connect(monkeypatch)

    def hang_up(_: str) -> None:
        os.close(terminal.user)

    assert "Standard input ended" in str(failure(login, User(login.provider), show=hang_up, read=None))
    terminal.user = os.open(os.devnull, os.O_RDONLY)
    terminal.close()
    (tmp_path / "input").write_bytes(b"\xff\n")
    with (tmp_path / "input").open(encoding="utf-8") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        assert "Standard input ended" in str(failure(login, User(login.provider), show=str, read=None))


def test_a_program_without_standard_streams_is_told(login: Native, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    monkeypatch.setattr(sys, "stderr", None)
    assert "Standard input ended" in str(failure(login, User(login.provider), show=None, read=None))
