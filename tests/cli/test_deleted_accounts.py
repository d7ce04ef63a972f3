"""`doorkey logout --all` while another command uses the accounts: that command fails, and the next login works."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import doorkey.cli.accounts
from doorkey.cli.accounts import STORE, Account, Accounts
from doorkey.cli.errors import CommandError, ExitStatus, status_of
from doorkey.dev import Provider
from doorkey.errors import StoreError
from doorkey.stores import SQLiteStore
from tests.cli.logins import CLIENT, logged_in, logged_in_long_ago, refreshes, token_of
from tests.support.cli_runner import Run


def delete_everything(home: Path) -> None:
    with Accounts(home) as accounts:
        accounts.delete_everything()


@pytest.fixture
def account(home: Path, server: Provider) -> Account:
    found = logged_in_long_ago(home, server)
    server.requests.clear()
    return found


USES: dict[str, Callable[[Accounts, Account, Provider], object]] = {
    "a renewal": lambda accounts, account, _: accounts.fresh_token(account),
    "a login": lambda accounts, account, server: accounts.save(account, token_of(server)),
    "a choice": lambda accounts, account, _: accounts.set_default(account.name),
    "a logout": lambda accounts, account, _: accounts.remove(account),
}


@pytest.mark.parametrize("name", USES)
def test_a_command_that_has_opened_the_accounts_fails_and_makes_no_file(
    home: Path, server: Provider, account: Account, name: str
) -> None:
    with Accounts(home) as accounts:
        assert accounts.find(account.name) == account
        delete_everything(home)
        with pytest.raises((CommandError, StoreError), match="another command has deleted the accounts") as raised:
            USES[name](accounts, account, server)
    assert status_of(raised.value) == ExitStatus.STORAGE
    assert list(home.iterdir()) == []
    assert refreshes(server) == 0


@pytest.mark.parametrize("name", ["a login", "a choice"])
def test_a_command_that_is_about_to_open_them_fails_and_the_next_login_works(
    home: Path, server: Provider, account: Account, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = doorkey.cli.accounts._store_at

    def after_a_logout(path: Path) -> SQLiteStore:
        monkeypatch.undo()
        monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        delete_everything(home)
        return opened(path)

    monkeypatch.setattr(doorkey.cli.accounts, "_store_at", after_a_logout)
    with Accounts(home) as accounts, pytest.raises(CommandError, match="another command has deleted the accounts"):
        USES[name](accounts, account, server)
    with Accounts(home) as accounts:
        assert not accounts.book().accounts
        accounts.save(Account("next", account.issuer, CLIENT), token_of(server))
        assert list(accounts.book().accounts) == ["next"]


def test_a_store_that_lost_its_key_is_kept_as_long_as_it_has_a_record(run: Run, home: Path, server: Provider) -> None:
    logged_in(home, server)
    with Accounts(home) as accounts:
        accounts.remove(accounts.find(None))
    (home / "key.json").unlink()
    before = (home / STORE).read_bytes()
    assert run("token").exit_code == 5  # the list of the accounts is a record, also without an account
    assert (home / STORE).read_bytes() == before
    (home / STORE).unlink()
    SQLiteStore(home / STORE).close()
    assert run("token").exit_code == 3
    logged_in(home, server)
    assert run("token").exit_code == 0
