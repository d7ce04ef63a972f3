"""`doorkey curl`: the request, as curl would send it, the token in it, and the report about the response."""

from __future__ import annotations

import gzip
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from doorkey.dev import Provider
from tests.cli.logins import REALM, logged_in, refreshes
from tests.support.api_server import API, Reply, serving
from tests.support.cli_runner import COMMAND, Run, finished

INVALID_TOKEN = {"WWW-Authenticate": 'Bearer realm="orders", error="invalid_token", error_description="revoked"'}


@pytest.fixture
def api() -> Iterator[API]:
    with serving() as running:
        yield running


@pytest.fixture(autouse=True)
def account(home: Path, server: Provider) -> str:
    return logged_in(home, server).name


def test_the_body_is_on_stdout_and_the_timing_on_stderr(run: Run, api: API) -> None:
    result = run("curl", f"{api.url}/orders?id=1#part")
    assert (result.exit_code, result.stdout) == (0, "hello\n")
    assert re.fullmatch(r"200 OK  DNS \d+ ms  connect \d+ ms  first byte \d+ ms  total \d+ ms\n", result.stderr), (
        result.stderr
    )
    (got,) = api.got
    assert (got.method, got.path, got.body) == ("GET", "/orders?id=1", b"")
    assert got.headers["authorization"] == f"Bearer {run('token').stdout.strip()}"
    assert got.headers["host"] == f"127.0.0.1:{api.port}"


def test_a_name_is_resolved_once_and_stays_the_host(run: Run, api: API) -> None:
    assert run("curl", "-s", f"http://localhost:{api.port}/").stdout == "hello\n"
    assert api.got[0].headers["host"] == f"localhost:{api.port}"


def test_options_mean_what_they_mean_to_curl(run: Run, api: API, tmp_path: Path) -> None:
    (tmp_path / "part").write_text("b=2")
    url = f"{api.url}/x"
    assert run("curl", "-s", "-d", "a=1", "-d", f"@{tmp_path / 'part'}", url).exit_code == 0
    assert run("curl", "-s", "--json", "@-", "-X", "PUT", url, input='{"c": 3}').exit_code == 0
    assert run("curl", "-s", "-X", "DELETE", "-H", "X-One: 1", "-H", "Accept: text/csv", url).exit_code == 0
    assert run("curl", "-s", "-d", "x", "-H", "content-type: text/plain", url).exit_code == 0
    form, json, delete, plain = api.got
    assert (form.method, form.body) == ("POST", b"a=1&b=2")
    assert form.headers["content-type"] == "application/x-www-form-urlencoded"
    assert (json.method, json.body, json.headers["content-type"]) == ("PUT", b'{"c": 3}', "application/json")
    assert json.headers["accept"] == "application/json"
    assert (delete.method, delete.headers["x-one"], delete.headers["accept"]) == ("DELETE", "1", "text/csv")
    assert plain.headers["content-type"] == "text/plain"


def test_the_head_and_the_body_go_where_they_are_told(run: Run, api: API, tmp_path: Path) -> None:
    api.replies = [Reply(201, b"\x00\xff", {"X-Evil": "\x1b[2J"}), Reply(200, b"\x00\xff")]
    included = run("curl", "-s", "-i", api.url)
    assert included.stdout_bytes.startswith(b"HTTP/1.1 201 Created\n")
    assert b"\nx-evil: \\x1b[2J\n" in included.stdout_bytes
    assert included.stdout_bytes.endswith(b"\n\n\x00\xff")
    stored = run("curl", "-s", "-o", str(tmp_path / "file"), api.url)
    assert (stored.exit_code, stored.stdout) == (0, "")
    assert (tmp_path / "file").read_bytes() == b"\x00\xff"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://api.example/", "the token is not sent to api.example without TLS"),
        ("http://localhost.evil/", "not sent to localhost.evil without TLS"),
        ("http://127.0.0.1.evil/", "without TLS"),
        ("http://localhost:80@evil/", "has a user name"),
        ("https://a b/", "a blank"),
        ("ftp://api.example/", "absolute http or https URL"),
        ("api.example", "absolute http or https URL"),
        ("http://[::1", "is not a URL"),
    ],
)
def test_the_token_is_sent_to_no_url_of_this_kind(run: Run, url: str, reason: str) -> None:
    result = run("curl", url)
    assert (result.exit_code, result.stdout) == (2, "")
    assert reason in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "header", ["Authorization: Bearer x", "Host: evil", "no colon", "X: a\nY: b", "Ä: x", ": x", "Content-Length: 1"]
)
def test_a_header_that_is_none_or_that_doorkey_sets_is_a_usage_error(run: Run, api: API, header: str) -> None:
    assert run("curl", "-H", header, api.url).exit_code == 2
    assert api.got == []


def test_a_file_that_is_not_there_and_options_that_exclude_each_other_are_usage_errors(run: Run, api: API) -> None:
    assert "No such file" in run("curl", "-d", "@/no/such/file", api.url).stderr
    assert run("curl", "-d", "@/no/such/file", api.url).exit_code == 2
    assert run("curl", "-d", "x", "--json", "{}", api.url).exit_code == 2
    assert run("curl", "-X", "GET\r\nX: y", api.url).exit_code == 2
    assert api.got == []


def test_a_rejected_token_is_renewed_once_and_the_request_sent_again_with_its_body(
    run: Run, api: API, server: Provider
) -> None:
    api.replies = [Reply(401, b"no", INVALID_TOKEN)]
    result = run("curl", "-d", "a=1", api.url)
    assert (result.exit_code, result.stdout) == (0, "hello\n")
    assert "It was renewed, and the request is sent again." in result.stderr
    first, second = api.got
    assert first.headers["authorization"] != second.headers["authorization"]
    assert (first.body, second.body) == (b"a=1", b"a=1")
    assert refreshes(server) == 1


def test_a_second_rejection_stands_and_is_explained(run: Run, api: API, server: Provider) -> None:
    api.replies = [Reply(401, b"no", INVALID_TOKEN), Reply(401, b"still no\n", INVALID_TOKEN)]
    result = run("curl", api.url)
    assert (result.exit_code, result.stdout) == (1, "still no\n")
    assert "The API rejects the token (invalid_token): revoked." in result.stderr
    assert f"log in again: doorkey login {server.issuer_of(REALM)} --account work" in result.stderr
    assert refreshes(server) == 1


def test_a_missing_scope_is_named_with_the_login_that_requests_it(run: Run, api: API) -> None:
    challenge = 'Bearer error="insufficient_scope", scope="openid orders:write"'
    api.replies = [Reply(403, b"", {"WWW-Authenticate": challenge})]
    result = run("curl", api.url)
    assert result.exit_code == 1
    assert "Missing: orders:write." in result.stderr
    assert re.search(r"--account work --scope 'openid [^']*orders:write'", result.stderr)
    assert len(api.got) == 1


def test_an_error_of_another_kind_is_status_1_with_its_body(run: Run, api: API) -> None:
    api.replies = [Reply(500, b"oops\n")]
    result = run("curl", api.url)
    assert (result.exit_code, result.stdout) == (1, "oops\n")
    assert result.stderr.startswith("500 ")
    assert len(result.stderr.splitlines()) == 1


def test_a_redirect_is_shown_and_followed_only_when_told(run: Run, api: API) -> None:
    moved = Reply(302, b"moved\n", {"Location": "/new"})
    api.replies = [moved, moved]
    assert run("curl", api.url).stdout == "moved\n"
    assert run("curl", "-L", "-d", "a=1", api.url).stdout == "hello\n"
    assert [(got.method, got.path) for got in api.got] == [("GET", "/"), ("POST", "/"), ("GET", "/new")]
    assert "content-type" not in api.got[-1].headers
    assert "authorization" in api.got[-1].headers


def test_a_307_keeps_the_method_and_the_body(run: Run, api: API) -> None:
    api.replies = [Reply(307, b"", {"Location": "/new"})]
    assert run("curl", "-L", "-d", "a=1", api.url).exit_code == 0
    assert [(got.method, got.body) for got in api.got] == [("POST", b"a=1")] * 2


@pytest.mark.parametrize("kind", ["other port", "other host", "http"])
def test_the_token_does_not_follow_a_redirect_to_another_origin(run: Run, api: API, kind: str) -> None:
    with serving() as other:
        targets = {
            "other port": other.url,
            "other host": f"http://localhost:{api.port}/",
            "http": "http://api.example/",
        }
        api.replies = [Reply(302, b"", {"Location": targets[kind]})]
        result = run("curl", "-L", api.url)
        assert (result.exit_code, result.stdout) == (2 if kind == "http" else 1, "")
        assert "The token is not sent" in result.stderr or "the token is not sent" in result.stderr
        assert (len(api.got), other.got) == (1, [])


def test_redirects_in_a_circle_end(run: Run, api: API) -> None:
    api.replies = [Reply(302, b"", {"Location": "/again"}) for _ in range(20)]
    result = run("curl", "-L", api.url)
    assert result.exit_code == 1
    assert "redirects more than 10 times" in result.stderr
    assert len(api.got) == 11


def test_a_server_that_is_away_is_status_4_with_the_reason(run: Run) -> None:
    with serving() as away:
        pass
    result = run("curl", away.url)
    assert (result.exit_code, result.stdout) == (4, "")
    assert f"no response from http://127.0.0.1:{away.port}: connection refused" in result.stderr


def test_a_response_that_ends_too_early_is_status_4(run: Run, api: API) -> None:
    api.replies = [Reply(200, b"half", length=100)]
    result = run("curl", api.url)
    assert (result.exit_code, result.stdout) == (4, "half")
    assert "the server closed the connection" in result.stderr


def test_a_full_disk_is_a_storage_error_and_no_error_of_the_server(api: API) -> None:
    with Path("/dev/full").open("w") as full:
        done = finished("curl", "-s", api.url, stdout=full)
    assert (done.returncode, done.stderr) == (5, "doorkey: stdout cannot be written to: No space left on device\n")


def test_a_compressed_body_that_no_option_asked_for_is_written_as_it_is(run: Run, api: API) -> None:
    compressed = gzip.compress(bytes(10_000_000))
    api.replies = [Reply(200, compressed, {"Content-Encoding": "gzip"}) for _ in range(2)]
    assert run("curl", "-s", api.url).stdout_bytes == compressed
    assert run("curl", "-s", "-H", "Accept-Encoding: gzip", api.url).stdout_bytes == compressed
    assert [got.headers["accept-encoding"] for got in api.got] == ["identity", "gzip"]


def test_a_working_directory_that_was_removed_is_named_as_the_cause(api: API, tmp_path: Path) -> None:
    folder = tmp_path / "removed"
    folder.mkdir()
    start = ["sh", "-c", 'cd "$1" && rmdir "$1" && shift && exec "$@"', "sh", str(folder)]
    command = [*start, *COMMAND, "curl", "-s", "-o", "file", api.url]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr == "doorkey: file: No such file or directory\n"


def test_without_a_login_no_request_is_sent(run: Run, api: API) -> None:
    run("logout")
    assert run("curl", api.url).exit_code == 3
    assert api.got == []
