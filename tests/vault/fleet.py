"""Eight processes on one grant, their orders and their answers; every process is ended by its pid."""

import json
import subprocess
import sys
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from doorkey.dev import Provider
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.server.model import Settings
from doorkey.vault import TokenVault
from tests.vault.worker import KEY, Job, Order, store_of

ROOT = Path(__file__).resolve().parents[2]
LIFETIME = 300
TEN_YEARS = 10 * 365 * 86_400


@dataclass(frozen=True)
class Answer:
    """The access token, or the error's class and text; neither where the process died."""

    token: str | None = None
    error: str | None = None
    text: str = ""

    @property
    def died(self) -> bool:
        return self.token is None and self.error is None


class Member:
    """One process."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.vault.worker"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        self._say(job.to_json())

    def order(self, order: Order) -> None:
        self._say(order.to_json())

    def answer(self) -> Answer:
        """Wait for the answer, or for the end of the process."""
        line = self._out.readline()
        if not line:
            self.end()
            return Answer()
        return Answer(**json.loads(line))

    def ready(self) -> None:
        assert json.loads(self._out.readline()) == {"ready": True}

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._in, self._out):
            try:
                pipe.close()
            except BrokenPipeError:
                continue

    def _say(self, line: str) -> None:
        self._in.write(line + "\n")
        self._in.flush()


class Fleet:
    """Some processes, a provider that rotates, and the time, which stands still until it is moved."""

    def __init__(self, provider: Provider, job: Job) -> None:
        self.provider, self.job = provider, job
        self.now = provider.clock()
        self.members: list[Member] = []

    def start(self, count: int, clock_is_off_by: float = 0.0) -> None:
        started = [Member(replace(self.job, clock_is_off_by=clock_is_off_by)) for _ in range(count)]
        self.members += started
        for member in started:
            member.ready()

    def replace(self, member: Member) -> None:
        """Put a new process in the place of one that died."""
        self.members.remove(member)
        self.start(1)

    def end(self) -> None:
        for member in self.members:
            member.end()

    def login(self) -> None:
        """Get a token with a password, and save it as a web application's callback would."""
        with OAuth2Session("client-1", "my-secret", token_endpoint=self.job.token_endpoint) as session:
            token = dict(session.fetch_token(username="alice", password="wonderland"))
        del token["expires_at"]  # by the provider's clock, which goes on
        with TokenVault(
            store_of(self.job),
            client_id="client-1",
            client_secret="my-secret",
            token_endpoint=self.job.token_endpoint,
            clock=lambda: self.now,
        ) as vault:
            vault.save(KEY, token)
        self.provider.requests.clear()

    def expire(self) -> None:
        """Let the access token expire, for the provider and for all processes."""
        self.provider.advance(LIFETIME + 1)
        self.now += LIFETIME + 1

    def ask(self, orders: Iterable[tuple[Member, Order]] = ()) -> dict[Member, Answer]:
        """Have all ask for a token at once; `orders` replaces what some are told."""
        special = dict(orders)
        for member in self.members:
            member.order(special.get(member, Order(self.now)))
        return {member: member.answer() for member in self.members}


def rotating_provider() -> Provider:
    """Return a provider whose refresh tokens work once, and whose sessions outlive every test."""
    long = Settings(
        rotate_refresh_tokens=True, access_token_lifetime=LIFETIME, session_idle=TEN_YEARS, session_max=TEN_YEARS
    )
    return Provider(realms={"rotating": long})


@contextmanager
def fleet(provider: Provider, kind: str, address: str, size: int) -> Generator[Fleet]:
    endpoint = f"{provider.issuer_of('rotating')}/protocol/openid-connect/token"
    whole = Fleet(provider, Job(kind, address, endpoint))
    try:
        whole.start(size)
        whole.login()
        yield whole
    finally:
        whole.end()
