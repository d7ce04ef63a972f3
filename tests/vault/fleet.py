"""Eight processes on one grant, some synchronous and some asynchronous; every process is ended by its pid."""

import json
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

from doorkey.dev import Provider
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.server.model import Settings
from doorkey.stores.envelope import open_record
from doorkey.vault import TokenVault
from tests.support.forked import Forked
from tests.vault.worker import KEY, Job, Order, Step, main, store_of

LIFETIME = 300
TEN_YEARS = 10 * 365 * 86_400


@dataclass(frozen=True)
class Answer:
    """The access token, or the error's class and text; neither where the process died.

    The tasks of a process that awaits have so many `different` ones: more than one only while the token is still good.
    """

    token: str | None = None
    error: str | None = None
    text: str = ""
    different: int = 1

    @property
    def died(self) -> bool:
        return self.token is None and self.error is None


class Member:
    """One process. Its last reports say whether it `holds` the lease, and has an `answer` of the server under way."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.holds = self.asking = False
        self._process = Forked(main)
        self._in, self._out = self._process.stdin, self._process.stdout
        self._say(job.to_json())

    def order(self, order: Order) -> None:
        self.holds = self.asking = False
        self._say(order.to_json())

    def answer(self) -> Answer:
        """Wait for the answer, or for the end of the process."""
        while line := self._out.readline():
            told = json.loads(line)
            match told.get("step"):
                case None:
                    return Answer(**told)
                case Step.LEASED | Step.RELEASED:
                    self.holds = told["step"] == Step.LEASED
                case _:
                    self.asking = told["step"] == Step.ASKING
        self.end()
        return Answer()

    def ready(self) -> None:
        assert json.loads(self._out.readline()) == {"ready": True}

    def end(self) -> None:
        self._process.kill()

    def _say(self, line: str) -> None:
        self._in.write(line + "\n")
        self._in.flush()


class Fleet:
    """Some processes, a provider that rotates, and the time, which stands still until it is moved."""

    def __init__(self, provider: Provider, job: Job) -> None:
        self.provider, self.job = provider, job
        self.now = provider.clock()
        self.members: list[Member] = []

    def start(self, colors: Sequence[str], clock_is_off_by: float = 0.0) -> None:
        started = [Member(replace(self.job, color=color, clock_is_off_by=clock_is_off_by)) for color in colors]
        self.members += started
        for member in started:
            member.ready()

    def replace(self, *members: Member) -> None:
        """Put new processes in the place of those that died."""
        for member in members:
            self.members.remove(member)
        self.start([member.job.color for member in members])

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
        self.pass_(LIFETIME + 1)

    def pass_(self, seconds: float) -> None:
        """Let time pass, for the provider and for all processes."""
        self.provider.advance(seconds)
        self.now += seconds

    def ask(self) -> dict[Member, Answer]:
        """Have all ask for a token at once."""
        for member in self.members:
            member.order(Order(self.now))
        return {member: member.answer() for member in self.members}

    def race(self, special: Mapping[Member, Order], holder_died: Callable[[], object]) -> dict[Member, Answer]:
        """Do the same with `special` orders for some; `holder_died` is called for each that died with the lease."""
        for member in sorted(self.members, key=lambda member: member not in special):  # a start for those
            member.order(special.get(member, Order(self.now)))
        answers: dict[Member, Answer] = {}
        with ThreadPoolExecutor(len(self.members)) as readers:
            reading = {readers.submit(member.answer): member for member in self.members}
            for done in as_completed(reading):
                answers[reading[done]] = done.result()
                if done.result().died and reading[done].holds:
                    holder_died()
        return answers

    def turn(self) -> int:
        """Return how many renewals of this login were committed."""
        with closing(store_of(self.job)) as store:
            record = store.load(KEY)
        assert record is not None
        turn: int = open_record(record.data)[1]["turn"]
        return turn


def rotating_provider() -> Provider:
    """Return a provider whose refresh tokens work once, and whose sessions outlive every test."""
    long = Settings(
        rotate_refresh_tokens=True, access_token_lifetime=LIFETIME, session_idle=TEN_YEARS, session_max=TEN_YEARS
    )
    return Provider(realms={"rotating": long})


@contextmanager
def fleet(
    provider: Provider, kind: str, address: str, colors: Sequence[str], *, credentials: bool = False
) -> Generator[Fleet]:
    endpoint = f"{provider.issuer_of('rotating')}/protocol/openid-connect/token"
    whole = Fleet(provider, Job(kind, address, endpoint, credentials=credentials))
    try:
        whole.start(colors)
        whole.login()
        yield whole
    finally:
        whole.end()
