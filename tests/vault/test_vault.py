"""What a program sees of a vault: save, source, forget, and what it may be constructed with."""

import asyncio
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import doorkey.vault
from doorkey.auth import OAuth2Auth
from doorkey.dev import Provider
from doorkey.errors import MissingTokenError, RecordError, StoreError, UsageError
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.protocol.client_auth import client_secret_post
from doorkey.stores import AsyncMemoryStore, MemoryStore, Record
from doorkey.vault import AsyncTokenVault, TokenVault
from doorkey.wire.limits import ExchangePolicy
from tests.support.backends import both_backends
from tests.support.fake_clock import START
from tests.support.hostile_server import Hostile, reply, token
from tests.vault.arrivals import Arrivals
from tests.vault.conftest import OLD

VaultOn = Callable[..., TokenVault]


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as running:
        yield running


def access(vault: TokenVault, key: str = "u") -> str:
    return vault.source(key).token().access_token.reveal()


def test_what_fetch_token_returned_is_saved_renewed_and_forgotten(provider: Provider) -> None:
    issuer = provider.issuer_of("rotating")
    endpoint = f"{issuer}/protocol/openid-connect/token"
    with (
        OAuth2Session("client-1", "my-secret", token_endpoint=endpoint, clock=provider.clock) as session,
        TokenVault(
            MemoryStore(), client_id="client-1", client_secret="my-secret", issuer=issuer, clock=provider.clock
        ) as vault,
    ):
        first = session.fetch_token(username="alice", password="wonderland", scope="openid")
        vault.save("u", first)
        assert access(vault) == first.access_token
        for _ in range(3):
            provider.advance(301)
            before = provider.token_requests
            renewed = vault.source("u").token()
            assert str(renewed.scope) == first.scope
            assert renewed.access_token.reveal() != first.access_token
            assert provider.token_requests == before + 1
        vault.forget("u")
        with pytest.raises(MissingTokenError, match="log in again"):
            access(vault)


@pytest.mark.anyio
@both_backends
async def test_the_asynchronous_vault_does_the_same(
    async_vault: AsyncTokenVault, hostile: Hostile, clock: Arrivals
) -> None:
    hostile.on("/token", token("at-2", refresh_token="rt-2"))
    await async_vault.save("u", OLD)
    assert (await async_vault.source("u").token()).access_token.reveal() == "at-1"
    clock.advance(300)
    assert (await async_vault.source("u").token()).access_token.reveal() == "at-2"
    await async_vault.forget("u")
    with pytest.raises(MissingTokenError):
        await async_vault.source("u").token()
    await async_vault.forget("u")
    await async_vault.aclose()


def test_a_token_without_expires_at_counts_from_the_moment_of_saving(vault: TokenVault, clock: Arrivals) -> None:
    vault.save("u", {"access_token": "at-1", "expires_in": 300})
    assert vault.source("u").token().expires_at == START + 300


def test_the_request_names_the_client_the_audience_and_the_refresh_token(
    vault_on: VaultOn, hostile: Hostile, clock: Arrivals
) -> None:
    hostile.on("/token", token("at-2"))
    vault = vault_on(token_endpoint_auth_method="client_secret_post", audience="api", resource=("https://r.example",))
    vault.save("u", OLD)
    clock.advance(300)
    access(vault)
    (request,) = hostile.token_requests
    assert request.form == {
        "grant_type": "refresh_token",
        "refresh_token": "rt-1",
        "audience": "api",
        "resource": "https://r.example",
        "client_id": "app",
        "client_secret": "s",
    }


def test_a_refresh_token_that_is_not_replaced_is_kept_and_so_is_the_scope(
    vault: TokenVault, hostile: Hostile, clock: Arrivals
) -> None:
    hostile.on("/token", token("at-2"), token("at-3"))
    vault.save("u", {**OLD, "scope": "a b"})
    for _ in range(2):
        clock.advance(300)
        access(vault)
    renewed = vault.source("u").token()
    assert renewed.refresh_token is not None
    assert (renewed.refresh_token.reveal(), str(renewed.scope)) == ("rt-1", "a b")


def test_a_refused_access_token_is_replaced_though_it_has_not_expired(
    vault: TokenVault, hostile: Hostile, clock: Arrivals
) -> None:
    hostile.on("/token", token("at-2"))
    vault.save("u", OLD)
    source = vault.source("u")
    assert source.reject(source.token())
    assert access(vault) == "at-2"
    source.reject(source.token())
    assert len(hostile.token_requests) == 1


def test_the_auth_object_renews_once_on_401(vault: TokenVault, hostile: Hostile) -> None:
    import requests

    hostile.on("/token", token("at-2"))
    hostile.on("/api", reply(401), reply(200))
    vault.save("u", OLD)
    with requests.Session() as session:
        assert session.get(hostile.url(), auth=OAuth2Auth(vault.source("u"))).status_code == 200
    assert [request.token for request in hostile.to("/api")] == ["at-1", "at-2"]


def test_what_another_process_has_renewed_is_used_after_a_401(
    vault_on: VaultOn, hostile: Hostile, clock: Arrivals
) -> None:
    hostile.on("/token", token("at-2"))
    store = MemoryStore()
    here, there = vault_on(store), vault_on(store)
    here.save("u", OLD)
    refused = here.source("u").token()
    there.source("u").reject(there.source("u").token())
    assert access(there) == "at-2"
    here.source("u").reject(refused)
    assert access(here) == "at-2"
    assert len(hostile.token_requests) == 1


def test_what_another_process_saves_or_forgets_is_seen_within_check_every(vault_on: VaultOn, clock: Arrivals) -> None:
    store = MemoryStore()
    here, there = vault_on(store, check_every=30), vault_on(store)
    here.save("u", OLD)
    there.save("u", {**OLD, "access_token": "at-9"})
    assert access(here) == "at-1"
    clock.advance(30)
    assert access(here) == "at-9"
    there.forget("u")
    clock.advance(30)
    with pytest.raises(MissingTokenError):
        access(here)


def test_a_key_that_was_forgotten_here_is_not_brought_back_by_a_renewal_that_was_under_way(
    vault: TokenVault, hostile: Hostile, clock: Arrivals
) -> None:
    from tests.support.every_adapter import in_background
    from tests.support.hostile_server import Held

    held = Held(token("at-2"))
    hostile.on("/token", held)
    vault.save("u", OLD)
    clock.advance(300)
    with in_background(lambda: access(vault)) as outcome:
        held.wait_for_arrival()
        vault.forget("u")
        held.release.set()
        with pytest.raises(MissingTokenError):
            outcome()
    with pytest.raises(MissingTokenError):
        access(vault)


def test_whatever_a_custom_store_raises_is_a_store_error(vault_on: VaultOn) -> None:
    class Broken(MemoryStore):
        def load(self, key: str) -> Any:
            raise KeyError(key)

    with pytest.raises(StoreError, match="KeyError") as caught:
        access(vault_on(Broken()))
    assert isinstance(caught.value.__cause__, StoreError)
    assert isinstance(caught.value.__cause__.__cause__, KeyError)


class FourCalls:
    """A store of a user's own: what the protocol asks for, and nothing else."""

    def __init__(self) -> None:
        self.kept = MemoryStore()

    def load(self, key: str) -> Any:
        return self.kept.load(key)

    def try_lease(self, key: str, seconds: float) -> Any:
        return self.kept.try_lease(key, seconds)

    def commit(self, key: str, data: bytes | None, *, expected: int) -> Any:
        return self.kept.commit(key, data, expected=expected)

    def release(self, lease: Any) -> None:
        self.kept.release(lease)


class AsyncFourCalls:
    """The same, awaited."""

    def __init__(self) -> None:
        self.kept = FourCalls()

    async def load(self, key: str) -> Any:
        return self.kept.load(key)

    async def try_lease(self, key: str, seconds: float) -> Any:
        return self.kept.try_lease(key, seconds)

    async def commit(self, key: str, data: bytes | None, *, expected: int) -> Any:
        return self.kept.commit(key, data, expected=expected)

    async def release(self, lease: Any) -> None:
        self.kept.release(lease)


def test_a_store_of_four_calls_is_one(hostile: Hostile, clock: Arrivals) -> None:
    hostile.on("/token", token("at-2"))
    known: dict[str, Any] = {"client_id": "app", "token_endpoint": hostile.token_endpoint, "clock": clock}
    with TokenVault(FourCalls(), **known) as vault:
        vault.save("u", OLD)
        clock.advance(300)
        assert access(vault) == "at-2"
        vault.forget("u")


@pytest.mark.anyio
@both_backends
async def test_an_asynchronous_store_of_four_calls_is_one(hostile: Hostile, clock: Arrivals) -> None:
    hostile.on("/token", token("at-2"))
    known: dict[str, Any] = {"client_id": "app", "token_endpoint": hostile.token_endpoint, "clock": clock}
    async with AsyncTokenVault(AsyncFourCalls(), **known) as vault:
        await vault.save("u", OLD)
        clock.advance(300)
        assert (await vault.source("u").token()).access_token.reveal() == "at-2"
        await vault.forget("u")


@pytest.mark.parametrize("missing", ["load", "try_lease", "commit", "release"])
def test_a_call_that_a_store_lacks_is_named(missing: str, vault_on: VaultOn) -> None:
    store: Any = FourCalls()
    setattr(store, missing, None)
    with pytest.raises(UsageError, match=rf"FourCalls has no {missing}\(\)"):
        vault_on(store)


Answer = Callable[[Any], Any]
BROKEN: dict[str, tuple[str, Answer]] = {
    "load() must return a Record, or None, not tuple": ("load", lambda record: (record.version, record.data)),
    "the data of a Record must be bytes, not str": (
        "load",
        lambda record: Record(record.version, record.data.decode()),
    ),
    "the version of a Record must be a number, not str": ("load", lambda record: Record("1", record.data)),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    "try_lease() must return a Lease, or None, not bool": ("try_lease", bool),
    "what it returned must be a number, not NoneType": ("commit", lambda version: None),
    "what it returned must be a number, not bool": ("commit", bool),
}


@pytest.mark.parametrize("message", BROKEN)
def test_what_a_custom_store_returns_that_it_should_not_is_a_store_error(
    message: str, vault_on: VaultOn, clock: Arrivals
) -> None:
    call, broken = BROKEN[message]
    store: Any = FourCalls()
    vault_on(store).save("u", OLD)
    whole = getattr(store, call)

    def does(*given: Any, **named: Any) -> Any:
        return broken(whole(*given, **named))

    setattr(store, call, does)
    clock.advance(300)
    vault = vault_on(store)
    with pytest.raises(StoreError, match=re.escape(message)):
        vault.save("u", OLD) if call == "commit" else access(vault)


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_bytes_of_another_kind_are_bytes(kind: Callable[[bytes], Any], vault_on: VaultOn) -> None:
    store: Any = FourCalls()
    vault_on(store).save("u", OLD)
    whole = store.load

    def load(key: str) -> Record:
        return Record(1, kind(whole(key).data))

    store.load = load
    assert access(vault_on(store)) == "at-1"


BAD: dict[str, dict[str, Any]] = {
    "there is no client authentication method 'none_such'": {"token_endpoint_auth_method": "none_such"},
    "the authorization server is missing": {"token_endpoint": None},
    "leeway must be a number": {"leeway": -1},
    "check_every must be a number": {"check_every": float("nan")},
    "max_sources": {"max_sources": 0},
    "max_idle": {"max_idle": 0},
    "needs a client_id": {"client_id": ""},
    r"a store of doorkey.stores, such as SQLiteStore\(path\), .*: str is no store": {"store": "tokens.db"},
    "this vault is synchronous": {"store": AsyncMemoryStore()},
    "the deadline of a vault's exchange= is at most 595 s": {"exchange": ExchangePolicy(deadline=596)},
    "sleep must be a callable .* and not a coroutine function": {"sleep": asyncio.sleep},
}


@pytest.mark.parametrize("message", BAD)
def test_an_option_that_cannot_be_is_refused_when_the_vault_is_made(message: str, vault_on: VaultOn) -> None:
    with pytest.raises(UsageError, match=message):
        vault_on(**BAD[message])


def test_an_asynchronous_vault_needs_an_asynchronous_store() -> None:
    store: Any = MemoryStore()
    with pytest.raises(UsageError, match="this vault is asynchronous"):
        AsyncTokenVault(store, client_id="app", token_endpoint="https://as.example/token")


@pytest.mark.parametrize("key", ["", "nul\0", "x" * 1025, None, 7])
def test_a_key_that_no_store_takes_is_refused_at_once(key: Any, vault: TokenVault) -> None:
    calls: list[Callable[[], object]] = [
        lambda: vault.source(key),
        lambda: vault.client(key),
        lambda: vault.forget(key),
        lambda: vault.save(key, OLD),
    ]
    for call in calls:
        with pytest.raises(UsageError):
            call()


@pytest.mark.parametrize("bad", [None, "at-1", {}, {"access_token": ""}, {"access_token": "a", "x": object()}])
def test_a_value_that_is_not_a_token_is_not_saved(bad: Any, vault: TokenVault) -> None:
    with pytest.raises(UsageError):
        vault.save("u", bad)
    with pytest.raises(MissingTokenError):
        access(vault)


def test_a_callable_is_taken_for_client_authentication(vault_on: VaultOn, hostile: Hostile, clock: Arrivals) -> None:
    hostile.on("/token", token("at-2"))
    vault = vault_on(token_endpoint_auth_method=client_secret_post)
    vault.save("u", OLD)
    clock.advance(300)
    access(vault)
    assert hostile.token_requests[0].form["client_secret"] == "s"


def test_nothing_that_is_shown_of_a_vault_holds_a_secret(vault: TokenVault, caplog: pytest.LogCaptureFixture) -> None:
    vault.save("u", OLD)
    shown = [repr(vault), repr(vault.source("u")), repr(vault.client("u")), caplog.text]
    shown += [repr(vars(vault)), repr(vault._live("u").state.memory.held)]
    assert not any(secret in text for text in shown for secret in ("at-1", "rt-1"))


def test_record_errors_are_not_taken_for_an_outage(vault_on: VaultOn) -> None:
    assert not issubclass(RecordError, StoreError)
    assert doorkey.vault.__all__ == ["AsyncTokenVault", "AsyncVaultSource", "TokenVault", "VaultSource"]
