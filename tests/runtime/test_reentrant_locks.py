"""A finalizer or a signal handler that uses an object while its own thread holds that object's lock returns."""

import inspect
import itertools
import re
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from inspect import iscoroutinefunction
from pathlib import Path
from types import FrameType
from typing import Any

import flask
import pytest

from doorkey import OAuthToken, discovery
from doorkey.dev.client_documents import ClientDocuments
from doorkey.dev.clock import Clock
from doorkey.dev.faults import Faults
from doorkey.dev.logout_calls import LogoutCalls
from doorkey.dev.request_log import RequestLog
from doorkey.discovery import _Lookup
from doorkey.errors import StoreError
from doorkey.integrations.flask_client import OAuth
from doorkey.login import Login
from doorkey.login.django.apps import LoginConfig
from doorkey.login.registry.registered import ConnectionPools, RegisteredSets
from doorkey.renewal.leader_lock import LeaderLock
from doorkey.resource.token_cache import TokenCache
from doorkey.runtime.bounded_cache import BoundedCache
from doorkey.runtime.forks import ForkSafeLock
from doorkey.runtime.latch import Latch
from doorkey.runtime.preload import _Importing
from doorkey.server.storage.records import MemoryRecords
from doorkey.server.storage.sqlite import SQLiteRecords
from doorkey.server.tokens import keys as server_keys
from doorkey.server.tokens.keys import KeyRing, spare_key
from doorkey.sessions.issuer import KnownServer
from doorkey.sessions.options import session_options
from doorkey.sessions.pending import Authorizations
from doorkey.stores import MemoryStore, SQLiteStore
from doorkey.stores.loops import PerLoop
from doorkey.stores.protocol import Record
from doorkey.transport.senders import Sender
from doorkey.vault import TokenVault
from doorkey.wire.limits import ExchangePolicy

WAIT = 30.0
SOURCE = Path(__file__).resolve().parents[2] / "src" / "doorkey"
SIGNALS = {"runtime/deadline.py", "runtime/latch.py", "runtime/reused_threads.py"}
"""Where a bare lock is what one thread waits for, and guards no state: nothing re-enters it."""


class Finalized:
    def __init__(self, use: Callable[[], object]) -> None:
        self.use = use

    def __del__(self) -> None:
        self.use()


def locks_of(owner: object) -> list[Any]:
    names = [*getattr(owner, "__dict__", {}), *getattr(type(owner), "__slots__", ())]
    found = [getattr(owner, name) for name in names if hasattr(owner, name)]
    locks = [one for one in found if hasattr(one, "acquire") and hasattr(one, "release") and not isinstance(one, type)]
    return [one for one in locks if not iscoroutinefunction(one.acquire)]  # a thread never blocks in that of asyncio


def cache(_: Path) -> BoundedCache[str, LeaderLock]:
    return BoundedCache()


def store(path: Path) -> SQLiteStore:
    made = SQLiteStore(path / "tokens.db")
    made.commit("k", b"data", expected=0)
    return made


def records(path: Path) -> SQLiteRecords:
    return SQLiteRecords(path / "provider.db")


def vault(_: Path) -> TokenVault:
    made = TokenVault(MemoryStore(), client_id="c", token_endpoint="https://as.example/token")
    made.save("k", OAuthToken.from_mapping({"access_token": "a", "token_type": "Bearer"}, now=0))
    return made


def verified(_: Path) -> TokenCache[str]:
    return TokenCache(2)


def server(_: Path) -> KnownServer:
    given = {"client_id": "c", "metadata": {"issuer": "https://as.example"}}
    return KnownServer(session_options(given, known_elsewhere=(), blocking=True)[0])


def lookup(_: Path) -> _Lookup:
    return _Lookup("https://as.example", None, None, 60, None)


def login(_: Path) -> Login:
    return Login(issuer="https://as.example", client_id="c", sessions="memory:")


def django_login(_: Path) -> LoginConfig:
    return LoginConfig(LoginConfig.name, import_module(LoginConfig.name))


def made_or_not(config: LoginConfig) -> None:
    with suppress(Exception):  # there is no project
        config.project_login()


def registered(_: Path) -> Any:
    urls: dict[str, Any] = {
        "authorize_url": "https://as.example/authorize",
        "access_token_url": "https://as.example/token",
    }
    return OAuth(flask.Flask("app")).register("as", client_id="c", **urls)


def documents(_: Path) -> ClientDocuments:
    return ClientDocuments(at_loopback=True, registered=(), clock=time.time)


OWNERS: dict[str, tuple[Callable[[Path], Any], Callable[[Any], object], Callable[[Any], object]]] = {
    "leader lock": (lambda _: LeaderLock(), lambda one: one, lambda one: one.try_acquire()),
    "cache": (cache, lambda one: one, lambda one: one.get("k", LeaderLock)),
    "pending logins": (lambda _: Authorizations(), lambda one: one, lambda one: one.finish("state")),
    "sender": (lambda _: Sender(None, ExchangePolicy()), lambda one: one, lambda one: one.close()),
    "memory store": (lambda _: MemoryStore(), lambda one: one, lambda one: one.commit("k", b"data", expected=0)),
    "sqlite store": (store, lambda one: one._connection, lambda one: one.load("k")),
    "vault": (vault, lambda one: one._keys, lambda one: one.source("k").token()),
    "vault over its store": (vault, lambda one: one._store, lambda one: one.source("k").token()),
    "imports": (lambda _: _Importing("asyncio"), lambda one: one, lambda one: one.begin(lambda: None)),
    "client of a loop": (lambda _: PerLoop(object), lambda one: one, lambda one: one.forget()),
    "clock": (lambda _: Clock(time.time), lambda one: one, lambda one: one.advance(1)),
    "faults": (lambda _: Faults(), lambda one: one, lambda one: one.clear()),
    "request log": (lambda _: RequestLog(), lambda one: one, lambda one: one.clear()),
    "records": (lambda _: MemoryRecords(), lambda one: one, lambda one: one.remove("code", "k", 0.0)),
    "records in a file": (records, lambda one: one, lambda one: one.remove("code", "k", 0.0)),
    "keys of realms": (lambda _: KeyRing(MemoryRecords()), lambda one: one, lambda one: one.of("r")),
    "spare keys": (lambda _: spare_key, lambda _: server_keys, lambda one: one("a realm of this test", "ES256")),
    "discovered metadata": (lookup, lambda _: discovery, lambda one: one.remembered() or "nothing"),
    "verified tokens": (verified, lambda one: one, lambda one: one.put(b"k", "verified", 0.0, 9.0)),
    "server of a session": (server, lambda one: one, lambda one: one.keys()),
    "client documents": (documents, lambda one: one, lambda one: one.client("https://app.example/client")),
    "logout calls": (lambda _: LogoutCalls(), lambda one: one, list),
    "login": (login, lambda one: one, lambda one: one.blocking),
    "login of a Django project": (django_login, lambda one: one, made_or_not),
    "client of a registry": (registered, lambda one: one, lambda one: one.close()),
    "values of a registry": (
        lambda _: RegisteredSets(print, ConnectionPools()),
        lambda one: one,
        lambda one: one.take_all(),
    ),
    "connections of a registry": (lambda _: ConnectionPools(), lambda one: one, lambda one: one.take_all()),
}


def in_thread(work: Callable[[], object]) -> None:
    done = threading.Event()

    def run() -> None:
        work()
        done.set()

    threading.Thread(target=run, daemon=True).start()
    assert done.wait(WAIT), "the thread waits for a lock that it holds itself"


@pytest.mark.parametrize("what", OWNERS)
def test_a_finalizer_that_runs_while_its_thread_holds_the_lock_returns(what: str, tmp_path: Path) -> None:
    make, guarded, use = OWNERS[what]
    owner, used = make(tmp_path), list[object]()
    (lock,) = locks_of(guarded(owner))

    def strike() -> None:
        with lock:
            finalized = Finalized(lambda: used.append(use(owner)))
            del finalized

    in_thread(strike)
    assert len(used) == 1
    if hasattr(owner, "close"):
        owner.close()


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs signals")
def test_a_signal_handler_that_uses_a_vault_while_its_thread_uses_it_returns(tmp_path: Path) -> None:
    """The handler strikes inside the critical section: the clock of the store, which is called there, raises it."""
    struck: list[object] = []

    def clock() -> float:
        if handling and not struck:
            struck.append(None)
            signal.raise_signal(signal.SIGUSR1)
        return 0.0

    def handler(number: int, frame: object) -> None:
        struck.append(owner.load("k"))

    handling = False
    owner = MemoryStore(clock=clock)
    owner.commit("k", b"data", expected=0)
    before = signal.signal(signal.SIGUSR1, handler)
    try:
        handling = True
        record = owner.load("k")
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert struck == [None, record]


def test_a_commit_of_a_finalizer_in_the_middle_of_another_one_is_not_lost() -> None:
    versions: list[int] = []

    def clock() -> float:
        if nested and not versions:
            versions.append(-1)
            versions.append(owner.commit("k", b"nested", expected=1))
        return 0.0

    nested = False
    owner = MemoryStore(clock=clock)
    assert owner.commit("k", b"first", expected=0) == 1
    nested = True
    assert owner.commit("k", b"second", expected=1) == 0
    record = owner.load("k")
    assert record is not None
    assert (versions, record.version, record.data) == ([-1, 2], 2, b"nested")


NOTHING_RUNS_BETWEEN = "# No call and no new object from here on"


def committed_at_line(number: int, owner: MemoryStore, data: bytes | None, expected: int) -> tuple[int, int | None]:
    """Commit `data`; at line `number` of the store's code, commit b"nested" as a finalizer would.

    Returns both new versions; None for that of a line that was not reached.
    """
    left, nested = number, list[int]()
    lines, start = inspect.getsourcelines(MemoryStore)
    (alone,) = (start + at for at, line in enumerate(lines) if NOTHING_RUNS_BETWEEN in line)

    def trace(frame: FrameType, event: str, _: object) -> Any:
        nonlocal left
        if frame.f_code.co_filename != inspect.getfile(MemoryStore):
            return None
        if event == "line" and not (frame.f_code is MemoryStore._changed.__code__ and frame.f_lineno > alone):
            left -= 1
            if left == -1:
                sys.settrace(None)
                nested.append(owner.commit("k", b"nested", expected=expected))
        return trace

    def commit() -> int:
        sys.settrace(trace)
        try:
            return owner.commit("k", data, expected=expected)
        finally:
            sys.settrace(None)

    with ThreadPoolExecutor(1) as pool:  # a thread of its own has no other tracer
        return pool.submit(commit).result(), nested[0] if nested else None


@pytest.mark.parametrize(("before", "data"), [([b"a"], b"b"), ([b"a"], None), ([], b"b"), ([b"a", None], b"b")])
def test_a_commit_of_a_finalizer_at_any_line_of_another_commit_is_not_lost(
    before: list[bytes | None], data: bytes | None
) -> None:
    number = 0
    for number in itertools.count():
        owner, version = MemoryStore(), 0
        for one in before:
            version = owner.commit("k", one, expected=version)
        expected = version if before and before[-1] is not None else 0
        outer, nested = committed_at_line(number, owner, data, expected)
        if nested is None:
            break
        assert [made > version for made in (outer, nested) if made] == [True], "one of both is over the same version"
        left = owner.load("k")
        kept = b"nested" if nested else data
        assert left == (None if kept is None else Record(outer or nested, kept))
    assert number > 10


def test_a_finalizer_in_the_middle_of_a_statement_of_sqlite_is_refused_at_once(tmp_path: Path) -> None:
    owner, told = store(tmp_path), list[StoreError]()

    def use() -> None:
        with pytest.raises(StoreError, match="further up its stack") as refused:
            owner.load("k")
        told.append(refused.value)

    with owner._connection.used():
        finalized = Finalized(use)
        del finalized
    assert [one.retryable for one in told] == [True]
    assert owner.load("k") is not None
    owner.close()


def test_a_lock_that_the_forking_thread_holds_is_still_held_by_it() -> None:
    lock, taken = ForkSafeLock(), list[bool]()
    with lock:
        lock.renew_in_child()
        in_thread(lambda: taken.append(lock.acquire(blocking=False)))
    in_thread(lambda: taken.append(lock.acquire(blocking=False)))
    assert taken == [False, True]


def test_a_lock_that_another_thread_held_is_free_in_a_child() -> None:
    lock = ForkSafeLock()
    in_thread(lock.acquire)
    assert not lock.acquire(blocking=False)
    lock.renew_in_child()
    assert lock.acquire(blocking=False)


def test_a_latch_that_is_set_by_its_own_thread_while_it_waits_or_twice_stays_set_once() -> None:
    latch = Latch()
    assert not latch.wait(0)
    latch.set()
    latch.set()
    assert latch.wait(0)
    assert not latch.wait(0)


CONSTRUCTED = re.compile(r"(?<![A-Za-z`])(ForkSafeLock|threading\.RLock)\(\)")


def class_with_lock(kind: type) -> type:
    """The class whose module makes the lock: this one, or one that it inherits from."""
    for one in kind.__mro__[:-1]:
        file = Path(inspect.getfile(one))
        if SOURCE in file.parents and CONSTRUCTED.search(file.read_text(encoding="utf-8")):
            return one
    return kind


def test_each_lock_of_the_package_is_among_those_that_a_finalizer_meets(tmp_path: Path) -> None:
    met: set[Any] = set()
    for number, (make, guarded, _) in enumerate(OWNERS.values()):
        (tmp_path / str(number)).mkdir()
        owner = make(tmp_path / str(number))
        lock_holder = guarded(owner)
        met.add(lock_holder if inspect.ismodule(lock_holder) else class_with_lock(type(lock_holder)))
        if hasattr(owner, "close"):
            owner.close()
    files = Counter(str(Path(inspect.getfile(one)).relative_to(SOURCE)) for one in met)
    made = {path: len(CONSTRUCTED.findall(path.read_text(encoding="utf-8"))) for path in SOURCE.rglob("*.py")}
    assert files == {str(path.relative_to(SOURCE)): number for path, number in made.items() if number}


def test_no_plain_lock_guards_any_state() -> None:
    plain = re.compile(r"(?<![A-Za-z])(threading\.Lock|allocate_lock|threading\.Condition)\(")
    found = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if plain.search(re.sub(r"`[^`]*`", "", path.read_text(encoding="utf-8")))
    }
    assert found - SIGNALS == set(), "use doorkey.runtime.forks.ForkSafeLock: a finalizer may re-enter"
