"""`doorkey inspect` with an account: its token, its issuer and its client."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from pathlib import Path

import pytest

from doorkey.cli.accounts import Account, Accounts
from doorkey.dev import Provider
from doorkey.tokens import OAuth2Token
from doorkey.values import Secret
from tests.cli.inspect.tokens import signed
from tests.cli.logins import CLIENT, REALM, logged_in, logged_in_long_ago
from tests.support.cli_runner import Run
from tests.support.fake_clock import real_time
from tests.support.hostile_server import Hostile, reply
from tests.support.openid_provider import OpenIDProvider


@pytest.fixture
def introspecting(home: Path, hostile: Hostile) -> Hostile:
    """A server with an introspection endpoint, at which the account "opaque" has a token that is not a JWT."""
    provider = OpenIDProvider(hostile, real_time())
    metadata = {**provider.metadata, "introspection_endpoint": hostile.url("/introspect")}
    hostile.on("/.well-known/openid-configuration", reply(json=metadata))
    hostile.on("/introspect", reply(json={"active": True, "exp": int(time.time()) + 90}))
    with Accounts(home) as accounts:
        accounts.save(
            Account("opaque", provider.issuer, "tool", "openid", Secret("secret-of-tool")),
            OAuth2Token({"access_token": "opaque-token-1", "token_type": "Bearer", "expires_at": time.time() + 90}),
        )
    return hostile


def basic(client_id: str, secret: str) -> str:
    return f"Basic {b64encode(f'{client_id}:{secret}'.encode()).decode()}"


@pytest.mark.parametrize("arguments", [("work",), ("--account", "work"), ("work", "--account", "work")], ids=" ".join)
def test_the_token_of_an_account_is_verified_with_the_keys_of_its_issuer(
    run: Run, home: Path, server: Provider, arguments: tuple[str, ...]
) -> None:
    logged_in(home, server)
    logged_in(home, server, "second", access_token="opaque-of-another-account")
    server.requests.clear()
    result = run("inspect", "--json", *arguments)
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["signature"]["verified"] is True
    assert report["claims"]["iss"] == server.issuer_of(REALM)
    assert {one.method for one in server.requests} == {"GET"}, "the token is sent nowhere, and not renewed"


def test_the_id_token_of_an_account_is_for_its_client(run: Run, home: Path, server: Provider) -> None:
    logged_in(home, server)
    logged_in(home, server, "other", id_token=server.id_token("alice", client_id="public-native", realm=REALM))
    logged_in(home, server, "none", id_token=None)
    assert run("inspect", "work", "--type", "id").exit_code == 0
    result = run("inspect", "other", "--type", "id")
    assert result.exit_code == 1
    assert f"expected: {CLIENT}" in result.stdout
    result = run("inspect", "none", "--type", "id")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith("doorkey: the account 'none' has no ID token: ")


def test_an_expired_token_is_shown_as_it_is_stored(run: Run, home: Path, server: Provider) -> None:
    account = logged_in_long_ago(home, server)
    with Accounts(home) as accounts:
        before = accounts.entry(account)
    assert run("inspect", "work", "--offline").exit_code == 0
    with Accounts(home) as accounts:
        after = accounts.entry(account)
    assert before is not None
    assert after is not None
    assert after.version == before.version


def test_an_account_introspects_as_its_client_at_its_issuer(run: Run, introspecting: Hostile) -> None:
    result = run("inspect", "opaque", "--introspect", DOORKEY_CLIENT_SECRET="the-secret-of-another-client")
    assert result.exit_code == 0, result.output
    piped = run("inspect", "--account", "opaque", "--introspect", "-", input="opaque-token-2")
    assert piped.exit_code == 0, piped.output
    asked = introspecting.to("/introspect")
    assert [one.form["token"] for one in asked] == ["opaque-token-1", "opaque-token-2"]
    assert [one.header("authorization") for one in asked] == [basic("tool", "secret-of-tool")] * 2
    for hidden in ("opaque-token", "secret-of-tool", basic("tool", "secret-of-tool").split()[1]):
        assert hidden not in result.output + piped.output


def test_the_token_of_an_account_is_sent_to_its_issuer_only_when_told_to(run: Run, introspecting: Hostile) -> None:
    result = run("inspect", "opaque")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "--introspect with --account NAME" in result.stderr
    assert run("inspect", "opaque", "--introspect", "--offline").exit_code == 2
    assert introspecting.received == []


def test_a_client_that_is_named_asks_with_its_own_secret(run: Run, introspecting: Hostile, tmp_path: Path) -> None:
    arguments = ("inspect", "opaque", "--introspect", "--client-id")
    run(*arguments, "another", DOORKEY_CLIENT_SECRET="another-secret")
    file = tmp_path / "secret"
    file.write_text("new-secret\n")
    run(*arguments, "tool", "--client-secret-file", str(file), DOORKEY_CLIENT_SECRET="another-secret")
    run(*arguments, "another")
    asked = introspecting.to("/introspect")
    first, second, third = (one.header("authorization") for one in asked)
    assert (first, second, third) == (basic("another", "another-secret"), basic("tool", "new-secret"), None)
    assert asked[2].form["client_id"] == "another"
    assert "client_secret" not in asked[2].form


def test_another_issuer_does_not_get_the_client_of_an_account(run: Run, home: Path, server: Provider) -> None:
    logged_in(home, server)
    server.requests.clear()
    for issuer in (server.issuer_of("master"), "https://evil.example"):
        result = run("inspect", "work", "--introspect", "--issuer", issuer)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "the account 'work' belongs to the issuer http://" in result.stderr
        assert run("trace", issuer, "--account", "work", "--client-credentials").exit_code == 2
    assert len(server.requests) == 0


def test_a_token_of_the_user_is_checked_against_the_issuer_of_the_account(
    run: Run, home: Path, server: Provider
) -> None:
    logged_in(home, server)
    now = int(time.time())
    result = run("inspect", "--account", "work", "--json", "-", input=signed(exp=now + 300, iat=now))
    assert result.exit_code == 1
    assert "iss" in {problem["claim"] for problem in json.loads(result.stdout)["problems"]}


def test_a_text_that_is_no_account_is_taken_for_a_token(run: Run, home: Path, server: Provider) -> None:
    logged_in(home, server)
    result = run("inspect", "word")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "this is neither a JWT nor the name of an account" in result.stderr
    assert run("inspect", "word", "--account", "nobody").exit_code == 3


def test_the_store_is_not_opened_for_a_token(run: Run, home: Path, server: Provider) -> None:
    logged_in(home, server)
    (home / "key.json").unlink()
    now = int(time.time())
    assert run("inspect", "--offline", signed(exp=now + 300, iat=now)).exit_code == 0
    assert run("inspect", "--offline", input=signed(exp=now + 300, iat=now)).exit_code == 0
    assert run("inspect", "work").exit_code == 5
