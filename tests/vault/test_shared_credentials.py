"""Credentials whose token all threads, tasks and processes share through the store: one requests it for all."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import httpx2
import pytest

from doorkey.auth import OAuth2Auth
from doorkey.credentials import (
    ClientCredentials,
    Credentials,
    JWTBearer,
    RefreshToken,
    ResourceOwnerCredentials,
    TokenExchange,
)
from doorkey.errors import InvalidGrant, OAuthError, ServerError, UsageError
from doorkey.stores import MemoryStore, Sealer
from doorkey.tokens import OAuthToken
from doorkey.vault import AsyncTokenVault, TokenVault
from doorkey.vault.credentials import shared_credentials
from tests.support.backends import both_backends
from tests.support.every_adapter import in_background, together
from tests.support.hostile_server import Exchange, Held, Hostile, reply, token
from tests.support.source_requests import EVERY_VALUE
from tests.vault.arrivals import Arrivals
from tests.vault.backends import SQLiteFile
from tests.vault.fleet import Answer, Fleet, Member, fleet, rotating_provider
from tests.vault.test_one_process import outcomes_of
from tests.vault.worker import Order

VaultOn = Callable[..., TokenVault]
APP = ClientCredentials("app", scopes=("read", "write"))
REFUSED = reply(400, json={"error": "invalid_grant"})
FOUR = ("blocking", "asyncio", "trio", "blocking")


def text(got: OAuthToken) -> str:
    return got.access_token.reveal()


def grants(hostile: Hostile) -> list[str]:
    return [request.form["grant_type"] for request in hostile.token_requests]


# -- one request for all -----------------------------------------------------------------------------------------------


def test_threads_that_share_credentials_make_one_request(vault: TokenVault, hostile: Hostile, clock: Arrivals) -> None:
    held = Held(token("at-1"))
    hostile.on("/token", held)
    clock.expect(16)
    with in_background(lambda: together(16, lambda: text(vault.source_of(APP).token()))) as outcome:
        held.wait_for_arrival()
        clock.wait()
        held.release.set()
        assert outcome() == ["at-1"] * 16
    (request,) = hostile.token_requests
    assert request.form == {"grant_type": "client_credentials", "scope": "read write"}
    assert (request.header("authorization") or "").startswith("Basic ")


@pytest.mark.anyio
@both_backends
async def test_tasks_that_share_credentials_make_one_request(
    async_vault: AsyncTokenVault, hostile: Hostile, clock: Arrivals
) -> None:
    hostile.on("/token", token("at-1"), token("at-2"))
    assert await outcomes_of(async_vault.source_of(APP), 16) == ["at-1"] * 16
    clock.advance(300)
    assert await outcomes_of(async_vault.source_of(APP), 16) == ["at-2"] * 16
    assert grants(hostile) == ["client_credentials"] * 2


def one_token(answers: dict[Member, Answer]) -> str | None:
    tokens = {answer.token for answer in answers.values() if not answer.died}
    assert len(tokens) == 1, answers
    return tokens.pop()


def test_processes_that_share_credentials_make_one_request_for_each_token(tmp_path: Path) -> None:
    store = SQLiteFile(tmp_path / "tokens.db")
    with (
        rotating_provider() as provider,
        fleet(provider, store.kind, store.address, FOUR, credentials=True) as four,
    ):
        seen: list[str | None] = []
        for number in range(1, 6):
            seen.append(one_token(four.ask()))
            assert provider.token_requests == number
            four.expire()
        assert len(set(seen)) == len(seen)
        assert None not in seen
        assert [request.status for request in provider.requests] == [200] * 5
        _lose_the_response(four, store)


def _lose_the_response(four: Fleet, store: SQLiteFile) -> None:
    """Kill the process that holds the lease between the response and the commit: the others request another token."""
    before = four.provider.token_requests
    one = four.members[0]
    one.order(Order(four.now, die_leading=3))
    assert one.answer().died
    assert one.holds
    store.expire_leases()
    four.members.remove(one)
    assert one_token(four.ask()) is not None
    assert four.provider.token_requests == before + 2


def test_another_vault_reads_the_token_from_the_store(vault_on: VaultOn, hostile: Hostile, clock: Arrivals) -> None:
    hostile.on("/token", token("at-1"), token("at-2"))
    store = MemoryStore()
    one, other = vault_on(store), vault_on(store)
    assert text(one.source_of(APP).token()) == "at-1"
    assert text(other.source_of(APP).token()) == "at-1"
    clock.advance(300)
    assert text(other.source_of(APP).token()) == "at-2"
    assert text(one.source_of(APP).token()) == "at-2"
    assert len(hostile.token_requests) == 2


def test_the_record_of_shared_credentials_is_sealed(vault_on: VaultOn, hostile: Hostile) -> None:
    hostile.on("/token", token("at-secret"))
    store, sealer = MemoryStore(), Sealer({"1": bytes(range(32))}, "1")
    assert text(vault_on(store, sealer=sealer).source_of(APP, key="own").token()) == "at-secret"
    record = store.load("own")
    assert record is not None
    assert b"at-secret" not in record.data
    assert text(vault_on(store, sealer=sealer).source_of(APP, key="own").token()) == "at-secret"
    assert len(hostile.token_requests) == 1


# -- which record ------------------------------------------------------------------------------------------------------


def test_the_order_of_scopes_does_not_matter_and_other_scopes_have_another_token(
    vault: TokenVault, hostile: Hostile
) -> None:
    hostile.on("/token", token("at-1"), token("at-2"), token("at-3"))
    assert text(vault.source_of(APP).token()) == "at-1"
    assert text(vault.source_of(ClientCredentials("app", scopes=("write", "read"))).token()) == "at-1"
    assert text(vault.source_of(ClientCredentials("app", scopes=("read",))).token()) == "at-2"
    alice = ResourceOwnerCredentials("app", scopes=("read",)).with_username_password("alice", "wonderland")
    assert text(vault.source_of(alice).token()) == "at-3"


def test_vaults_of_two_servers_on_one_store_do_not_share_a_token(vault_on: VaultOn, hostile: Hostile) -> None:
    hostile.on("/token", token("at-1"))
    hostile.on("/other", token("at-2"))
    store = MemoryStore()
    assert text(vault_on(store).source_of(APP).token()) == "at-1"
    assert text(vault_on(store, token_endpoint=hostile.url("/other")).source_of(APP).token()) == "at-2"


def test_each_subject_of_an_exchange_has_the_key_that_it_is_given(vault: TokenVault, hostile: Hostile) -> None:
    hostile.on("/token", token("at-1"), token("at-2"))
    for key, subject, expected in (("a", "st-1", "at-1"), ("b", "st-2", "at-2"), ("a", "st-1", "at-1")):
        assert text(vault.source_of(TokenExchange("app", subject_token=subject), key=key).token()) == expected
    assert [request.form["subject_token"] for request in hostile.token_requests] == ["st-1", "st-2"]


def test_options_that_the_credentials_do_not_set_are_the_vaults(vault_on: VaultOn, hostile: Hostile) -> None:
    hostile.on("/token", token("at-1"), token("at-2"))
    vault = vault_on(audience="api", token_endpoint_auth_method="client_secret_post")
    vault.source_of(ClientCredentials("app")).token()
    vault.source_of(ClientCredentials("app", "own", audience=("other",), auth_methods=("client_secret_post",))).token()
    sent = [(request.form["client_secret"], request.form["audience"]) for request in hostile.token_requests]
    assert sent == [("s", "api"), ("own", "other")]


def test_every_option_but_the_client_and_its_scopes_is_the_vaults() -> None:
    assert set(EVERY_VALUE) == {one.name for one in fields(Credentials)}
    of_the_vault = Credentials(**EVERY_VALUE)
    unused: Any = object
    shared = shared_credentials(
        ClientCredentials("client-1"), None, of_the_vault, "https://as.example", lambda _: unused()
    )
    changed = [name for name in EVERY_VALUE if getattr(shared.credentials, name) != getattr(of_the_vault, name)]
    assert (changed, shared.credentials.scopes) == (["scopes"], ())


WRONG: dict[str, tuple[Any, Any, str]] = {
    "no credentials": ("app", None, "takes credentials"),
    "another client": (ClientCredentials("other"), None, "another client"),
    "a refresh token": (RefreshToken("app", refresh_token="rt-1"), None, "once only"),
    "one assertion": (JWTBearer("app", assertion="x.y.z"), "k", "once only"),
    "an exchange without a key": (TokenExchange("app", subject_token="st"), None, "pass key="),
    "assertions without a key": (JWTBearer("app", assertion=lambda: "x.y.z"), None, "pass key="),
    "a key that is none": (APP, "", "non-empty"),
    "a base class": (Credentials("app"), None, "pass key="),
}


@pytest.mark.parametrize(("credentials", "key", "problem"), WRONG.values(), ids=WRONG)
def test_credentials_that_cannot_be_shared_are_refused(
    credentials: Any, key: Any, problem: str, vault: TokenVault, async_vault: AsyncTokenVault
) -> None:
    for one in (vault, async_vault):
        with pytest.raises(UsageError, match=problem):
            one.source_of(credentials, key=key)


# -- renewal -----------------------------------------------------------------------------------------------------------


def test_a_refresh_token_is_used_and_the_credentials_follow_when_it_is_refused(
    vault_on: VaultOn, hostile: Hostile, clock: Arrivals
) -> None:
    hostile.on("/token", token("at-1", refresh_token="rt-1"), token("at-2"), REFUSED, token("at-3"))
    store = MemoryStore()
    for expected in ("at-1", "at-2", "at-3"):
        assert text(vault_on(store).source_of(APP).token()) == expected
        clock.advance(300)
    assert grants(hostile) == ["client_credentials", "refresh_token", "refresh_token", "client_credentials"]


def test_a_rejected_token_is_replaced_for_all_processes(vault_on: VaultOn, hostile: Hostile) -> None:
    hostile.on("/token", token("at-1"), token("at-2"))
    hostile.on("/api", reply(401), reply(200), reply(401), reply(200))
    store = MemoryStore()
    sources = [vault_on(store).source_of(APP) for _ in range(2)]
    assert [text(source.token()) for source in sources] == ["at-1"] * 2
    for source in sources:
        with httpx2.Client(auth=OAuth2Auth(source)) as client:
            assert client.get(hostile.url()).status_code == 200
    assert [request.token for request in hostile.to("/api")] == ["at-1", "at-2"] * 2
    assert len(hostile.token_requests) == 2


def test_a_refused_password_is_no_lasting_state_of_the_record(
    vault_on: VaultOn, hostile: Hostile, clock: Arrivals
) -> None:
    hostile.on("/token", token("at-1"), REFUSED, token("at-2"))
    alice = ResourceOwnerCredentials("app").with_username_password("alice", "wonderland")
    store = MemoryStore()
    assert text(vault_on(store).source_of(alice).token()) == "at-1"
    clock.advance(300)
    with pytest.raises(InvalidGrant):
        vault_on(store).source_of(alice).token()
    assert text(vault_on(store).source_of(alice).token()) == "at-2"


def test_a_failed_request_is_followed_by_a_pause(vault: TokenVault, hostile: Hostile, clock: Arrivals) -> None:
    hostile.on("/token", reply(401, json={"error": "invalid_client"}), token("at-1"))
    source = vault.source_of(APP)
    with pytest.raises(ServerError, match="invalid_client"):
        source.token()
    with pytest.raises(ServerError, match="invalid_client") as paused:
        source.token()
    assert paused.value.retry_at is not None
    assert len(hostile.token_requests) == 1
    source.retry_now()
    assert text(source.token()) == "at-1"


def test_a_record_that_is_deleted_during_the_request_is_written_again(
    vault_on: VaultOn, hostile: Hostile, clock: Arrivals
) -> None:
    store = MemoryStore()

    def delete(exchange: Exchange) -> None:
        record = store.load("k")
        assert record is not None
        store.commit("k", None, expected=record.version)
        exchange.send(token("at-2"))

    hostile.on("/token", token("at-1"), delete, token("at-3"))
    source = vault_on(store).source_of(APP, key="k")
    assert text(source.token()) == "at-1"
    clock.advance(300)
    assert text(source.token()) == "at-3"
    assert text(vault_on(store).source_of(APP, key="k").token()) == "at-3"


def test_a_store_that_lost_everything_costs_one_more_request(vault_on: VaultOn, hostile: Hostile) -> None:
    hostile.on("/token", token("at-1"), token("at-2"))
    store = MemoryStore()
    source = vault_on(store, check_every=0).source_of(APP, key="k")
    assert text(source.token()) == "at-1"
    store.commit("k", None, expected=1)
    assert text(source.token()) == "at-2"
    assert text(source.token()) == "at-2"


def test_a_token_that_is_still_good_outlives_the_server(vault: TokenVault, hostile: Hostile, clock: Arrivals) -> None:
    hostile.on("/token", token("at-1"), reply(503))
    source = vault.source_of(APP)
    source.token()
    clock.advance(270)
    assert text(source.token()) == "at-1"
    clock.advance(60)
    with pytest.raises(OAuthError):
        source.token()
