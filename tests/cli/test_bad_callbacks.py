"""Bad responses of a browser to `doorkey login`: each is one sentence and a status, and the earlier login is kept."""

from __future__ import annotations

import socket
import threading
import time
import webbrowser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from doorkey.dev import Provider
from tests.cli.browsers import LogsInAtOnce
from tests.cli.logins import REALM, logged_in
from tests.support.cli_runner import Run
from tests.support.raw_http import get, status_of

CLIENT = "public-native"


class Sends(LogsInAtOnce):
    """Logs alice in, sends other requests with the callback URL changed, and keeps the statuses of the responses."""

    def __init__(self, provider: Provider, *changes: tuple[str, str], **headers: str) -> None:
        super().__init__(provider)
        self.changes, self.headers = changes, headers
        self._statuses: list[int] = []
        self._is_done = threading.Event()

    @property
    def statuses(self) -> list[int]:
        """The statuses, once the browser has the last response: the command may end before that."""
        assert self._is_done.wait(60)
        return self._statuses

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        callback = self.callback(url)
        for before, after in self.changes:
            self._statuses.append(status_of(get(callback.replace(before, after, 1), **self.headers)))
        self._is_done.set()
        return True


class RunsOutOfTime(Sends):
    """Sends the same; then the clock is one minute later, and another connection makes the command look at it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, provider: Provider, *changes: tuple[str, str], **headers: str):
        super().__init__(provider, *changes, **headers)
        self._monkeypatch = monkeypatch

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        super().open(url)
        later = time.time() + 60
        self._monkeypatch.setattr(time, "time", lambda: later)
        place = urlsplit(parse_qs(urlsplit(url).query)["redirect_uri"][0])
        socket.create_connection((place.hostname or "", place.port or 0), timeout=10).close()
        return True


def log_in(run: Run, server: Provider, browser: LogsInAtOnce, monkeypatch: pytest.MonkeyPatch, *more: str) -> Any:
    """Log in as the account "work" with this browser."""
    monkeypatch.setattr(webbrowser, "_tryorder", ["test"])
    monkeypatch.setattr(webbrowser, "_browsers", {"test": [None, browser]})
    return run("login", server.issuer_of(REALM), "--browser", "--client-id", CLIENT, "--account", "work", *more)


def test_a_response_of_another_login_or_host_or_with_a_megabyte_ends_nothing_until_the_time_is_over(
    run: Run, home: Path, server: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged_in(home, server)
    before = run("token").stdout
    megabyte = ("code=", f"code={'x' * 1_000_000}")
    browser = RunsOutOfTime(monkeypatch, server, megabyte, ("state=", "state=another-"), ("/callback", "/other"))
    result = log_in(run, server, browser, monkeypatch, "--timeout", "50")
    assert browser.statuses == [431, 400, 404]
    assert (result.exit_code, result.stdout) == (1, "")
    (told,) = [line for line in result.stderr.splitlines() if "within" in line]
    assert "within 50 s. The last request was rejected: This response belongs to another login." in told
    other = RunsOutOfTime(monkeypatch, server, ("", ""), Host="evil.example")
    assert log_in(run, server, other, monkeypatch, "--timeout", "50").exit_code == 1
    assert other.statuses == [421]
    assert run("token").stdout == before


BAD = {
    "an error": ("code=", "error=access_denied&no_code="),
    "a code of another client": ("code=", "code=another-"),
    "another issuer": ("iss=http", "iss=https"),
    "two codes": ("code=", "code=first&code="),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_response_ends_the_login_with_one_line_and_the_account_is_kept(
    run: Run, home: Path, server: Provider, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    logged_in(home, server)
    before = run("token").stdout
    browser = Sends(server, BAD[name])
    result = log_in(run, server, browser, monkeypatch)
    assert browser.statuses == [400]
    assert result.exit_code in (1, 3)
    assert result.stdout == ""
    shown = result.stderr.strip().splitlines()
    assert [line for line in shown if line.startswith("doorkey: ")] == [shown[-1]], result.stderr
    assert run("token").stdout == before


def test_a_response_that_is_sent_twice_counts_once(run: Run, server: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    is_refused = threading.Event()

    class Twice(LogsInAtOnce):
        def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
            callback = self.callback(url)
            assert status_of(get(callback)) == 200
            with pytest.raises(ConnectionError):
                get(callback)
            self.opened.append(url)
            is_refused.set()
            return True

    browser = Twice(server)
    assert log_in(run, server, browser, monkeypatch).exit_code == 0
    assert is_refused.wait(60)  # the command may end before its browser has sent the second one
    assert [parse_qs(urlsplit(url).query)["client_id"] for url in browser.opened] == [[CLIENT]]
