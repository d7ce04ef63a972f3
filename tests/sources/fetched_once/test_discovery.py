"""An issuer is discovered once for all who share it: credentials, keys of a vault, threads and event loops."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest

from doorkey import ClientCredentials, Issuer, OAuthError, TokenSource, TransportError, UsageError
from doorkey.errors import InvalidResponse, TemporarilyUnavailable
from doorkey.integrations.httpx_transport import OAuthAuthorityClient
from doorkey.protocol.http_caching import CacheEntry
from doorkey.protocol.metadata import ServerMetadata
from doorkey.renewal.leader_lock import AcquireOrWait, Holder, LeaderLock
from doorkey.sources.core import SourceCore
from doorkey.sources.fetched_once.discovery import AuthorizationServer
from doorkey.stores import MemoryStore
from doorkey.values import Secret
from doorkey.vault import TokenVault
from doorkey.wire.messages import Request, Response
from tests.support.backends import both_backends
from tests.support.every_adapter import in_background, together
from tests.support.every_source import ONE_OF_EACH, TLS, Maker
from tests.support.fake_clock import START, Clock
from tests.support.flights import Watched, discovering
from tests.support.hostile_server import Held, Hostile, reply, token

one_of_each = pytest.mark.parametrize("source", ONE_OF_EACH, indirect=True)
WELL_KNOWN = "/.well-known/openid-configuration"
MANY = 32
WAITED = None
"""What a `AcquireOrWait` comes to."""


def published(hostile: Hostile) -> bytes:
    return reply(json={"issuer": hostile.url(""), "token_endpoint": hostile.token_endpoint})


def watched(issuer: str) -> tuple[AuthorizationServer, Watched]:
    server, lock = AuthorizationServer(issuer, ServerMetadata()), Watched()
    server.discovery.lock = lock
    return server, lock


def tokens_of_many(source: Maker, server: AuthorizationServer, clock: Clock | None = None) -> list[Callable[[], str]]:
    """Sources of as many credentials, one server."""
    return [
        source(SourceCore(ClientCredentials(f"c-{number}", "s"), server=server, clock=clock or Clock())).access_token
        for number in range(MANY)
    ]


def called_at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    waiting = iter(calls)

    def one() -> Any:
        return next(waiting)()

    return together(len(calls), one)


@one_of_each
def test_32_credentials_that_begin_at_once_discover_their_issuer_once(source: Maker, hostile: Hostile) -> None:
    held = Held(published(hostile))
    hostile.on(WELL_KNOWN, held)
    hostile.on("/token", token("at"))
    server, lock = watched(hostile.url(""))
    calls = tokens_of_many(source, server)
    with in_background(lambda: called_at_once(calls)) as outcome:
        held.wait_for_arrival()
        lock.wait_for(MANY - 1)
        held.release.set()
        assert outcome() == ["at"] * MANY
    assert len(hostile.to(WELL_KNOWN)) == 1
    assert len(hostile.token_requests) == MANY


@one_of_each
def test_a_failed_discovery_is_one_request_for_all_waiting_callers_and_begins_a_pause(
    source: Maker, hostile: Hostile, clock: Clock
) -> None:
    held = Held(reply(502, "<html>"))
    hostile.on(WELL_KNOWN, held, published(hostile))
    hostile.on("/token", token("at"))
    server, lock = watched(hostile.url(""))
    calls = tokens_of_many(source, server, clock)
    with in_background(lambda: called_at_once(calls)) as outcome:
        held.wait_for_arrival()
        lock.wait_for(MANY - 1)
        held.release.set()
        errors = outcome()
    assert {type(error).__name__ for error in errors} == {"InvalidResponse"}
    assert len({id(error) for error in errors}) == MANY, "each has an exception of its own"
    assert len(hostile.to(WELL_KNOWN)) == 1
    later = source(SourceCore(ClientCredentials("later", "s"), server=server, clock=clock))
    with pytest.raises(InvalidResponse):
        later.token()
    assert len(hostile.to(WELL_KNOWN)) == 1, "the pause is not over"
    clock.advance(1)
    assert later.access_token() == "at"


def test_the_pause_after_a_failed_discovery_doubles_and_ends_where_the_clock_was_set_back() -> None:
    server, clock = AuthorizationServer("https://as.example", ServerMetadata()), Clock()

    def asks() -> bool:
        """Say whether a caller of this moment asks the issuer, which cannot be reached."""
        flow = server.metadata(clock)
        try:
            next(flow)
        except TransportError:
            return False
        assert isinstance(flow.send(lead(server)), Request)
        with pytest.raises(TransportError):
            flow.throw(TransportError("no connection", retryable=True))
        return True

    assert [asks(), asks()] == [True, False]
    for pause in (0.25, 0.5, 1.0):
        clock.advance(pause - 0.01)
        assert not asks()
        clock.advance(0.01)
        assert asks()
    clock.advance(-3600)
    assert asks()


@one_of_each
def test_metadata_that_gets_old_is_discovered_again_and_stays_in_use_meanwhile(
    source: Maker, hostile: Hostile, clock: Clock
) -> None:
    hostile.on(WELL_KNOWN, published(hostile), reply(500, "<html>"), published(hostile))
    hostile.on("/token", *[token("at", expires_in=60)] * 4)
    one = source(ClientCredentials("c", "s"), issuer=hostile.url(""), clock=clock)
    for advance, requests in ((0, 1), (3599, 1), (61, 2), (61, 3)):
        clock.advance(advance)
        assert one.access_token() == "at"
        assert len(hostile.to(WELL_KNOWN)) == requests
    assert len(hostile.token_requests) == 4


@one_of_each
def test_an_issuer_is_discovered_once_for_all_that_it_is_given_to(
    source: Maker, hostile: Hostile, clock: Clock
) -> None:
    hostile.on(WELL_KNOWN, published(hostile))
    hostile.on("/token", *[token("at")] * 3)
    issuer = Issuer(hostile.url(""), clock=clock)
    for number in range(2):
        assert source(ClientCredentials(f"c-{number}", "s"), issuer=issuer, clock=clock).access_token() == "at"
    with TokenVault(MemoryStore(), client_id="app", client_secret="s", issuer=issuer, clock=clock) as vault:
        assert vault.source_of(ClientCredentials("app", "s")).token().access_token == Secret("at")
    with issuer:
        assert issuer.metadata().token_endpoint == hostile.token_endpoint
    assert len(hostile.to(WELL_KNOWN)) == 1


def test_an_issuer_and_metadata_are_not_given_together(hostile: Hostile) -> None:
    issuer, metadata = Issuer("https://as.example"), {"token_endpoint": "https://as.example/t"}
    with pytest.raises(UsageError, match="an Issuer has its own metadata"):
        TokenSource(ClientCredentials("c", "s"), issuer=issuer, metadata=metadata)
    hostile.on("/token", token("at"))
    local = Issuer(hostile.url(""))
    with TokenSource(ClientCredentials("c", "s"), issuer=local, token_endpoint=hostile.token_endpoint) as own:
        assert own.token().access_token == Secret("at")


def test_32_keys_of_a_vault_that_begin_at_once_discover_its_issuer_once(hostile: Hostile, clock: Clock) -> None:
    held = Held(published(hostile))
    hostile.on(WELL_KNOWN, held)
    hostile.on("/token", token("at-2", refresh_token="rt-2"))
    with TokenVault(MemoryStore(), client_id="app", client_secret="s", issuer=hostile.url(""), clock=clock) as vault:
        vault._core.server.discovery.lock = lock = Watched()
        for number in range(MANY):
            vault.save(f"u-{number}", {"access_token": "at-1", "refresh_token": "rt-1", "expires_at": START - 1})
        calls = [vault.source(f"u-{number}").token for number in range(MANY)]
        with in_background(lambda: called_at_once(calls)) as outcome:
            held.wait_for_arrival()
            lock.wait_for(MANY - 1)
            held.release.set()
            assert {one.access_token.reveal() for one in outcome()} == {"at-2"}
    assert len(hostile.to(WELL_KNOWN)) == 1
    assert len(hostile.token_requests) == MANY


def test_a_caller_that_requests_the_metadata_waits_for_the_same_discovery(hostile: Hostile) -> None:
    held = Held(published(hostile))
    hostile.on(WELL_KNOWN, held)
    hostile.on("/token", token("at"))
    with httpx2.Client(base_url=hostile.url(""), verify=TLS) as http:
        authority = OAuthAuthorityClient(http)
        authority._server.discovery.lock = lock = Watched()
        calls: list[Callable[[], Any]] = [
            lambda: authority.openid_config.token_endpoint,
            lambda: authority.supports_grant("implicit"),
            lambda: authority.get_token(ClientCredentials("c", "s")).access_token == Secret("at"),
        ]
        with in_background(lambda: called_at_once(calls)) as outcome:
            held.wait_for_arrival()
            lock.wait_for(2)
            held.release.set()
            assert outcome() == [hostile.token_endpoint, True, True]
    assert len(hostile.to(WELL_KNOWN)) == 1


@one_of_each
def test_a_busy_issuer_may_name_a_date(source: Maker, hostile: Hostile) -> None:
    hostile.on(WELL_KNOWN, reply(503, headers={"Retry-After": "Fri, 15 Jan 2027 08:00:05 GMT"}))
    with pytest.raises(TemporarilyUnavailable) as error:
        source(ClientCredentials("c", "s"), issuer=hostile.url(""), clock=Clock()).token()
    assert error.value.retry_after == 5


def begun(server: AuthorizationServer) -> Any:
    flow = server.metadata(Clock())
    assert isinstance(next(flow), AcquireOrWait)
    return flow


def lead(server: AuthorizationServer) -> Holder:
    entered = server.discovery.lock.try_acquire()
    assert entered is not None
    return entered


def test_a_canceled_lock_holder_hands_over() -> None:
    """Step by step: two callers want the lock, the first gets it and is canceled, and then the second gets it."""
    server = AuthorizationServer("https://as.example", ServerMetadata())
    first, second = begun(server), begun(server)
    assert isinstance(first.send(lead(server)), Request)
    with pytest.raises(KeyboardInterrupt):
        first.throw(KeyboardInterrupt())
    assert isinstance(second.send(WAITED), AcquireOrWait)
    assert isinstance(second.send(lead(server)), Request), "the one who was cancelled has let go"
    answer = b'{"issuer":"https://as.example","token_endpoint":"https://as.example/t"}'
    with pytest.raises(StopIteration) as done:
        second.send(Response(200, (("Content-Type", "application/json"),), answer))
    assert done.value.value.token_endpoint == "https://as.example/t"
    assert server.discovery.lock.try_acquire()


def test_a_lock_holder_sends_no_request_if_the_issuer_is_known_by_then() -> None:
    server = AuthorizationServer("https://as.example", ServerMetadata())
    late = begun(server)
    leads = lead(server)
    found = ServerMetadata(token_endpoint="https://as.example/t")
    server.discovery.entry = CacheEntry(found, START, START + 60, START + 60)
    with pytest.raises(StopIteration):
        late.send(leads)
    assert server.discovery.lock.try_acquire(), "it has let go"


@pytest.mark.parametrize("leads", [True, False])
def test_a_caller_from_before_a_failure_gets_it_without_a_request(leads: bool) -> None:
    server = AuthorizationServer("https://as.example", ServerMetadata())
    leader, waiter = begun(server), begun(server)
    assert isinstance(leader.send(lead(server)), Request)
    failure = TransportError("no connection", retryable=True)
    with pytest.raises(TransportError):
        leader.throw(failure)
    with pytest.raises(TransportError, match="no connection") as told:
        waiter.send(lead(server) if leads else WAITED)
    assert told.value is not failure
    with pytest.raises(TransportError, match="no connection"):
        next(server.metadata(Clock()))
    later = server.metadata(Clock(lambda: START + 1))
    next(later)
    assert isinstance(later.send(lead(server)), Request), "a caller after the pause tries again"


def test_a_caller_stops_waiting_for_a_lock_holder_that_never_ends_with_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("doorkey.renewal.leader_lock.MAX_WAIT", 0.01)
    lock = LeaderLock()
    with ThreadPoolExecutor(1) as another:
        assert another.submit(discovering(lock).acquire_or_wait).result()
        with pytest.raises(TransportError, match="another caller has been discovering") as error:
            discovering(lock).acquire_or_wait()
    assert error.value.retryable


@pytest.mark.anyio
@both_backends
async def test_tasks_stop_waiting_for_a_lock_holder_that_never_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doorkey.renewal.leader_lock.MAX_WAIT", 0.01)
    lock = LeaderLock()
    assert await discovering(lock).acquire_or_wait_async()
    with pytest.raises(OAuthError, match="another caller has been discovering"):
        await discovering(lock).acquire_or_wait_async()


@one_of_each
def test_the_pause_after_a_failed_discovery_is_ended_by_retry_now_of_a_source(
    source: Maker, hostile: Hostile, clock: Clock
) -> None:
    hostile.on(WELL_KNOWN, reply(500), published(hostile))
    hostile.on("/token", token("at"))
    asking = source(ClientCredentials("c", "s"), issuer=hostile.url(""), clock=clock)
    for _ in range(2):
        with pytest.raises(OAuthError):
            asking.token()
    assert len(hostile.to(WELL_KNOWN)) == 1, "the second call is in the pause"
    asking.native.retry_now()
    assert asking.access_token() == "at"
