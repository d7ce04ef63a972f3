"""Tokens that are bound to a key (RFC 9449): asked for with a proof of the key, and never sent as Bearer.

doorkey makes no proofs yet; a program may make them, in a header, a hook or a client authentication method.
"""

from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from doorkey import AsyncTokenSource, ClientCredentials, OAuth2Auth, TokenSource
from doorkey.errors import InvalidResponse, UsageError
from doorkey.stores import MemoryStore
from doorkey.vault import TokenVault
from tests.support.every_adapter import Adapter, Client
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import Hostile, reply, token

BOUND = token("at-2", token_type="DPoP", refresh_token="rt-2")
BEARER = token("at-2", refresh_token="rt-2")
PROOF = "a-proof"
OLD = {"access_token": "at-1", "refresh_token": "rt-1", "expires_in": 300, "expires_at": START + 300}


def proving(client: Any, method: str, uri: str, headers: Any, body: str) -> Any:
    """A client authentication method that proves a key beside the client."""
    return uri, {**headers, "dpop": PROOF}, f"{body}&client_id={client.client_id}"


def _by_header(client: Client, url: str) -> object:
    return client.fetch_token(url, headers={"DPoP": PROOF})


def _by_auth(client: Client, url: str) -> object:
    return client.fetch_token(url, auth=proving)


def _by_name(client: Client, url: str) -> object:
    client.native.register_client_auth_method(("proving", proving))
    return client.fetch_token(url, auth="proving")


def _on_refresh(client: Client, url: str) -> object:
    return client.refresh_token(url, headers=[("dPoP", PROOF)])


def _by_hook(client: Client, url: str) -> object:
    def hook(url: str, headers: Any, body: Any) -> Any:
        return url, {**headers, "DPoP": PROOF}, body

    client.native.register_compliance_hook("refresh_token_request", hook)
    return client.refresh_token(url)


WAYS = {"header": _by_header, "auth": _by_auth, "method": _by_name, "refresh": _on_refresh, "hook": _by_hook}
every_way = pytest.mark.parametrize("ask", WAYS.values(), ids=WAYS.keys())


@pytest.fixture
def saved() -> list[str]:
    return []


@pytest.fixture
def client(adapter: Adapter, clock: Clock, saved: list[str]) -> Client:
    def save(token: Any, **_: str) -> None:
        saved.append(token.access_token)

    return adapter.client(token=OLD, clock=clock, update_token=save)


def is_refused(call: Callable[[], object]) -> InvalidResponse:
    with pytest.raises(InvalidResponse, match="DPoP") as caught:
        call()
    assert caught.value.problem == "not_sender_constrained"
    assert "at-2" not in str(caught.value)
    return caught.value


@every_way
def test_a_sender_constrained_token_was_asked_and_bearer_came(
    client: Client, hostile: Hostile, saved: list[str], ask: Callable[[Client, str], object]
) -> None:
    hostile.on("/token", BEARER)
    is_refused(lambda: ask(client, hostile.token_endpoint))
    assert [request.header("dpop") for request in hostile.token_requests] == [PROOF]
    assert (client.access_token, saved) == ("at-1", [])  # nothing of the answer is kept, and what was there stays
    assert client.token is not None
    assert client.token.refresh_token == "rt-1"


@every_way
def test_a_sender_constrained_token_that_was_asked_for_and_came_is_the_sessions(
    client: Client, hostile: Hostile, saved: list[str], ask: Callable[[Client, str], object]
) -> None:
    hostile.on("/token", BOUND)
    ask(client, hostile.token_endpoint)
    assert client.token is not None
    assert (client.token.token_type, client.access_token, saved) == ("DPoP", "at-2", ["at-2"])


def test_a_renewal_repeats_the_proof_and_is_held_to_it(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    hostile.on("/token", token("at-1", token_type="DPoP"), BEARER)
    client = adapter.client(clock=clock, token_endpoint=hostile.token_endpoint, token_endpoint_auth_method=proving)
    client.fetch_token()
    clock.advance(300)
    is_refused(client.ensure_active_token)
    assert client.access_token == "at-1"


# -- a bound token sent as Bearer is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize("placement", ["header", "body", "uri"])
def test_a_bound_token_sent_as_bearer_is_refused_and_the_error_says_what_to_do(
    adapter: Adapter, hostile: Hostile, clock: Clock, placement: str
) -> None:
    client = adapter.client(token={**OLD, "token_type": "DPoP"}, clock=clock, token_placement=placement)
    for verb in ("GET", "POST"):
        with pytest.raises(UsageError, match=r"not sent as Bearer.*auth= of your own.*RFC 9449") as caught:
            client.request(verb, hostile.url())
        assert "at-1" not in str(caught.value)
    assert hostile.received == []


def test_a_program_that_proves_the_key_sends_a_bound_token_itself(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    client = adapter.client(token={**OLD, "token_type": "DPoP"}, clock=clock)
    assert client.ensure_active_token()
    own = {"Authorization": f"DPoP {client.access_token}", "DPoP": PROOF}
    client.get(hostile.url(), headers=own)
    (request,) = hostile.to("/api")
    assert (request.header("authorization"), request.header("dpop")) == ("DPoP at-1", PROOF)


def test_a_renewal_after_a_401_that_brings_a_bound_token_sends_it_nowhere(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    hostile.on("/api", reply(401))
    hostile.on("/token", BOUND)
    client = adapter.client(token=OLD, clock=clock, token_endpoint=hostile.token_endpoint)
    with pytest.raises(UsageError, match="not sent as Bearer"):
        client.get(hostile.url())
    assert [request.token for request in hostile.to("/api")] == ["at-1"]


# -- sources, vaults and auth objects ----------------------------------------------------------------------------------

PROVING = ClientCredentials("c", auth_methods=(proving,))


def test_a_source_takes_no_bearer_token_where_a_bound_one_was_asked_for(hostile: Hostile, clock: Clock) -> None:
    hostile.on("/token", BEARER, BOUND)
    with TokenSource(PROVING, token_endpoint=hostile.token_endpoint, clock=clock) as source:
        is_refused(source.token)
        clock.advance(60)
        assert source.token().token_type == "DPoP"


@pytest.mark.anyio
async def test_nor_does_one_that_is_awaited(hostile: Hostile, clock: Clock) -> None:
    hostile.on("/token", BEARER)
    async with AsyncTokenSource(PROVING, token_endpoint=hostile.token_endpoint, clock=clock) as source:
        with pytest.raises(InvalidResponse) as caught:
            await source.token()
    assert caught.value.problem == "not_sender_constrained"


def test_a_vault_keeps_what_it_has_where_bearer_came_for_a_bound_token(hostile: Hostile, clock: Clock) -> None:
    hostile.on("/token", BEARER, BOUND)
    store = MemoryStore()
    options: dict[str, Any] = {"token_endpoint": hostile.token_endpoint, "token_endpoint_auth_method": proving}
    with TokenVault(store, client_id="c", clock=clock, **options) as vault:
        vault.save("user", {**OLD, "expires_at": START})
        before = store.load("user")
        is_refused(vault.source("user").token)
        assert store.load("user") == before
        clock.advance(60)
        assert vault.source("user").token().token_type == "DPoP"


def bound_auths(hostile: Hostile) -> list[OAuth2Auth]:
    """Auth objects of a token given once, and of credentials that get one."""
    hostile.on("/token", BOUND)
    given = {"access_token": "at-1", "token_type": "DPoP"}
    return [OAuth2Auth(given), OAuth2Auth(PROVING, token_endpoint=hostile.token_endpoint)]


def test_an_auth_object_sends_no_bound_token_as_bearer(adapter: Adapter, hostile: Hostile) -> None:
    for auth in bound_auths(hostile):
        with pytest.raises(UsageError, match="not sent as Bearer"):
            adapter.client().get(hostile.url(), auth=auth)
    assert hostile.to("/api") == []


@pytest.mark.anyio
async def test_nor_does_it_on_aiohttp(hostile: Hostile) -> None:
    for auth in bound_auths(hostile):
        async with aiohttp.ClientSession(middlewares=(auth,)) as session:
            with pytest.raises(UsageError, match="not sent as Bearer"):
                await session.get(hostile.url())
    assert hostile.to("/api") == []
