"""An error of a constructor or a function of the package carries no argument of the call in its frames."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from doorkey import (
    AsyncKeySource,
    AsyncTokenSource,
    AsyncTokenVault,
    ClientCredentials,
    Issuer,
    JWTBearer,
    KeySource,
    OAuth2Auth,
    RefreshToken,
    RegisteredClient,
    ResourceOwnerCredentials,
    TokenExchange,
    TokenSource,
    TokenVault,
    adiscover,
    aregister_client,
    discover,
    register_client,
)
from doorkey.errors import OAuthError
from doorkey.integrations.httpx_transport import AsyncOAuthAuthorityClient, OAuthAuthorityClient
from doorkey.jose import jwt
from doorkey.jose.generation import generate_key
from doorkey.login import AsyncLoginClient, LoginClient, PendingLogin
from doorkey.registration import delete_client, read_client, update_client
from doorkey.stores import AsyncMemoryStore, MemoryStore
from doorkey.tokens import OAuth2Token, OAuthToken
from doorkey.values import Secret
from tests.support.tracebacks import variables_of_ours

ARGUMENT = "-".join(["the", "argument", "of", "the", "call"])
OF_THE_VAULT: dict[str, Any] = {"client_secret": ARGUMENT}
TOKEN = {"access_token": ARGUMENT}
NO_TOKEN = {"access_token": ARGUMENT, "token_type": "no word"}
SERVER: dict[str, Any] = {"token_endpoint": "https://as.example/token"}
KEY = generate_key("ES256")
CLIENT = ClientCredentials("c")
WRONG: Any = object()
AS_TOKEN: Any = ARGUMENT
AS_LIST: Any = [ARGUMENT]


def vault() -> TokenVault:
    return TokenVault(MemoryStore(), client_id="c", **SERVER)


def login_client() -> LoginClient:
    return LoginClient("c", **SERVER, authorization_endpoint="https://as.example/authorize")


def pending_login() -> PendingLogin:
    return login_client().begin("https://rp.example/cb").pending


def async_vault() -> AsyncTokenVault:
    return AsyncTokenVault(AsyncMemoryStore(), client_id="c", **SERVER)


CALLS: dict[str, Callable[[], object]] = {
    "OAuth2Auth(token, an option of credentials)": lambda: OAuth2Auth(TOKEN, issuer="https://as.example"),
    "OAuth2Auth(token, token_placement)": lambda: OAuth2Auth(TOKEN, "nowhere"),
    "OAuth2Auth(token, rejected_statuses=)": lambda: OAuth2Auth(TOKEN, rejected_statuses=[1]),
    "OAuth2Auth(no token)": lambda: OAuth2Auth(NO_TOKEN),
    "OAuth2Auth(text)": lambda: OAuth2Auth(ARGUMENT),
    "OAuth2Token(members)": lambda: OAuth2Token(NO_TOKEN),
    "OAuth2Token.from_dict(members)": lambda: OAuth2Token.from_dict(NO_TOKEN),
    "OAuthToken.from_mapping(members)": lambda: OAuthToken.from_mapping(NO_TOKEN, now=0),
    "Secret(list)": lambda: Secret(AS_LIST),
    "ClientCredentials(client_secret=)": lambda: ClientCredentials("c", ARGUMENT, scopes=WRONG),
    "ClientCredentials without a client_id": lambda: ClientCredentials("", ARGUMENT),
    "ResourceOwnerCredentials(password=)": lambda: ResourceOwnerCredentials("c", username=WRONG, password=ARGUMENT),
    "with_username_password": lambda: ResourceOwnerCredentials("c").with_username_password(WRONG, ARGUMENT),
    "RefreshToken(refresh_token=)": lambda: RefreshToken("", refresh_token=ARGUMENT),
    "JWTBearer(assertion=)": lambda: JWTBearer("", assertion=ARGUMENT),
    "TokenExchange(subject_token=)": lambda: TokenExchange("c", subject_token=ARGUMENT, subject_token_type=WRONG),
    "TokenSource(token_params=)": lambda: TokenSource(CLIENT, **SERVER, token_params={"key": ARGUMENT}, leeway=-1),
    "TokenSource(token_request_headers=)": lambda: TokenSource(
        CLIENT, **SERVER, token_request_headers={"X-Api-Key": ARGUMENT, "Authorization": "x"}
    ),
    "AsyncTokenSource(token_params=)": lambda: AsyncTokenSource(
        CLIENT, **SERVER, token_params={"key": ARGUMENT}, leeway=-1
    ),
    "TokenSource.reject(text)": lambda: TokenSource(CLIENT, **SERVER).reject(AS_TOKEN),
    "AsyncTokenSource.reject(text)": lambda: AsyncTokenSource(CLIENT, **SERVER).reject(AS_TOKEN),
    "TokenVault.source_of(text)": lambda: vault().source_of(AS_TOKEN),
    "TokenVault.client(client_secret=)": lambda: vault().client("k", **OF_THE_VAULT),
    "AsyncTokenVault.source_of(text)": lambda: async_vault().source_of(AS_TOKEN),
    "AsyncTokenVault.client(client_secret=)": lambda: async_vault().client("k", **OF_THE_VAULT),
    "OAuthAuthorityClient(token_params=)": lambda: OAuthAuthorityClient(
        httpx2.Client(base_url="https://as.example"), token_params={"key": ARGUMENT}, leeway=-1
    ),
    "AsyncOAuthAuthorityClient(token_params=)": lambda: AsyncOAuthAuthorityClient(
        httpx2.AsyncClient(base_url="https://as.example"), token_params={"key": ARGUMENT}, leeway=-1
    ),
    "KeySource(keys=)": lambda: KeySource(keys=Secret(ARGUMENT), cool_down=-1),
    "AsyncKeySource(keys=)": lambda: AsyncKeySource(keys=Secret(ARGUMENT), jwks_uri="https://as.example/jwks"),
    "Issuer(keys=)": lambda: Issuer("https://as.example", keys=AS_LIST),
    "KeySource.verify(token)": lambda: KeySource(keys=KEY).verify(ARGUMENT),
    "AsyncKeySource.verify(token)": lambda: asyncio.run(AsyncKeySource(keys=KEY).verify(ARGUMENT)),
    "jwt.decode(token)": lambda: jwt.decode(ARGUMENT, KeySource(keys=KEY)),
    "jwt.adecode(token)": lambda: asyncio.run(jwt.adecode(ARGUMENT, AsyncKeySource(keys=KEY))),
    "LoginClient(client_secret=)": lambda: LoginClient("c", ARGUMENT, **SERVER, leeway=-1),
    "LoginClient.session(token)": lambda: login_client().session(NO_TOKEN),
    "LoginClient.begin(code_verifier=)": lambda: login_client().begin(code_verifier=ARGUMENT),
    "LoginClient.finish(params)": lambda: login_client().finish({"code": ARGUMENT}, pending_login()),
    "AsyncLoginClient(client_secret=)": lambda: AsyncLoginClient("c", ARGUMENT, **SERVER, leeway=-1),
    "AsyncLoginClient.session(token)": lambda: AsyncLoginClient("c", **SERVER).session(NO_TOKEN),
    "AsyncLoginClient.finish(params)": lambda: asyncio.run(
        AsyncLoginClient("c", **SERVER).finish({"code": ARGUMENT}, pending_login())
    ),
    "PendingLogin.from_dict(members)": lambda: PendingLogin.from_dict({"transaction": {"code_verifier": ARGUMENT}}),
    "RegisteredClient.from_dict(members)": lambda: RegisteredClient.from_dict(
        {"client_id": "", "client_secret": ARGUMENT}
    ),
    "register_client(initial_access_token=)": lambda: register_client(
        "ftp://as.example", initial_access_token=ARGUMENT
    ),
    "aregister_client(initial_access_token=)": lambda: asyncio.run(
        aregister_client("ftp://as.example", initial_access_token=ARGUMENT)
    ),
    "read_client(client)": lambda: read_client(AS_TOKEN),
    "update_client(metadata)": lambda: update_client(RegisteredClient(client_id="c"), key=ARGUMENT),
    "delete_client(client)": lambda: delete_client(AS_TOKEN),
    "discover(issuer)": lambda: discover(f"ftp://user:{ARGUMENT}@as.example"),
    "adiscover(issuer)": lambda: asyncio.run(adiscover(f"ftp://user:{ARGUMENT}@as.example")),
}


@pytest.mark.parametrize("call", list(CALLS))
def test_the_frames_of_a_failed_call_hold_none_of_its_arguments(call: str) -> None:
    with pytest.raises(OAuthError) as raised:
        CALLS[call]()
    assert ARGUMENT not in variables_of_ours(raised.value)
