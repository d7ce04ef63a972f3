"""A function that gives an assertion, a subject token or client authentication may not wait for its own renewal."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from doorkey import ClientCredentials, JWTBearer, TokenExchange, TokenSource
from doorkey.credentials import Credentials
from doorkey.errors import OAuthError
from doorkey.integrations.httpx_transport import OAuthAuthorityClient
from doorkey.renewal import leader_lock
from doorkey.stores import MemoryStore
from doorkey.vault import TokenVault
from tests.support.every_source import TLS
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import Hostile, token
from tests.support.source_requests import on_token


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller that waits for itself in spite of the checks gets an error after 0.1 seconds, not after 120."""
    monkeypatch.setattr(leader_lock, "MAX_WAIT", 0.1)


class Inside:
    """A callable that wants the token by `ask`, and gives a text in the end."""

    def __init__(self) -> None:
        self.ask: Callable[[], object] = lambda: None
        self.told: list[str] = []

    def __call__(self) -> str:
        try:
            self.told.append(repr(self.ask()))
        except OAuthError as error:
            within = "during its own renewal"
            self.told.append(f"{error.code} {within}" if within in str(error) else str(error))
        return "text"

    def method(self, client: Any, method: str, uri: str, headers: Any, body: Any) -> Any:
        self()
        return uri, headers, body


OWN: dict[str, Callable[[Inside], Credentials]] = {
    "assertion": lambda inside: JWTBearer("c", "s", assertion=inside),
    "subject token": lambda inside: TokenExchange("c", "s", subject_token=inside),
    "auth method": lambda inside: ClientCredentials("c", "s", auth_methods=(inside.method,)),
}

each = pytest.mark.parametrize("credentials_of", OWN.values(), ids=OWN.keys())


@each
def test_a_source_says_at_once_that_it_is_asked_from_within(
    hostile: Hostile, credentials_of: Callable[[Inside], Credentials]
) -> None:
    inside = Inside()
    with TokenSource(credentials_of(inside), **on_token(hostile, token("a"))) as asking:
        inside.ask = asking.token
        assert asking.token().access_token.reveal() == "a"
    assert inside.told == ["usage_error during its own renewal"]


@each
def test_an_authority_says_so_too(hostile: Hostile, credentials_of: Callable[[Inside], Credentials]) -> None:
    inside = Inside()
    with httpx2.Client(verify=TLS) as http:
        authority = OAuthAuthorityClient(http, on_token(hostile, token("a")), issuer=hostile.url(""))
        credentials = credentials_of(inside)
        inside.ask = lambda: authority.get_token(credentials)
        assert authority.get_token(credentials).access_token.reveal() == "a"
    assert inside.told == ["usage_error during its own renewal"]


def test_a_vault_says_so_too_and_brings_the_tokens_of_other_keys(hostile: Hostile) -> None:
    inside, other = Inside(), Inside()
    how = on_token(hostile, token("b", refresh_token="rt-2"))
    vault = TokenVault(MemoryStore(), client_id="c", token_endpoint_auth_method=inside.method, clock=Clock(), **how)
    with vault:
        vault.save("mine", {"access_token": "a", "refresh_token": "rt-1", "expires_at": START - 1})
        vault.save("other", {"access_token": "x", "refresh_token": "rt-x", "expires_at": START + 3600})
        other.ask = vault.source("other").token
        inside.ask = lambda: (other(), vault.source("mine").token())
        assert vault.source("mine").token().access_token.reveal() == "b"
    assert inside.told == ["usage_error during its own renewal"]
    assert len(other.told) == 1
    assert other.told[0].startswith("OAuthToken(")
