"""Typical programs with a session: what comes back has the type that the documents promise."""

from collections.abc import Mapping
from typing import Any, assert_type

import httpx2
import requests

import doorkey
from doorkey import AuthorizationTransaction, OAuth2Token, ServerMetadata
from doorkey.credentials import ClientCredentials
from doorkey.integrations.httpx_client import AssertionClient, AsyncAssertionClient, AsyncOAuth2Client, OAuth2Client
from doorkey.integrations.requests_client import AssertionSession, OAuth2Auth, OAuth2Session
from doorkey.oauth2.rfc7523 import PrivateKeyJWT
from doorkey.oidc.core import IDToken, UserInfo
from doorkey.oidc.logout import FrontChannelLogout, LogoutToken
from doorkey.protocol.introspection import Introspection
from doorkey.tokens import OAuthToken
from doorkey.vault import AsyncTokenVault, TokenVault

TOKEN_URL = "https://as.example/token"


def save(token: OAuth2Token, refresh_token: str | None = None, access_token: str | None = None) -> None:
    assert_type(token.access_token, str)
    assert_type(token.refresh_token, str | None)
    assert_type(token.expires_at, int | None)
    assert_type(token.scope, str | None)
    assert_type(token.is_expired(60), bool)
    assert_type(token["expires_in"], Any)


async def save_later(token: OAuth2Token, refresh_token: str | None = None, access_token: str | None = None) -> None:
    save(token, refresh_token, access_token)


def save_and_say(token: OAuth2Token, refresh_token: str | None = None, access_token: str | None = None) -> bool:
    return token.refresh_token != refresh_token


async def save_and_say_later(token: OAuth2Token, **replaced: str) -> int:
    return len(replaced)


def mend(response: requests.Response) -> requests.Response:
    return response


def on_requests() -> requests.Response:
    session = OAuth2Session(
        "id",
        "secret",
        scope=["openid", "email"],
        redirect_uri="https://client.example/cb",
        update_token=save,
        leeway=30,
        default_timeout=(3.05, 27),
        token_endpoint=TOKEN_URL,
    )
    assert_type(session.fetch_token(), OAuth2Token)
    assert_type(session.fetch_token(TOKEN_URL, username="u", password="p"), OAuth2Token)
    assert_type(session.fetch_access_token(TOKEN_URL, code="c"), OAuth2Token)
    assert_type(session.refresh_token(), OAuth2Token)
    assert_type(session.ensure_active_token(), bool)
    assert_type(session.introspect_token(), Introspection)
    assert_type(session.introspect_token().active, bool)
    assert_type(session.verify_id_token(), IDToken)
    assert_type(session.userinfo(sub="a"), UserInfo)
    assert_type(session.verify_logout_token("h.p.s", first_use=lambda name, until: True), LogoutToken)
    assert_type(session.parse_frontchannel_logout({"iss": "i", "sid": "s"}), FrontChannelLogout)
    assert_type(session.create_logout_url(post_logout_redirect_uri="https://rp.example"), tuple[str, str | None])
    assert_type(session.fetch_token().id_token_claims, Mapping[str, Any] | None)
    assert_type(session.token, OAuth2Token | None)
    assert_type(session.create_authorization_url("https://as.example/auth"), tuple[str, str])
    session.register_client_auth_method(PrivateKeyJWT(TOKEN_URL))
    session.register_compliance_hook("access_token_response", mend)
    assert_type(session.revoke_token(), requests.Response)
    with session:
        requests.get("https://api.example/", auth=OAuth2Auth(session), timeout=5)
        assert_type(session.get("https://api.example/"), requests.Response)
        session.post("https://api.example/", {"a": "b"}, timeout=5, withhold_token=True)
        session.get("https://api.example/", time_out=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        return session.request("GET", "https://api.example/", withhold_token=True)


def with_a_login(session: OAuth2Session, came_back_to: str) -> str:
    transaction = session.begin_authorization("https://as.example/auth", prompt="login")
    assert_type(transaction, AuthorizationTransaction)
    stored: str = transaction.to_json()
    restored = AuthorizationTransaction.from_json(stored)
    token = session.fetch_token(TOKEN_URL, authorization_response=came_back_to, transaction=restored)
    return token.access_token


def on_httpx2() -> None:
    with OAuth2Client("id", "secret", token_endpoint=TOKEN_URL, update_token=save, timeout=5) as client:
        assert_type(client.fetch_token(), OAuth2Token)
        assert_type(client.refresh_token(TOKEN_URL, "rt"), OAuth2Token)
        assert_type(client.ensure_active_token(), bool)
        assert_type(client.get("https://api.example/"), httpx2.Response)
        assert_type(client.request("GET", "https://api.example/", withhold_token=True), httpx2.Response)
        assert_type(client.request("GET", "https://api.example/", True), httpx2.Response)  # noqa: FBT003
        assert_type(client.revoke_token(), httpx2.Response)
        with client.stream("GET", "https://api.example/") as answer:
            assert_type(answer, httpx2.Response)


async def on_async_httpx2() -> None:
    async with AsyncOAuth2Client("id", "secret", token_endpoint=TOKEN_URL, update_token=save_later) as client:
        assert_type(await client.fetch_token(), OAuth2Token)
        assert_type(await client.fetch_token(TOKEN_URL, grant_type="client_credentials"), OAuth2Token)
        assert_type(await client.refresh_token(), OAuth2Token)
        assert_type(await client.ensure_active_token(), bool)
        assert_type(await client.introspect_token(token="at"), Introspection)
        assert_type(await client.get("https://api.example/"), httpx2.Response)
        assert_type(client.token, OAuth2Token | None)
        assert_type(await client.revoke_token(), httpx2.Response)
        async with client.stream("GET", "https://api.example/", withhold_token=True) as answer:
            assert_type(answer, httpx2.Response)
            async for chunk in answer.aiter_bytes():
                assert_type(chunk, bytes)


def with_options_of_every_kind() -> None:
    OAuth2Session("id", scope={"openid"}, update_token=save_and_say, verify="ca.pem", max_redirects=3)
    OAuth2Session("id", scope=frozenset({"openid"}), update_token=save)
    OAuth2Client("id", scope=("openid", "email"), update_token=save_and_say)
    AsyncOAuth2Client("id", scope={"openid"}, update_token=save_and_say_later)
    AssertionSession("https://as.example/token", "issuer", key="PEM", header={"alg": "RS256"}, scope={"read"})
    AsyncAssertionClient(token_url="https://as.example/token", issuer="issuer", key="PEM", alg="ES256", timeout=5)


def with_options_that_are_declared() -> None:
    OAuth2Session(
        "id", issuer="https://as.example", grant_type="client_credentials", prompt="login", proxies={"https": "p"}
    )
    OAuth2Client("id", state="s", headers={"X-Api": "yes"}, transport=httpx2.MockTransport(answer), max_age=300)
    AsyncOAuth2Client("id", transport=httpx2.AsyncHTTPTransport(), metadata={"token_endpoint": TOKEN_URL})
    AssertionSession(TOKEN_URL, "issuer", key="PEM", expires_in=300, client_id="id", verify=False)
    AssertionClient(TOKEN_URL, "issuer", key="PEM", issued_at=1.5, base_url="https://api.example")
    OAuth2Session("id", tokn_endpoint=TOKEN_URL)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    OAuth2Session("id", issuer=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    OAuth2Client("id", timeouts=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    AsyncOAuth2Client("id", transport=httpx2.HTTPTransport())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AssertionSession(TOKEN_URL, "issuer", kye="PEM")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def answer(request: httpx2.Request) -> httpx2.Response:
    return httpx2.Response(200)


async def with_the_librarys_own_parameters(client: OAuth2Client, another: AsyncOAuth2Client) -> None:
    client.get("https://api.example/", params={"a": 1}, headers={"X-A": "b"}, timeout=5, withhold_token=True)
    client.post("https://api.example/", json={"a": 1}, follow_redirects=True)
    await another.put("https://api.example/", content=b"a", withhold_token=True)
    client.get("https://api.example/", parms={})  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.get("https://api.example/", json={})  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await another.post("https://api.example/", jsn={})  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def with_the_parameters_of_request(
    session: OAuth2Session, client: OAuth2Client, another: AsyncOAuth2Client, account: AssertionSession
) -> None:
    url = "https://api.example/"
    assert_type(session.request("POST", url, {"a": "b"}, json={"c": 1}, withhold_token=True), requests.Response)
    assert_type(session.request("GET", url, True, ("u", "p")), requests.Response)  # noqa: FBT003
    assert_type(account.request("GET", url, stream=True, timeout=(3, 5)), requests.Response)
    assert_type(client.request("POST", url, json={"a": 1}, headers={"X-A": "b"}), httpx2.Response)
    assert_type(await another.request("POST", url, content=b"a", withhold_token=True), httpx2.Response)
    session.request("GET", url, withold_token=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    account.request("GET", url, time_out=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.request("GET", url, withold_token=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.stream("GET", url, withold_token=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await another.request("GET", url, withold_token=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    another.stream("GET", url, withold_token=True)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def with_every_response_type(session: OAuth2Session, came_back_to: str, posted: dict[str, str]) -> str | None:
    response = session.parse_authorization_response(came_back_to)
    assert_type(response.id_token, str | None)
    session.fetch_token(authorization_response=posted)
    session.fetch_token(authorization_response=response)
    return response.code


def with_options_that_are_assigned(session: OAuth2Session, client: OAuth2Client, another: AsyncOAuth2Client) -> None:
    session.update_token = save_and_say
    another.update_token = save_later
    session.client_id = "id"
    session.client_secret = "secret"
    session.token_endpoint_auth_method = PrivateKeyJWT(TOKEN_URL)
    session.revocation_endpoint_auth_method = "client_secret_post"
    client.scope = {"openid"}
    client.scope = ["openid"]
    client.scope = None
    client.redirect_uri = "https://client.example/cb"
    client.leeway = 30
    client.metadata = {"token_endpoint": TOKEN_URL}
    client.metadata = ServerMetadata(token_endpoint=TOKEN_URL)
    client.token_endpoint = TOKEN_URL


def as_they_are_read(session: OAuth2Session, client: AsyncOAuth2Client) -> None:
    assert_type(session.client_id, str)
    assert_type(session.client_secret, Any)
    assert_type(session.scope, str | None)
    assert_type(client.state, str | None)
    assert_type(client.leeway, float | None)
    assert_type(client.metadata, ServerMetadata)
    assert_type(client.token_endpoint, str | None)
    assert_type(client.token_placement, str)


async def with_metadata() -> None:
    metadata = doorkey.discover("https://as.example")
    assert_type(metadata, ServerMetadata)
    assert_type(await doorkey.adiscover("https://as.example"), ServerMetadata)
    assert_type(metadata.token_endpoint, str | None)
    OAuth2Session("id", metadata=metadata)
    OAuth2Session("id", metadata={"token_endpoint": TOKEN_URL})


def with_errors(session: OAuth2Session) -> float | None:
    try:
        session.fetch_token()
    except doorkey.InvalidGrant as error:
        assert_type(error.status, int | None)
        assert_type(error.error, str)
        return error.retry_after
    except doorkey.TransportError as error:
        assert_type(error.retryable, bool)
    except (doorkey.InvalidResponse, doorkey.VerificationError) as error:
        assert_type(error.description, str)
    except doorkey.OAuthError as error:
        assert_type(error.uri, str | None)
    return None


def clients_of_a_vault(vault: TokenVault, awaited: AsyncTokenVault) -> None:
    assert_type(vault.client("k"), OAuth2Session)
    assert_type(vault.client("k", None), OAuth2Session)
    assert_type(vault.client("k", kind=None, redirect_uri="https://a.example", proxies={"https": "p"}), OAuth2Session)
    assert_type(vault.client("k", OAuth2Session, default_timeout=3), OAuth2Session)
    assert_type(vault.client("k", OAuth2Client), OAuth2Client)
    assert_type(vault.client("k", requests.Session), requests.Session)
    assert_type(vault.client("k", httpx2.Client, timeout=3), httpx2.Client)
    assert_type(awaited.client("k", AsyncOAuth2Client), AsyncOAuth2Client)
    assert_type(awaited.client("k", httpx2.AsyncClient), httpx2.AsyncClient)
    assert_type(awaited.client("k").token, OAuth2Token | None)
    awaited.client("k", transport=httpx2.AsyncHTTPTransport(), prompt="login")
    vault.client("k", scope="read")  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    vault.client("k", timeouts=5)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]
    awaited.client("k", transport=httpx2.HTTPTransport())  # type: ignore[call-overload]  # pyright: ignore[reportArgumentType]


def of_key_files() -> None:
    session = AssertionSession.from_file("key.json", scope="read", audience=TOKEN_URL, default_timeout=3, verify=False)
    assert_type(session, AssertionSession)
    assert_type(AssertionClient.from_file("key.json", subject="a", expires_in=300, timeout=5), AssertionClient)
    AsyncAssertionClient.from_file("key.json", transport=httpx2.AsyncHTTPTransport(), client_id="id")
    AssertionSession.from_file("key.json", key="PEM")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    AssertionClient.from_file("key.json", scopes="read")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


async def credentials_of_a_vault(vault: TokenVault, awaited: AsyncTokenVault) -> None:
    assert_type(vault.source_of(ClientCredentials("app")).token(), OAuthToken)
    assert_type(await awaited.source_of(ClientCredentials("app"), key="k").token(), OAuthToken)
