"""`doorkey curl` on a terminal: the API cannot give it orders."""

from __future__ import annotations

from pathlib import Path

from doorkey.dev import Provider
from tests.cli.logins import logged_in
from tests.support.api_server import Reply, serving
from tests.support.cli_runner import finished, on_terminal

BODY = b'{"a": "\x1b]0;owned\x07\x1b[2J"}\n'


def test_orders_in_a_body_are_shown_on_a_terminal_and_kept_in_a_pipe(home: Path, server: Provider) -> None:
    logged_in(home, server)
    with serving() as api:
        api.replies = [Reply(200, BODY, {"Content-Type": "application/json"}) for _ in range(2)]
        with on_terminal("curl", "-s", api.url) as terminal:
            assert '{"a": "\\x1b]0;owned\\x07\\x1b[2J"}\r\n' in terminal.rest()
            assert "\x07" not in terminal.text
            assert terminal.status() == 0
        assert finished("curl", "-s", api.url).stdout.encode() == BODY
