"""`doorkey token`: the token alone on stdout, renewed when it has expired."""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path

import pytest

from doorkey.cli.accounts import Accounts
from doorkey.dev import Provider
from doorkey.jose.compact import unsafe_claims
from tests.cli.logins import CLIENT, REALM, SECRET, logged_in, logged_in_long_ago, refreshes
from tests.support.cli_runner import Run


def test_a_fresh_token_is_printed_alone_and_without_a_request(run: Run, home: Path, server: Provider) -> None:
    account = logged_in(home, server)
    server.requests.clear()
    result = run("token")
    assert (result.exit_code, result.stderr) == (0, "")
    with Accounts(home) as accounts:
        entry = accounts.entry(account)
    assert entry is not None
    assert result.stdout == entry.token.access_token.reveal() + "\n"
    assert len(server.requests) == 0


def test_an_expired_token_is_renewed_once_and_the_next_command_has_the_new_one(
    run: Run, home: Path, server: Provider
) -> None:
    logged_in_long_ago(home, server)
    first, second = run("token", "work"), run("token")
    assert (first.exit_code, first.stderr) == (0, "")
    assert first.stdout == second.stdout
    assert refreshes(server) == 1


def test_the_header_is_ready_for_curl(run: Run, home: Path, server: Provider) -> None:
    logged_in(home, server)
    assert run("token", "--header").stdout == f"Authorization: Bearer {run('token').stdout}"


def test_json_has_both_tokens_and_the_expiry_and_not_the_refresh_token(run: Run, home: Path, server: Provider) -> None:
    account = logged_in(home, server)
    members = json.loads(run("token", "--json").stdout)
    assert set(members) == {"access_token", "token_type", "expires_at", "expires", "scope", "id_token"}
    assert datetime.fromisoformat(members["expires"]).timestamp() == members["expires_at"]
    with Accounts(home) as accounts:
        entry = accounts.entry(account)
    assert entry is not None
    assert entry.token.refresh_token is not None
    assert entry.token.refresh_token.reveal() not in json.dumps(members)


def test_kubectl_gets_a_credential_of_the_version_it_names(run: Run, home: Path, server: Provider) -> None:
    logged_in(home, server)
    credential = json.loads(run("token", "--exec-credential").stdout)
    assert credential["apiVersion"] == "client.authentication.k8s.io/v1"
    assert credential["kind"] == "ExecCredential"
    assert credential["status"]["token"] == run("token").stdout.strip()
    assert datetime.fromisoformat(credential["status"]["expirationTimestamp"]).timestamp() > time.time()
    beta = '{"apiVersion": "client.authentication.k8s.io/v1beta1"}'
    assert json.loads(run("token", "--exec-credential", KUBERNETES_EXEC_INFO=beta).stdout)["apiVersion"].endswith(
        "v1beta1"
    )
    for other in ("[]", "{", '{"apiVersion": "evil/v9"}'):
        again = json.loads(run("token", "--exec-credential", KUBERNETES_EXEC_INFO=other).stdout)
        assert again["apiVersion"].endswith("/v1")


def test_kubectl_may_get_the_id_token_and_keeps_it_until_that_expires(run: Run, home: Path, server: Provider) -> None:
    logged_in(home, server)
    status = json.loads(run("token", "--exec-credential", "--id").stdout)["status"]
    claims = unsafe_claims(status["token"])
    assert claims["aud"] == "client-1"
    assert datetime.fromisoformat(status["expirationTimestamp"]).timestamp() == claims["exp"]


def test_an_expired_id_token_is_renewed_with_the_login(run: Run, home: Path, server: Provider) -> None:
    expired = server.id_token("alice", client_id=CLIENT, realm=REALM, expires_in=-10)
    logged_in(home, server, id_token=expired)
    printed = run("token", "--id").stdout.strip()
    assert unsafe_claims(printed)["exp"] > time.time()
    assert refreshes(server) == 1


def test_without_an_id_token_one_sentence_names_the_scope(run: Run, home: Path, server: Provider) -> None:
    logged_in(home, server, id_token=None)
    result = run("token", "--id")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "log in again with --scope 'openid …'" in result.stderr


@pytest.mark.parametrize("form", ["--header", "--json"])
def test_forms_that_exclude_each_other_are_a_usage_error(run: Run, form: str) -> None:
    assert run("token", "--id", form).exit_code == 2


def test_without_a_login_the_sentence_says_how_to_log_in_and_nothing_is_created(run: Run, home: Path) -> None:
    result = run("token")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr == "doorkey: you are not logged in: run 'doorkey login ISSUER'\n"
    assert not home.exists()


def test_an_unknown_account_names_those_that_are_there(run: Run, home: Path, server: Provider) -> None:
    logged_in(home, server, "one")
    result = run("token", "two")
    assert result.exit_code == 3
    assert result.stderr == "doorkey: there is no account 'two'; the accounts are: one\n"


def test_a_login_that_the_server_has_ended_says_how_to_log_in_again(run: Run, home: Path, server: Provider) -> None:
    logged_in(home, server, expires_at=time.time() - 60, refresh_token="another")
    for _ in range(2):
        result = run("token")
        assert (result.exit_code, result.stdout) == (3, "")
        assert "the login of the account 'work' has ended (invalid_grant" in result.stderr
        assert f"'doorkey login {server.issuer_of(REALM)} --account work'" in result.stderr
    assert refreshes(server) == 1


def test_a_login_without_a_refresh_token_ends_with_its_token(run: Run, home: Path, server: Provider) -> None:
    logged_in(home, server, expires_at=time.time() - 60, refresh_token=None)
    result = run("token")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "has ended: run 'doorkey login" in result.stderr


def test_a_server_that_is_away_is_status_4_and_the_login_is_kept(run: Run, home: Path) -> None:
    with Provider() as away:
        logged_in_long_ago(home, away)
    result = run("token")
    assert (result.exit_code, result.stdout) == (4, "")
    assert result.stderr.startswith("doorkey: ")
    assert len(result.stderr.splitlines()) == 1
    assert "work" in run("accounts").stdout


def test_debug_shows_no_secret_of_the_account(run: Run, home: Path, server: Provider) -> None:
    account = logged_in(home, server, expires_at=time.time() - 60, refresh_token="a-refresh-token-of-nobody-1")
    result = run("--debug", "token")
    assert result.exit_code == 3
    assert "Traceback" not in result.stdout
    assert "InvalidGrant" in result.stderr
    with Accounts(home) as accounts:
        entry = accounts.entry(account)
    assert entry is not None
    assert entry.token.id_token is not None
    secrets = [entry.token.access_token.reveal(), entry.token.id_token.reveal(), SECRET, "a-refresh-token-of-nobody-1"]
    assert [secret for secret in secrets if secret in result.stderr] == []
    assert run("token", "--debug").stderr.count("InvalidGrant") >= 1
