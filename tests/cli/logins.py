"""Accounts of the command line for tests: logged in at the embedded provider, without a browser."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from doorkey.cli.accounts import Account, Accounts
from doorkey.dev import Provider
from doorkey.integrations.httpx_client import OAuth2Client
from doorkey.tokens import OAuth2Token
from doorkey.values import Secret

CLIENT, SECRET = "client-1", "my-secret"
REALM = "rotating"
"""The realm in which a refresh token works once."""


def token_of(provider: Provider, scope: str = "openid") -> OAuth2Token:
    """Log alice in, and return her token."""
    with OAuth2Client(CLIENT, SECRET, issuer=provider.issuer_of(REALM), scope=scope, timeout=60) as client:
        token: OAuth2Token = client.fetch_token(username="alice", password="wonderland")
    return token


def logged_in(home: Path, provider: Provider, name: str = "work", **changed: Any) -> Account:
    """Save an account with a new login, whose token has what is `changed`, and return it."""
    account = Account(name, provider.issuer_of(REALM), CLIENT, "openid", Secret(SECRET))
    with Accounts(home) as accounts:
        return accounts.save(account, OAuth2Token({**token_of(provider), **changed}))


def logged_in_long_ago(home: Path, provider: Provider, name: str = "work") -> Account:
    """Save an account whose access token has expired, and whose refresh token still works."""
    return logged_in(home, provider, name, expires_at=time.time() - 60)


def refreshes(provider: Provider) -> int:
    """How many refresh tokens the provider has been sent."""
    return sum(request.grant_type == "refresh_token" for request in provider.requests.to("/token"))
