"""The page of common mistakes quotes the messages that the mistakes really cause."""

import asyncio
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from doorkey import AsyncTokenSource, ClientCredentials, OAuth2Session, TokenSource
from doorkey.auth.repeated_construction import OFTEN, Repetitions
from doorkey.login import LoginClient
from doorkey.resource import AccessTokenVerifier
from doorkey.runtime.extras import not_installed
from doorkey.testing import Provider, client

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "common-mistakes.md").read_text()
TABLES = PAGE.partition("## A login in the browser")[0]
QUOTED = [quote for row in re.findall(r"^\| (`.+?) \|", TABLES, re.M) for quote in re.findall(r"`([^`]+)`", row)]
CALLBACK = "https://app.example/cb"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider(clients=[client("shop", "its-secret", redirect_uris=[CALLBACK])]) as provider:
        yield provider


def token_of(issuer: str, client_id: str = "client-1", secret: str | None = "my-secret", scopes: Any = ()) -> None:
    with TokenSource(ClientCredentials(client_id, secret, scopes), issuer=issuer) as source:
        source.token()


def verified(provider: Provider, text: str, issuer: str = "", **options: Any) -> None:
    how: dict[str, Any] = {"audience": "orders", "profile": "keycloak", **options}
    verifier = AccessTokenVerifier(issuer or provider.issuer, **how)
    try:
        verifier.verify(text)
    finally:
        verifier.close()


def session_call(provider: Provider, **options: Any) -> None:
    with OAuth2Session("client-1", "my-secret", issuer=provider.issuer, **options) as session:
        session.get(provider.echo)


def refreshed(provider: Provider) -> None:
    with OAuth2Session("client-1", "my-secret", issuer=provider.issuer) as session:
        session.fetch_token()
        session.refresh_token()


def unawaited(provider: Provider) -> None:
    async def program() -> None:
        source: Any = AsyncTokenSource(ClientCredentials("client-1", "my-secret"), issuer=provider.issuer)
        found = source.token()
        try:
            assert found.access_token
        finally:
            found.close()

    asyncio.run(program())


def repeated(_: Provider) -> None:
    counted = Repetitions()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _number in range(OFTEN):
            counted.note(("client-1", "my-secret"))


def uninstalled(_: Provider) -> None:
    raise not_installed("requests")


def untrusted(_: Provider) -> None:
    with Provider(https=True) as https:
        token_of(https.issuer)


EXPIRED = {"access_token": "at-1", "token_type": "Bearer", "expires_at": 1}
MISTAKES: dict[str, Callable[[Provider], object]] = {
    "must be https: plain http is for loopback only": lambda _: token_of("http://sso.example.com/realms/staff"),
    "they differ by a slash at the end": lambda p: token_of(p.issuer + "/"),
    "give the issuer without its /.well-known/ suffix": lambda p: token_of(
        p.issuer + "/.well-known/openid-configuration"
    ),
    "no metadata at any well-known URL": lambda p: token_of(p.origin),
    "connection refused: no server listens": lambda _: token_of("http://127.0.0.1:9/realms/master"),
    "does it speak TLS at this port?": lambda p: token_of(p.issuer.replace("http:", "https:")),
    "its certificate is not trusted": untrusted,
    "unauthorized_client": lambda p: token_of(p.issuer, secret="another"),
    "invalid_client": lambda p: token_of(p.issuer, "unknown"),
    "the client secret is empty": lambda p: token_of(p.issuer, secret=""),
    "the request had no client secret": lambda p: token_of(p.issuer, secret=None),
    "a scope token contains a space": lambda p: token_of(p.issuer, scopes=["openid email"]),
    "invalid_scope": lambda p: token_of(p.issuer, scopes=["unknown"]),
    "is not installed: pip install": uninstalled,
    "there is no token yet": session_call,
    "the token has expired and cannot be renewed": lambda p: session_call(p, token=EXPIRED),
    "there is no refresh token": refreshed,
    "'coroutine' object has no attribute": unawaited,
    f"was constructed {OFTEN} times with equal credentials": repeated,
    "is not an issuer whose tokens this API accepts": lambda p: verified(
        p, p.token("alice", audience="orders"), "https://sso.example.com/realms/staff"
    ),
    "aud does not contain this API": lambda p: verified(p, p.token("alice", audience="invoices")),
    "typ is not that of": lambda p: verified(p, p.token("alice", audience="orders"), profile="rfc9068"),
    "this machine's clock is ahead": lambda p: verified(p, p.token("alice", audience="orders", expires_in=-900)),
    "this machine's clock is behind": lambda p: verified(
        p, p.token("alice", audience="orders"), clock=lambda: p.clock() - 900
    ),
    "give it without its scheme": lambda p: verified(p, "Bearer " + p.token("alice", audience="orders")),
}


@pytest.mark.parametrize("message", MISTAKES, ids=str)
def test_the_mistake_causes_the_message_of_the_page(provider: Provider, message: str) -> None:
    assert message in QUOTED
    with pytest.raises(Exception, match=re.escape(message)):
        MISTAKES[message](provider)


def test_each_message_of_the_page_is_caused_by_a_mistake() -> None:
    assert set(QUOTED) == set(MISTAKES)


def test_a_login_without_openid_ends_at_the_userinfo_endpoint(provider: Provider) -> None:
    login = LoginClient("shop", "its-secret", issuer=provider.issuer, redirect_uri=CALLBACK, scope="email")
    begun = login.begin()
    with pytest.raises(Exception, match="insufficient_scope"):
        login.finish(provider.log_in(begun.url, "alice"), begun.pending)
    login.close()
