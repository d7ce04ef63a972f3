"""What commands print on a terminal of 40 columns, on one that is dumb, and without colors."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorkey.dev import Provider
from tests.cli.logins import REALM, logged_in
from tests.support.api_server import API, Reply, serving
from tests.support.cli_runner import on_terminal

COLOR = re.compile(r"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9[0-7]|10[0-7])(?:;\d+)*m")
OPAQUE = json.dumps({"orders": [1, 2]}).encode()
ISSUER = "ISSUER"
API_URL = "API"
DRAWN = {
    "inspect": ("inspect", "work", "--offline"),
    "doctor": ("doctor", ISSUER),
    "trace": ("trace", "--account", "work", "--client-credentials"),
}
"""Commands that lay their output out for the width of the terminal, with colors."""
PLAIN = {
    "token": ("token",),
    "token --json": ("token", "--json"),
    "run": ("run", "--", "true"),
    "curl": ("curl", API_URL),
    "status": ("status",),
    "accounts": ("accounts",),
    "completion": ("completion", "bash"),
    "logout": ("logout",),
}
"""Commands that print lines, which the terminal wraps."""


@pytest.fixture
def api(home: Path, server: Provider) -> Iterator[API]:
    logged_in(home, server)
    with serving() as running:
        running.replies = [Reply(200, OPAQUE, {"Content-Type": "application/json"}) for _ in range(2)]
        yield running


def printed(server: Provider, api: API, command: tuple[str, ...], columns: int = 80, **env: str) -> str:
    """What a command prints on a terminal; its status is 0, or 1 for a finding of the audit or the inspection."""
    known = {ISSUER: server.issuer_of(REALM), API_URL: f"{api.url}/orders"}
    with on_terminal(*(known.get(word, word) for word in command), env=env, columns=columns) as terminal:
        assert terminal.status() in (0, 1)
        return terminal.text


@pytest.mark.parametrize("name", DRAWN)
def test_colors_are_for_a_terminal_that_has_them_and_a_user_who_wants_them(
    server: Provider, api: API, name: str
) -> None:
    assert re.search(r"\x1b\[[\d;]+m", printed(server, api, DRAWN[name]))
    assert not COLOR.search(printed(server, api, DRAWN[name], NO_COLOR="1"))


@pytest.mark.parametrize("name", DRAWN)
def test_a_dumb_terminal_gets_text_alone_that_fits_its_columns(server: Provider, api: API, name: str) -> None:
    text = printed(server, api, DRAWN[name], 40, TERM="dumb")
    assert "\x1b" not in text
    lines = [line for line in text.splitlines() if not line.startswith(("sending", "fetching"))]
    assert len(lines) > 5
    assert max(map(len, lines)) <= 40


@pytest.mark.parametrize("name", PLAIN)
def test_a_command_that_prints_lines_has_no_color_on_any_terminal(server: Provider, api: API, name: str) -> None:
    text = printed(server, api, PLAIN[name], 40)
    assert not COLOR.search(text)
    assert "\x1b" not in text.replace("\r\x1b[K", "").replace("\x1b[K", "")


def test_a_binary_body_is_not_written_to_a_terminal(server: Provider, api: API) -> None:
    api.replies = [Reply(200, b"\x1b]0;title\x07\x00\xff", {"Content-Type": "application/octet-stream"})]
    with on_terminal("curl", f"{api.url}/image") as terminal:
        assert terminal.status() == 2
    assert "write it to a file with -o FILE" in terminal.text
    assert "\x1b]0" not in terminal.text
    assert "\x00" not in terminal.text
