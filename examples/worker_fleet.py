"""Four worker processes share the token of one user in Redis: it is renewed once, by one of them."""

import os
import secrets
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from doorkey import TokenVault
from doorkey.dev import Provider
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.stores import RedisStore, Sealer

REDIS = os.environ.get("REDIS", "redis://localhost:6379/0")


def vault_of(issuer: str, key: bytes) -> TokenVault:
    """Return the vault of this process; all of them use the same Redis and the same encryption key."""
    store, sealer = RedisStore(REDIS, prefix="worker-fleet:"), Sealer({"2026-11": key}, "2026-11")
    return TokenVault(store, client_id="client-1", client_secret="my-secret", issuer=issuer, sealer=sealer)


def work(issuer: str, key: bytes, url: str) -> int:
    """Call the API for alice, as a worker does."""
    with vault_of(issuer, key) as vault, vault.client("alice") as api:
        return api.get(url).status_code


if __name__ == "__main__":
    with Provider() as provider:
        issuer = provider.issuer_of("rotating")  # each refresh token works once
        with OAuth2Session("client-1", "my-secret", issuer=issuer) as login:
            token = login.fetch_token(username="alice", password="wonderland")

        key = secrets.token_bytes(32)
        with vault_of(issuer, key) as vault:
            vault.save("alice", {**token, "expires_at": 1})  # it has expired

            before = provider.token_requests
            with ProcessPoolExecutor(4, get_context("spawn")) as workers:
                print("calls:", [*workers.map(work, [issuer] * 4, [key] * 4, [provider.echo] * 4)])
            print("renewals:", provider.token_requests - before)
            vault.forget("alice")
