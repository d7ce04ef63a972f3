"""The client that `doorkey login` registers for itself: it is deleted at the server when its account ends."""

from __future__ import annotations

import webbrowser
from pathlib import Path
from typing import Any

import pytest

from doorkey.cli.accounts import Account, Accounts
from doorkey.dev import Provider
from doorkey.values import Secret
from tests.cli.browsers import LogsInAtOnce
from tests.cli.logins import REALM, token_of
from tests.support.cli_runner import Run


@pytest.fixture
def registering(run: Run, home: Path, server: Provider, monkeypatch: pytest.MonkeyPatch) -> Provider:
    """A provider at which the account "work" has a client that its login has registered."""
    monkeypatch.setattr(webbrowser, "_tryorder", ["test"])
    monkeypatch.setattr(webbrowser, "_browsers", {"test": [None, LogsInAtOnce(server)]})
    log_in(run, server, "work")
    server.requests.clear()
    return server


def log_in(run: Run, server: Provider, name: str, *options: str) -> None:
    result = run("login", server.issuer_of(REALM), "--browser", "--account", name, *options)
    assert result.exit_code == 0, result.output


def client_of(home: Path, name: str) -> Account:
    with Accounts(home) as accounts:
        return accounts.find(name)


def registrations(server: Provider) -> list[tuple[str, int]]:
    """The requests about registered clients since the last login of the fixture."""
    return [(one.method, one.status) for one in server.requests if "clients-registrations" in one.path]


@pytest.mark.parametrize("options", [(), ("--revoke",), ("--all",), ("--all", "--revoke")], ids=" ".join)
def test_a_logout_deletes_the_registered_client(run: Run, registering: Provider, options: tuple[str, ...]) -> None:
    result = run("logout", *options)
    assert result.exit_code == 0, result.output
    assert registrations(registering) == [("DELETE", 204)]
    assert len(result.stderr.splitlines()) == 1


def test_a_client_that_the_user_named_is_not_deleted(run: Run, registering: Provider) -> None:
    log_in(run, registering, "second", "--client-id", "public-native")
    assert run("logout", "second").exit_code == 0
    assert registrations(registering) == []


def test_a_client_that_another_account_uses_is_deleted_with_the_last_of_them(
    run: Run, home: Path, registering: Provider
) -> None:
    log_in(run, registering, "second", "--client-id", client_of(home, "work").client_id)
    assert run("logout", "work").exit_code == 0
    assert registrations(registering) == []
    assert run("token", "second").exit_code == 0


def test_a_second_login_keeps_the_client_also_if_it_is_named(run: Run, home: Path, registering: Provider) -> None:
    first = client_of(home, "work")
    log_in(run, registering, "work")
    log_in(run, registering, "work", "--client-id", first.client_id)
    assert client_of(home, "work").registration_uri == first.registration_uri
    assert registrations(registering) == []
    assert run("logout").exit_code == 0
    assert registrations(registering) == [("DELETE", 204)]


def test_a_login_with_another_client_deletes_the_registered_one(run: Run, registering: Provider) -> None:
    log_in(run, registering, "work", "--client-id", "public-native")
    assert registrations(registering) == [("DELETE", 204)]
    assert run("logout").exit_code == 0
    assert registrations(registering) == [("DELETE", 204)]


@pytest.mark.parametrize("options", [(), ("--all",)], ids=" ".join)
def test_a_deletion_that_fails_is_a_message_and_the_logout_goes_on(
    run: Run, home: Path, server: Provider, options: tuple[str, ...]
) -> None:
    with Provider() as away:
        uri = f"{away.issuer}/clients-registrations/openid-connect/tool-1"
        account = Account(
            "work", away.issuer, "tool-1", registration_uri=uri, registration_token=Secret("registration-token-1")
        )
    with Accounts(home) as accounts:
        accounts.save(account, token_of(server))
    result = run("logout", *options)
    assert result.exit_code == 0
    first, second = result.stderr.splitlines()
    assert first.startswith("Logged out of ")
    assert second.startswith("The client tool-1, which the login registered, could not be deleted: ")
    assert "registration-token-1" not in result.output
    assert run("accounts").stdout == ""


def test_the_token_of_the_registration_is_sent_to_no_plain_http_host(run: Run, home: Path, server: Provider) -> None:
    uri = "http://as.example/clients/tool-1"
    account = Account(
        "work", server.issuer, "tool-1", registration_uri=uri, registration_token=Secret("registration-token-1")
    )
    with Accounts(home) as accounts:
        accounts.save(account, token_of(server))
    result = run("logout")
    assert result.exit_code == 0
    assert "could not be deleted: " in result.stderr
    assert "https" in result.stderr


def test_an_account_of_a_store_without_registrations_opens() -> None:
    members: dict[str, Any] = {"issuer": "https://as.example", "client_id": "c", "scope": "", "token_key": "token:1"}
    assert Account.of("work", members) == Account("work", "https://as.example", "c", token_key="token:1")
    account = Account("work", "https://as.example", "c", registration_uri="u", registration_token=Secret("t"))
    assert Account.of("work", account.members()) == account
