"""`doorkey trace --account`: the issuer and the client of an account, and none of its tokens."""

from __future__ import annotations

import webbrowser
from base64 import b64encode
from pathlib import Path

import pytest

from doorkey.cli.accounts import Account, Accounts
from doorkey.tokens import OAuth2Token
from doorkey.values import Secret
from tests.cli.trace.provider import CLIENT, SECRET, KnownProvider
from tests.support.cli_runner import Run
from tests.support.fake_clock import real_time
from tests.support.hostile_server import Hostile

OWN = {"access_token": "own-access-token", "refresh_token": "own-refresh-token", "token_type": "Bearer"}


class Browser(webbrowser.BaseBrowser):
    """The browser of a user of the provider."""

    def __init__(self, provider: KnownProvider) -> None:
        super().__init__("test")
        self._provider = provider

    def open(self, url: str, new: int = 0, autoraise: bool = True) -> bool:
        self._provider.browse(url)
        return True


@pytest.fixture
def provider(hostile: Hostile, home: Path, monkeypatch: pytest.MonkeyPatch) -> KnownProvider:
    """A provider, of which "work" is an account."""
    provider = KnownProvider(hostile, real_time())
    monkeypatch.setattr(webbrowser, "_tryorder", ["test"])
    monkeypatch.setattr(webbrowser, "_browsers", {"test": [None, Browser(provider)]})
    account = Account("work", provider.issuer, CLIENT, "openid email", Secret(SECRET))
    with Accounts(home) as accounts:
        accounts.save(account, OAuth2Token(OWN))
    return provider


def test_a_trace_of_an_account_logs_in_as_its_client_with_its_scopes(
    run: Run, home: Path, provider: KnownProvider
) -> None:
    before = {path.name: path.read_bytes() for path in home.iterdir()}
    result = run("trace", "--account", "work", DOORKEY_CLIENT_SECRET="the-secret-of-another-client")
    assert result.exit_code == 0, result.output
    first, renewal = provider.server.token_requests
    assert (first.form["grant_type"], renewal.form["grant_type"]) == ("authorization_code", "refresh_token")
    assert first.header("authorization") == f"Basic {_basic()}"
    assert "openid email" in result.stdout
    for request in provider.server.received:
        assert "own-access-token" not in repr((request.form, request.headers))
        assert "own-refresh-token" not in repr((request.form, request.headers))
    assert not any(secret in result.stdout for secret in provider.secrets), "stderr has the URL to open"
    assert {path.name: path.read_bytes() for path in home.iterdir()} == before, "its tokens are not kept"


def test_a_trace_for_the_client_itself_has_the_secret_of_the_account(run: Run, provider: KnownProvider) -> None:
    result = run("trace", "--account", "work", "--client-credentials")
    assert result.exit_code == 0, result.output
    asked = provider.server.token_requests[0]
    assert asked.form["grant_type"] == "client_credentials"
    assert asked.header("authorization") == f"Basic {_basic()}"


def test_options_take_the_place_of_the_client_and_the_scopes_of_the_account(run: Run, provider: KnownProvider) -> None:
    options = ("--client-id", "another", "--scope", "read", "--client-credentials")
    run("trace", provider.issuer, "--account", "work", *options, DOORKEY_CLIENT_SECRET="another-secret")
    (asked,) = provider.server.token_requests
    assert asked.form["scope"] == "read"
    assert asked.header("authorization") == f"Basic {_basic('another', 'another-secret')}"


def test_an_unknown_account_is_status_3_and_nothing_is_sent(run: Run, provider: KnownProvider) -> None:
    assert run("trace", "--account", "nobody").exit_code == 3
    assert provider.server.received == []


def _basic(client_id: str = CLIENT, secret: str = SECRET) -> str:
    return b64encode(f"{client_id}:{secret}".encode()).decode()
