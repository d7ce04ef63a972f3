"""Typical programs with a login: its options have the types that the documents promise."""

import httpx2
import requests

from doorkey.login import AsyncLoginClient, Login, LoginClient, LoginProvider
from doorkey.login.presets import preset

ISSUER = "https://as.example"


def clients() -> None:
    LoginClient("app", "secret", issuer=ISSUER, prompt="login", token_endpoint_auth_method="client_secret_post")
    LoginClient("app", issuer=ISSUER, http_client=requests.Session(), max_age=300)
    LoginClient("app", issuer=ISSUER, default_timeout=(3, 27), verify="ca.pem", proxies={"https": "p"})
    LoginClient("app", issuer=ISSUER, client_cls=httpx2.Client, timeout=5, limits=httpx2.Limits(), http2=True)
    AsyncLoginClient("app", issuer=ISSUER, transport=httpx2.AsyncHTTPTransport(), headers={"X-Api": "yes"})
    LoginClient("app", issuer=ISSUER, promt="login")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    LoginClient("app", issuer=ISSUER, nonce="n")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    AsyncLoginClient("app", issuer=ISSUER, timeout="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def providers() -> tuple[LoginProvider, ...]:
    LoginProvider("google", "id", "secret", preset="google", scope={"openid", "email"}, prompt="select_account")
    LoginProvider("own", "id", isuer=ISSUER)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    LoginProvider("own", "id", issuer=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    return (LoginProvider("own", "id", issuer=ISSUER, fetch_userinfo=False, http_client=httpx2.Client()),)


def logins() -> None:
    Login(issuer=ISSUER, client_id="app", client_secret="secret", base_url="https://app.example", secret="s" * 32)
    Login(preset=preset("google"), client_id="app", revoke_at_logout=True, timeout=5)
    Login(*providers(), lifetime=3600, sessions="memory:")
    Login.from_env({"DOORKEY_ISSUER": ISSUER}, client_id="app", after_login="/home")
    Login.dev(name="Shop", cookie="shop")
    Login(isuer=ISSUER, client_id="app")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Login(issuer=ISSUER, client_id=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Login.from_env(base_uri="https://app.example")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Login.dev(sessions=7)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
