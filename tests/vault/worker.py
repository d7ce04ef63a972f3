"""A process that shares a grant with others: `python -m tests.vault.worker`, told what to do line by line.

The first line on standard input is a `Job`, each further one an `Order`; each is answered by one line.
"""

import json
import os
import signal
import sys
from dataclasses import asdict, dataclass
from typing import Any

from doorkey.errors import OAuthError
from doorkey.stores import Store
from doorkey.vault import TokenVault

KEY = "user-42"


@dataclass(frozen=True)
class Job:
    """Which store, at which address; whom to ask; and how far the process's clock is off, in seconds."""

    kind: str
    address: str
    token_endpoint: str
    clock_is_off_by: float = 0.0

    def to_json(self) -> str:
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Order:
    """Bring a token at `now`; kill yourself before the effect number `die_at`, where there is one."""

    now: float
    die_at: int = 0

    def to_json(self) -> str:
        return json.dumps(asdict(self))


def store_of(job: Job) -> Store:
    from doorkey import stores  # each imports its database's library when it is named

    match job.kind:
        case "sqlite":
            return stores.SQLiteStore(job.address)
        case "redis":
            return stores.RedisStore(job.address)
        case _:
            return stores.SQLStore(job.address)


class MortalVault(TokenVault):
    """A vault whose process may be killed at any of its effects."""

    die_at = 0

    def _perform(self, effect: Any) -> Any:
        self.die_at -= 1
        if self.die_at == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return super()._perform(effect)


def main() -> None:
    job = Job(**json.loads(sys.stdin.readline()))
    now = 0.0
    vault = MortalVault(
        store_of(job),
        client_id="client-1",
        client_secret="my-secret",
        token_endpoint=job.token_endpoint,
        clock=lambda: now + job.clock_is_off_by,
    )
    print(json.dumps({"ready": True}), flush=True)
    with vault:
        for line in sys.stdin:
            order = Order(**json.loads(line))
            now, vault.die_at = order.now, order.die_at
            try:
                answer = {"token": vault.source(KEY).token().access_token.reveal()}
            except OAuthError as error:
                answer = {"error": type(error).__name__, "text": str(error)}
            print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
