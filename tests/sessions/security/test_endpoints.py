"""Which URLs an authorization server may have: https, or http on this very machine (RFC 9700 §2.6)."""

from typing import Any

import pytest

from doorkey.errors import OAuthError, UsageError
from doorkey.protocol.metadata import ENDPOINTS
from tests.support.every_adapter import Adapter, Client
from tests.support.hostile_server import Hostile, token

UNFIT = [
    "http://as.example/token",
    "http://localhost:80@evil.example/token",
    "http://localhost@evil.example/token",
    "http://localhost.evil.example/token",
    "http://127.0.0.1.evil.example/token",
    "http://127.0.0.1@evil.example/token",
    "http://[::ffff:10.0.0.1]/token",
    "http://0x7f.1.evil.example/token",
    "https://user:password@as.example/token",
    "https://@as.example/token",
    "https://as.example\\@evil.example/token",
    "https:\\\\as.example/token",
    "https://as.example/to\nken",
    "https://as.example/to\x00ken",
    "https://as.example/to\x7fken",
    " https://as.example/token",
    "https://as.example/token#fragment",
    "https://as.example/token#",
    "ftp://as.example/token",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "//as.example/token",
    "as.example/token",
    "https://",
    "https://as.example:99999/token",
    "https://[::1/token",
]


def refusing(client: Client, call: Any) -> None:
    with pytest.raises(UsageError):
        call()
    assert client.token is None


def test_an_unfit_token_endpoint_is_refused_before_anything_is_sent(adapter: Adapter) -> None:
    client = adapter.client("c", "s")
    for url in UNFIT:
        refusing(client, lambda url=url: client.fetch_token(url))


@pytest.mark.parametrize("name", ["issuer", *ENDPOINTS])
def test_an_unfit_endpoint_is_refused_at_construction(adapter: Adapter, name: str) -> None:
    for url in UNFIT:
        with pytest.raises(UsageError):
            adapter.client(**{name: url})
        with pytest.raises(UsageError):
            adapter.client(metadata={name: url})


def test_no_browser_is_sent_to_an_unfit_endpoint(adapter: Adapter) -> None:
    client = adapter.client()
    for url in UNFIT:
        refusing(client, lambda url=url: client.create_authorization_url(url))
        refusing(client, lambda url=url: client.begin_authorization(url))


def test_an_unfit_revocation_or_introspection_endpoint_is_refused(adapter: Adapter) -> None:
    client = adapter.client()
    for url in UNFIT:
        refusing(client, lambda url=url: client.revoke_token(url, token="at"))
        refusing(client, lambda url=url: client.introspect_token(url, token="at"))


def test_the_error_does_not_quote_the_refused_url_in_full(adapter: Adapter) -> None:
    with pytest.raises(UsageError) as error:
        adapter.client(token_endpoint="ftp://as.example/" + "x" * 5000 + "\x1b")
    assert len(str(error.value)) < 300


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "LOCALHOST"])
def test_http_is_for_loopback(adapter: Adapter, hostile: Hostile, host: str) -> None:
    hostile.on("/token", token())
    assert adapter.client().fetch_token(hostile.url("/token", host=host))["access_token"] == "at-1"


def test_the_endpoints_of_an_https_issuer_are_https(adapter: Adapter) -> None:
    with pytest.raises(UsageError, match="not https"):
        adapter.client(metadata={"issuer": "https://as.example", "token_endpoint": "http://127.0.0.1/token"})


def test_metadata_never_sets_an_option_of_the_client(adapter: Adapter) -> None:
    members: dict[str, Any] = {"issuer": "https://as.example", "verify": False, "scope": "admin", "proxies": {}}
    client = adapter.client(metadata=members)
    assert client.native.scope is None
    assert getattr(client.native, "verify", True) is True


@pytest.mark.parametrize("value", [7, [], {"a": 1}, True])
def test_an_endpoint_that_is_no_text_is_refused(adapter: Adapter, value: object) -> None:
    with pytest.raises(OAuthError):
        adapter.client(metadata={"token_endpoint": value})
