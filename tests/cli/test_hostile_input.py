"""Every command with URLs that cannot be, and at an issuer whose every text has orders for a terminal and a browser."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from doorkey.cli.accounts import Account, Accounts
from doorkey.dev import Provider
from doorkey.tokens import OAuth2Token
from tests.cli.inspect.tokens import signed
from tests.cli.logins import logged_in
from tests.support.cli_runner import Run
from tests.support.serving_thread import serving_thread

EVIL = "\x1b]0;owned\x07\x1b[2J\u202e\x9b<script>alert(1)</script>"
URLS = (
    *("", "https://", "https://[::1", "https://a b", "https://as.example\\@evil", "https://127.0.0.1:99999"),
    *("https://user:secret-of-alice@as.example", "https://127.0.0.1:1#part", "https://a..b/", "file:///etc/passwd"),
    *(f"https://{'a' * 70}.example", f"https://{EVIL}", "https://as.ex\u200dample", "javascript:alert(1)"),
)
COMMANDS = (
    *(("login",), ("doctor",), ("doctor", "--api"), ("trace", "--client-id", "app"), ("curl",)),
    *(("inspect", signed(), "--issuer"), ("inspect", "opaque", "--introspect", "--client-id", "app", "--issuer")),
)
ENDPOINTS = (
    *("authorization_endpoint", "token_endpoint", "jwks_uri", "device_authorization_endpoint"),
    *("registration_endpoint", "userinfo_endpoint", "revocation_endpoint", "introspection_endpoint"),
)


def is_harmless(text: str) -> bool:
    return all(character.isprintable() or character == "\n" for character in text)


@pytest.mark.parametrize("url", URLS, ids=ascii)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda given: given[0])
def test_a_url_that_cannot_be_is_an_error_of_one_sentence(
    run: Run, home: Path, server: Provider, command: tuple[str, ...], url: str
) -> None:
    if command[0] == "curl":
        logged_in(home, server)
    result = run(*command, url)
    assert result.exit_code in (1, 2, 4), result.output
    assert is_harmless(result.output)
    assert "secret-of-alice" not in result.output


@contextmanager
def evil_issuer() -> Generator[str]:
    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            status, members = reply(self.path)
            body = json.dumps(members).encode()
            self.send_response(status)
            raw = EVIL.encode().decode("latin-1")
            for name, value in (("X-Evil", raw), ("WWW-Authenticate", f'Bearer error="{raw}", scope="{raw}"')):
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_OPTIONS = answer  # noqa: N815  # http.server's names

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # http.server's name
            pass

    def reply(path: str) -> tuple[int, dict[str, Any]]:
        if "/.well-known/" in path:
            lists = ("response_types_supported", "grant_types_supported", "id_token_signing_alg_values_supported")
            told = {name: [EVIL] for name in (*lists, "code_challenge_methods_supported", "scopes_supported")}
            places = {name: f"{issuer}/{name}" for name in ENDPOINTS}
            return 200, {
                "issuer": issuer,
                **places,
                **told,
                "resource": EVIL,
                "authorization_servers": [EVIL],
                EVIL: EVIL,
            }
        if path == "/jwks_uri":
            return 200, {"keys": [{"kty": EVIL, "kid": EVIL, "alg": EVIL, "use": EVIL, EVIL: EVIL}]}
        if path == "/device_authorization_endpoint":
            return 200, {"device_code": "d", "user_code": EVIL, "verification_uri": issuer, "expires_in": 60}
        return 400, {"error": EVIL, "error_description": EVIL, "error_uri": EVIL, EVIL: EVIL}

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer = f"http://127.0.0.1:{httpd.server_address[1]}"
    with serving_thread(httpd):
        yield issuer


@pytest.mark.parametrize(
    "command",
    [
        ("doctor", "{issuer}"),
        ("doctor", "--api", "{issuer}/api"),
        ("login", "{issuer}"),
        ("login", "{issuer}", "--client-id", "app", "--device"),
        ("trace", "{issuer}", "--client-id", "app", "--client-credentials", "-v", "--html", "{page}"),
        ("trace", "{issuer}", "--client-id", "app", "--device", "-v", "--html", "{page}"),
        ("inspect", "opaque", "--introspect", "--issuer", "{issuer}", "--client-id", "app"),
    ],
    ids=" ".join,
)
def test_no_text_of_an_issuer_gives_orders_to_the_terminal_or_to_the_page(
    run: Run, command: tuple[str, ...], tmp_path: Path
) -> None:
    page = tmp_path / "trace.html"
    with evil_issuer() as issuer:
        result = run(*(part.format(issuer=issuer, page=page) for part in command))
    assert result.exit_code in (1, 4), result.output
    assert is_harmless(result.output)
    if page.exists():
        written = page.read_text("utf-8")
        assert is_harmless(written)
        assert "<script" not in written


@pytest.mark.parametrize("command", ["status", "status --json", "accounts", "logout"])
def test_what_a_server_granted_gives_no_orders(run: Run, home: Path, command: str) -> None:
    token = OAuth2Token({"access_token": "a", "scope": EVIL, "expires_at": 4_102_444_800})
    with Accounts(home) as accounts:
        accounts.save(Account("work", "https://as.example", EVIL, EVIL), token)
    result = run(*command.split())
    assert result.exit_code == 0
    assert is_harmless(result.output)


def test_a_token_gives_no_orders_and_one_that_nobody_can_check_is_no_success(run: Run) -> None:
    result = run("inspect", signed({"kid": EVIL}, iss=EVIL, sub=EVIL, exp=4_102_444_800, **{EVIL: EVIL}))
    assert is_harmless(result.output)
    assert result.exit_code == 4, result.output
    assert "signature was not checked" in result.output
