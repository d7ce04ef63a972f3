"""The accounts: named, encrypted, changed by several commands at a time, and never lost."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from doorkey.cli.accounts import RECORD, STORE, Account, Accounts, Book
from doorkey.cli.errors import CommandError, ExitStatus
from doorkey.dev import Provider
from doorkey.errors import RecordError
from doorkey.stores import SQLiteStore
from tests.cli.logins import SECRET, logged_in, refreshes, token_of
from tests.support.api_server import Reply, serving
from tests.support.cli_runner import Run


def test_the_first_account_is_the_default_until_another_is_chosen(run: Run, home: Path, server: Provider) -> None:
    logged_in(home, server, "one")
    logged_in(home, server, "second")
    issuer = server.issuer_of("rotating")
    assert run("accounts").stdout == f"* one     {issuer}  client-1\n  second  {issuer}  client-1\n"
    assert run("accounts", "--default", "second").stdout.startswith("  one")
    assert "second" in run("status").stdout
    assert run("accounts", "--default", "third").exit_code == 3


def test_no_secret_is_in_a_file_in_plain_text(home: Path, server: Provider) -> None:
    account = logged_in(home, server)
    with Accounts(home) as accounts:
        entry = accounts.entry(account)
    assert entry is not None
    assert entry.token.refresh_token is not None
    told = [entry.token.access_token.reveal(), entry.token.refresh_token.reveal(), SECRET, account.issuer]
    for path in home.iterdir():
        content = path.read_bytes()
        assert [secret for secret in told if secret.encode() in content] == []
        assert path.stat().st_mode & 0o077 == 0


def test_status_shows_what_is_known_without_a_request(run: Run, home: Path, server: Provider) -> None:
    logged_in(home, server, expires_at=time.time() + 299)
    server.requests.clear()
    result = run("status")
    assert (result.exit_code, result.stderr) == (0, "")
    facts = {line[:13].strip(): line[14:] for line in result.stdout.splitlines()}
    assert facts == {
        "account": "work",
        "issuer": server.issuer_of("rotating"),
        "client": "client-1",
        "scope": facts["scope"],
        "token expires": "in 4 minutes",
        "refreshable": "yes",
        "ID token": "yes",
        "logged in": "yes",
        "store key in": str(home / "key.json"),
    }
    assert "openid" in facts["scope"].split()
    assert len(server.requests) == 0


def test_status_as_json_has_the_same_facts(run: Run, home: Path, server: Provider) -> None:
    logged_in(home, server, refresh_token=None, expires_at=time.time() - 7200)
    result = run("status", "--json")
    facts = json.loads(result.stdout)
    assert result.exit_code == 3
    assert facts["token_expires"] == "2 hours ago"
    assert (facts["refreshable"], facts["logged_in"]) == (False, False)


def test_a_login_that_has_ended_is_shown_and_is_status_3(run: Run, home: Path, server: Provider) -> None:
    logged_in(home, server, refresh_token="another", expires_at=time.time() - 1)
    assert run("token").exit_code == 3
    result = run("status")
    assert result.exit_code == 3
    assert "logged in     no" in result.stdout


def test_a_new_login_replaces_the_tokens_of_its_account_and_keeps_the_default(home: Path, server: Provider) -> None:
    before = logged_in(home, server, "one")
    logged_in(home, server, "two")
    after = logged_in(home, server, "one")
    with Accounts(home) as accounts:
        assert accounts.entry(before) is None
        assert accounts.entry(after) is not None
        assert (list(accounts.book().accounts), accounts.book().default) == (["one", "two"], "one")


def test_two_commands_that_change_the_accounts_together_lose_no_account(home: Path, server: Provider) -> None:
    logged_in(home, server, "one")
    with Accounts(home) as slower:
        book = slower._load

        def meanwhile() -> tuple[Book, int]:
            found = book()
            slower._load = book  # type: ignore[method-assign]
            logged_in(home, server, "two")  # another command, between this one's read and its commit
            return found

        slower._load = meanwhile  # type: ignore[method-assign]
        one = Account("three", server.issuer_of("rotating"), "client-1")
        slower._change(lambda found: found.with_account(one))
        assert list(slower.book().accounts) == ["one", "two", "three"]


def test_logout_deletes_the_token_and_the_next_account_becomes_the_default(
    run: Run, home: Path, server: Provider
) -> None:
    account = logged_in(home, server, "one")
    logged_in(home, server, "two")
    result = run("logout")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "Logged out of one.\n")
    with Accounts(home) as accounts:
        assert accounts.entry(account) is None
        assert accounts.book().default == "two"


def test_logout_can_revoke_the_tokens_first(run: Run, home: Path, server: Provider) -> None:
    logged_in(home, server)
    server.requests.clear()
    assert run("logout", "--revoke").exit_code == 0
    assert [request.status for request in server.requests.to("/revoke")] == [200]
    assert run("accounts").stdout == ""


def test_logout_can_print_the_logout_page_of_the_server_which_has_no_token_in_its_url(
    run: Run, home: Path, server: Provider
) -> None:
    logged_in(home, server)
    result = run("logout", "--end-session")
    assert (result.exit_code, result.stdout) == (0, "")
    url = next(line.strip() for line in result.stderr.splitlines() if "http" in line)
    assert url == f"{server.issuer_of('rotating')}/protocol/openid-connect/logout?client_id=client-1"
    assert server.browser().open(url).status == 200
    assert run("logout", "--end-session", "--all").exit_code == 2


def test_logout_says_what_the_server_does_not_offer(run: Run, home: Path, server: Provider) -> None:
    with serving() as api:
        document = {"issuer": api.url, "jwks_uri": f"{api.url}/k", "response_types_supported": ["code"]}
        document |= {"authorization_endpoint": f"{api.url}/a", "token_endpoint": f"{api.url}/t"}
        reply = Reply(200, json.dumps(document).encode(), {"Content-Type": "application/json"})
        api.replies = [reply, reply]
        with Accounts(home) as accounts:
            accounts.save(Account("work", api.url, "client-1"), token_of(server))
        result = run("logout", "--revoke", "--end-session")
    assert result.exit_code == 0
    assert "offers no revocation (RFC 7009): its tokens are only deleted here." in result.stderr
    assert "has no logout page (OpenID Connect RP-Initiated Logout)." in result.stderr
    assert run("accounts").stdout == ""


def test_logout_keeps_the_account_if_the_revocation_fails(run: Run, home: Path) -> None:
    with Provider() as away:
        logged_in(home, away)
    result = run("logout", "--revoke")
    assert result.exit_code == 4
    assert "work" in run("accounts").stdout
    assert run("logout").exit_code == 0


def test_logout_of_all_deletes_the_store_and_its_key(run: Run, home: Path, server: Provider) -> None:
    logged_in(home, server, "one")
    logged_in(home, server, "two")
    server.requests.clear()
    assert run("logout", "--all", "--revoke").stderr == "Logged out of every account.\n"
    assert len(server.requests.to("/revoke")) == 2
    assert list(home.iterdir()) == []
    assert run("logout", "--all", "one").exit_code == 2
    assert run("logout").exit_code == 3


def test_a_store_without_its_key_is_not_overwritten_and_can_be_deleted(run: Run, home: Path, server: Provider) -> None:
    logged_in(home, server)
    (home / "key.json").unlink()
    before = (home / STORE).read_bytes()
    for command in (("token",), ("accounts",), ("status",), ("logout",)):
        result = run(*command)
        assert result.exit_code == 5
        assert "the key of the token store is missing" in result.stderr
    assert (home / STORE).read_bytes() == before
    assert run("logout", "--all").exit_code == 0
    assert list(home.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0 no", b"x" * 100], ids=["empty", "damaged", "foreign"])
def test_a_store_that_is_no_store_is_not_overwritten(run: Run, home: Path, server: Provider, content: bytes) -> None:
    logged_in(home, server)
    (home / STORE).write_bytes(content)
    result = run("token")
    assert (result.exit_code, result.stdout) == (5, "")
    assert len(result.stderr.splitlines()) == 1
    assert (home / STORE).read_bytes() == content


def test_a_changed_record_of_the_accounts_does_not_open(run: Run, home: Path, server: Provider) -> None:
    logged_in(home, server)
    store = SQLiteStore(home / STORE)
    record = store.load(RECORD)
    assert record is not None
    store.commit(RECORD, record.data[:-1] + bytes([record.data[-1] ^ 1]), expected=record.version)
    store.close()
    result = run("token")
    assert result.exit_code == 5
    assert "cannot be decrypted" in result.stderr


SHAPES = [
    b"no JSON",
    b"{}",
    b'{"version": 1, "default": 1, "accounts": {}}',
    b'{"version": 1, "default": null, "accounts": []}',
    b'{"version": 1, "default": null, "accounts": {"one": {}}}',
]


@pytest.mark.parametrize("data", SHAPES, ids=range(len(SHAPES)))
def test_a_record_of_another_shape_is_a_record_error(data: bytes) -> None:
    with pytest.raises(RecordError, match="of the accounts"):
        Book.unpacked(data)


def test_a_record_of_a_newer_version_asks_for_an_upgrade() -> None:
    with pytest.raises(RecordError, match="newer version of doorkey: upgrade doorkey"):
        Book.unpacked(b'{"version": 2}')


def test_a_store_error_is_a_sentence_with_the_storage_status(home: Path) -> None:
    home.parent.joinpath("doorkey").write_text("a file where the directory should be")
    with Accounts(home) as accounts, pytest.raises(CommandError) as caught:
        accounts.prepare()
    assert caught.value.status == ExitStatus.STORAGE


def test_a_renewal_of_the_command_is_seen_by_the_next(run: Run, home: Path, server: Provider) -> None:
    logged_in(home, server, expires_at=time.time() - 1)
    assert len({run("token").stdout for _ in range(3)}) == 1
    assert refreshes(server) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
@pytest.mark.parametrize("name", [STORE, "key.json"])
def test_a_file_of_another_user_is_rejected_and_left_as_it_is(
    run: Run, home: Path, server: Provider, name: str
) -> None:
    logged_in(home, server)
    os.chown(home / name, 65534, 65534)
    before = (home / name).read_bytes()
    result = run("token")
    assert (result.exit_code, result.stdout) == (5, "")
    assert "belongs to another user" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert (home / name).read_bytes() == before


def test_a_store_of_a_newer_version_is_left_as_it_is(run: Run, home: Path, server: Provider) -> None:
    logged_in(home, server)
    with closing(sqlite3.connect(home / STORE, isolation_level=None)) as db:
        db.execute("PRAGMA user_version = 99")
    result = run("token")
    assert (result.exit_code, result.stdout) == (5, "")
    assert "was written by a newer version of doorkey; it was left as it is" in result.stderr
    with closing(sqlite3.connect(home / STORE)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (99,)
        assert db.execute("SELECT count(*) FROM record").fetchone()[0] >= 2
