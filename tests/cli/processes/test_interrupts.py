"""Ctrl-C, SIGTERM and SIGHUP while a server responds: the login is not lost."""

from __future__ import annotations

import json
import signal
import socket
from pathlib import Path

import pytest

from doorkey.cli.accounts import Account, Accounts
from doorkey.tokens import OAuth2Token
from tests.support.api_server import Reply, serving
from tests.support.cli_runner import Run, on_terminal


@pytest.mark.parametrize("end", [None, signal.SIGTERM, signal.SIGHUP])
def test_the_end_of_a_command_during_a_renewal_takes_effect_when_the_new_token_is_saved(
    run: Run, home: Path, end: signal.Signals | None
) -> None:
    expired = OAuth2Token({"access_token": "old", "refresh_token": "used-up-by-this-renewal", "expires_at": 5})
    with serving() as api, socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}/token"
        document = {"issuer": api.url, "jwks_uri": f"{api.url}/k", "response_types_supported": ["code"]}
        document |= {"authorization_endpoint": f"{api.url}/a", "token_endpoint": endpoint}
        api.replies = [Reply(200, json.dumps(document).encode(), {"Content-Type": "application/json"})]
        with Accounts(home) as accounts:
            accounts.save(Account("work", api.url, "client"), expired)
        with on_terminal("token") as terminal:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(30)
                assert connection.recv(65536).startswith(b"POST /token")
                terminal.until("renewing the token")
                if end is None:
                    terminal.interrupt()
                    terminal.until("^C")
                else:
                    terminal.process.send_signal(end)
                token = {"access_token": "new", "token_type": "Bearer", "refresh_token": "next", "expires_in": 300}
                body = json.dumps(token).encode()
                head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                connection.sendall(head.encode() + body)
                assert terminal.status() == (130 if end is None else -end)
        assert "Traceback" not in terminal.text
        assert run("token").stdout == "new\n"
