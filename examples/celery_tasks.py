"""A Celery task that calls an API for a user. All worker processes share the token, and one of them renews it."""

import os

from celery import Celery

from doorkey import TokenVault
from doorkey.stores import RedisStore

REDIS = os.environ.get("REDIS", "redis://localhost:6379/0")
ISSUER = os.environ.get("ISSUER", "http://127.0.0.1:8080/realms/rotating")

app = Celery("celery_tasks", broker=REDIS, backend=REDIS)
vault = TokenVault(RedisStore(REDIS), client_id="client-1", client_secret="my-secret", issuer=ISSUER)


@app.task
def call(account: str, url: str) -> int:
    """Send one request with the token of the account."""
    with vault.client(account) as api:
        return api.get(url).status_code
