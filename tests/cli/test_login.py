"""`doorkey login`: from the issuer's URL to an account with tokens, and nothing that stays after a failure."""

from __future__ import annotations

import json
import webbrowser
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from doorkey.cli.accounts import Account, Book
from doorkey.cli.logins import account_name, issuer_url
from doorkey.dev import Provider
from doorkey.jose.compact import unsafe_claims
from tests.cli.browsers import LogsInAtOnce
from tests.cli.logins import REALM
from tests.support.api_server import Reply, serving
from tests.support.cli_runner import Run

CLIENT = "public-native"


def install(browser: LogsInAtOnce, monkeypatch: pytest.MonkeyPatch) -> LogsInAtOnce:
    """Make `browser` the one that Python's `webbrowser` opens."""
    monkeypatch.setattr(webbrowser, "_tryorder", ["test"])
    monkeypatch.setattr(webbrowser, "_browsers", {"test": [None, browser]})
    return browser


class Refuses(LogsInAtOnce):
    """A browser whose user does not let the program log in."""

    def callback(self, url: str) -> str:
        query = parse_qs(urlsplit(url).query)
        issuer = quote(self._provider.issuer_of(REALM), safe="")
        return f"{query['redirect_uri'][0]}?error=access_denied&state={query['state'][0]}&iss={issuer}"


@pytest.fixture
def browser(server: Provider, monkeypatch: pytest.MonkeyPatch) -> LogsInAtOnce:
    return install(LogsInAtOnce(server), monkeypatch)


def test_a_login_in_the_browser_becomes_an_account(
    run: Run, home: Path, server: Provider, browser: LogsInAtOnce
) -> None:
    issuer = server.issuer_of(REALM)
    result = run("login", issuer, "--browser", "--client-id", CLIENT, "--account", "work")
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"  {browser.opened[0]}\n" in result.stderr
    assert "The account is 'work'.\n'doorkey token work' prints its token.\n" in result.stderr
    assert unsafe_claims(run("token", "--id").stdout.strip())["aud"] == CLIENT
    assert run("accounts").stdout == f"* work  {issuer}  {CLIENT}\n"
    (query,) = [parse_qs(urlsplit(browser.opened[0]).query)]
    assert query["code_challenge_method"] == ["S256"]
    assert query["scope"] == ["openid"]


def test_a_second_login_uses_the_client_and_the_scopes_again(
    run: Run, home: Path, server: Provider, browser: LogsInAtOnce
) -> None:
    issuer = server.issuer_of(REALM)
    assert run("login", issuer, "--browser", "--client-id", CLIENT, "--scope", "openid email").exit_code == 0
    host = urlsplit(issuer).netloc
    assert run("accounts").stdout == f"* {host}  {issuer}  {CLIENT}\n"
    assert run("login", issuer, "--browser").exit_code == 0
    assert parse_qs(urlsplit(browser.opened[1]).query)["scope"] == ["openid email"]
    assert run("accounts").stdout.count("\n") == 1


def test_without_a_client_and_without_registration_the_sentence_says_what_to_register(run: Run, home: Path) -> None:
    with serving() as api:
        endpoints = {"authorization_endpoint": f"{api.url}/a", "token_endpoint": f"{api.url}/t"}
        document = {"issuer": api.url, "jwks_uri": f"{api.url}/k", "response_types_supported": ["code"], **endpoints}
        api.replies = [Reply(200, json.dumps(document).encode(), {"Content-Type": "application/json"})]
        result = run("login", api.url)
    assert result.exit_code == 2
    assert result.stderr == (
        f"doorkey: {api.url} does not let programs register themselves: register a public client there, with the "
        "redirect URI http://127.0.0.1/callback, and name it with --client-id\n"
    )
    assert not home.exists()


def test_a_server_that_is_away_is_status_4_and_leaves_nothing(run: Run, home: Path) -> None:
    with serving() as away:
        pass
    result = run("login", away.url, "--client-id", CLIENT, "--no-browser")
    assert (result.exit_code, result.stdout) == (4, "")
    assert len(result.stderr.splitlines()) == 1
    assert not home.exists()


def test_a_user_who_refuses_is_told_so_and_nothing_is_saved(
    run: Run, home: Path, server: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(Refuses(server), monkeypatch)
    result = run("login", server.issuer_of(REALM), "--browser", "--client-id", CLIENT)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "Traceback" not in result.stderr
    assert not home.exists()


def test_a_login_that_takes_too_long_is_status_1(run: Run, home: Path, server: Provider) -> None:
    result = run("login", server.issuer_of(REALM), "--client-id", CLIENT, "--no-browser", "--timeout", "1")
    assert result.exit_code == 1
    assert "No response came from the browser within 1 s." in result.stderr
    assert not home.exists()


def test_a_confidential_client_reads_its_secret_from_stdin(
    run: Run, home: Path, server: Provider, browser: LogsInAtOnce
) -> None:
    issuer = server.issuer_of(REALM)
    arguments = ("login", issuer, "--browser", "--client-id", "client-1", "--client-secret-stdin")
    assert run(*arguments, input="my-secret\n").exit_code == 0
    assert unsafe_claims(run("token", "--id").stdout.strip())["aud"] == "client-1"
    assert run("login", issuer, "--browser").exit_code == 0  # the secret is in the account
    assert run(*arguments, input="").exit_code == 2
    assert run("login", issuer, "--client-secret-stdin", input="x").exit_code == 2


def test_a_home_that_cannot_be_written_to_ends_the_command_before_the_login(
    run: Run, home: Path, server: Provider, browser: LogsInAtOnce
) -> None:
    home.parent.joinpath("doorkey").write_text("a file where the directory should be")
    result = run("login", server.issuer_of(REALM), "--browser", "--client-id", CLIENT)
    assert (result.exit_code, len(result.stderr.splitlines())) == (5, 1)
    assert browser.opened == []


def test_a_home_that_every_user_can_write_to_ends_the_command_before_the_login(
    run: Run, home: Path, server: Provider, browser: LogsInAtOnce
) -> None:
    home.mkdir()
    home.chmod(0o1777)
    result = run("login", server.issuer_of(REALM), "--browser", "--client-id", CLIENT)
    assert result.exit_code == 5
    assert "other users can write to the directory" in result.stderr
    assert browser.opened == []


@pytest.mark.parametrize(
    ("given", "issuer"),
    [
        ("https://as.example/realms/one", "https://as.example/realms/one"),
        ("as.example", "https://as.example"),
        ("localhost:8080/realms/one", "http://localhost:8080/realms/one"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("localhost.evil", "https://localhost.evil"),
    ],
)
def test_an_issuer_without_a_scheme_is_https_except_on_this_machine(given: str, issuer: str) -> None:
    assert issuer_url(given) == issuer


def test_an_account_is_named_after_the_host_of_its_issuer() -> None:
    one = Account("as.example", "https://as.example/realms/one", "c")
    assert account_name(Book({}), one.issuer) == "as.example"
    assert account_name(Book({one.name: one}), one.issuer) == "as.example"
    assert account_name(Book({one.name: one}), "https://as.example/realms/two") == "as.example/realms/two"


@pytest.mark.parametrize(
    "issuers",
    [
        ("https://as.example", "http://as.example", "https://user@as.example"),
        tuple(f"https://as.example/{'a' * 70}/{number}" for number in range(12)),
        tuple(f"https://{'a' * 63}.{'b' * 63}.{number}.example" for number in range(12)),
    ],
    ids=["schemes", "long paths", "long hosts"],
)
def test_a_login_at_another_issuer_never_gets_the_name_of_an_account(issuers: tuple[str, ...]) -> None:
    """It would replace that account, and its tokens would be lost."""
    book = Book({})
    for issuer in issuers:
        name = account_name(book, issuer)
        assert name not in book.accounts
        assert 0 < len(name) <= 64
        book = book.with_account(Account(name, issuer, CLIENT))
        assert account_name(book, issuer) == name


@pytest.mark.parametrize("name", ["", "a b", "-x", "x" * 65, "a\tb"])
def test_a_name_that_is_none_is_a_usage_error(run: Run, name: str) -> None:
    assert run("login", "https://as.example", f"--account={name}").exit_code == 2


def test_without_a_client_one_is_registered_and_used_again(
    run: Run, home: Path, server: Provider, browser: LogsInAtOnce
) -> None:
    issuer = server.issuer_of(REALM)
    assert run("login", issuer, "--browser", "--account", "work").exit_code == 0
    registered = run("accounts").stdout.split()[-1]
    assert registered == unsafe_claims(run("token", "--id").stdout.strip())["aud"]
    assert run("login", issuer, "--browser", "--account", "work").exit_code == 0
    assert run("accounts").stdout.split()[-1] == registered


def test_a_client_that_was_registered_for_a_failed_login_is_deleted(
    run: Run, home: Path, server: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(Refuses(server), monkeypatch)
    result = run("login", server.issuer_of(REALM), "--browser")
    assert result.exit_code == 1
    calls = [(one.method, one.status) for one in server.requests if "clients-registrations" in one.path]
    assert calls == [("POST", 201), ("DELETE", 204)]
    assert not home.exists()


def test_a_server_that_registers_only_with_a_token_says_what_to_register(run: Run, home: Path) -> None:
    with Provider(initial_access_token="for-developers-only") as strict:
        result = run("login", strict.issuer, "--browser")
    assert result.exit_code == 1
    assert "refuses to register a client (" in result.stderr
    assert "name it with --client-id" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not home.exists()


def test_ways_that_exclude_each_other_are_a_usage_error(run: Run) -> None:
    assert run("login", "https://as.example", "--no-browser", "--device").exit_code == 2
