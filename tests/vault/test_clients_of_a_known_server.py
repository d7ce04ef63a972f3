"""Sessions of a vault know what the vault knows of the server; a rejected pause and a long leeway in a vault."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from doorkey import ClientCredentials
from doorkey.errors import OAuthError
from doorkey.stores import AsyncMemoryStore
from doorkey.vault import AsyncTokenVault, TokenVault
from tests.support.backends import both_backends
from tests.support.fake_clock import START
from tests.support.hostile_server import Hostile, reply, token
from tests.vault.arrivals import Arrivals
from tests.vault.conftest import OLD

WELL_KNOWN = "/.well-known/openid-configuration"
CLIENT = ClientCredentials("app", "s")
HOW = ["issuer", "issuer and token endpoint", "metadata"]


def described(hostile: Hostile) -> dict[str, str]:
    return {
        "issuer": hostile.url(""),
        "token_endpoint": hostile.token_endpoint,
        "revocation_endpoint": hostile.url("/revoke"),
        "introspection_endpoint": hostile.url("/introspect"),
    }


def given(hostile: Hostile, how: str) -> dict[str, Any]:
    hostile.on(WELL_KNOWN, reply(json=described(hostile)))
    hostile.on("/revoke", reply(200))
    hostile.on("/introspect", reply(json={"active": True}))
    if how == "issuer":
        return {"token_endpoint": None, "issuer": hostile.url("")}
    if how == "issuer and token endpoint":
        return {"token_endpoint": hostile.token_endpoint, "issuer": hostile.url("")}
    return {"token_endpoint": None, "metadata": described(hostile)}


def undiscovered(hostile: Hostile) -> str:
    """Return an issuer whose first discovery fails."""
    hostile.on(WELL_KNOWN, reply(500), reply(json=described(hostile)))
    hostile.on("/token", token("at-2"))
    return hostile.url("")


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("kind", [None, httpx2.Client], ids=["requests", "httpx2"])
def test_a_session_of_a_vault_revokes_and_introspects_without_an_url(
    vault_on: Callable[..., TokenVault], hostile: Hostile, how: str, kind: Any
) -> None:
    vault = vault_on(**given(hostile, how))
    vault.save("u", OLD)
    with vault.client("u", kind) as session:
        assert session.introspect_token()["active"] is True
        session.revoke_token()
    assert [hostile.to(path)[0].form["token"] for path in ("/introspect", "/revoke")] == ["rt-1", "rt-1"]


@pytest.mark.anyio
@pytest.mark.parametrize("how", HOW)
async def test_a_client_of_an_asynchronous_vault_does_too(hostile: Hostile, clock: Arrivals, how: str) -> None:
    options = given(hostile, how)
    vault = AsyncTokenVault(AsyncMemoryStore(), client_id="app", client_secret="s", clock=clock, **options)
    await vault.save("u", OLD)
    kind: Any = httpx2.AsyncClient
    async with vault.client("u", kind) as session:
        assert (await session.introspect_token())["active"] is True
        await session.revoke_token()
    assert [hostile.to(path)[0].form["token"] for path in ("/introspect", "/revoke")] == ["rt-1", "rt-1"]


def test_an_error_in_a_pause_of_a_vault_says_when_the_next_request_is_made_and_it_can_be_made_at_once(
    vault: TokenVault, hostile: Hostile, clock: Arrivals
) -> None:
    hostile.on("/token", reply(500), token("at-2"))
    vault.save("u", OLD)
    clock.advance(300)
    source = vault.source("u")
    with pytest.raises(OAuthError) as first:
        source.token()
    assert first.value.retry_at is None
    with pytest.raises(OAuthError) as told:
        source.token()
    assert told.value.retry_at is not None
    assert 300.25 <= told.value.retry_at - START <= 300.5
    assert len(hostile.token_requests) == 1
    source.retry_now()
    assert source.token().access_token.reveal() == "at-2"


@pytest.mark.parametrize("how", ["saved", "credentials"])
def test_retry_now_of_a_source_of_a_vault_ends_the_pause_after_a_failed_discovery(
    vault_on: Callable[..., TokenVault], hostile: Hostile, clock: Arrivals, how: str
) -> None:
    vault = vault_on(issuer=undiscovered(hostile), token_endpoint=None)
    vault.save("u", OLD)
    clock.advance(300)
    source = vault.source("u") if how == "saved" else vault.source_of(CLIENT)
    for _ in range(2):
        with pytest.raises(OAuthError):
            source.token()
    assert len(hostile.to(WELL_KNOWN)) == 1, "the second call is in the pause"
    source.retry_now()
    assert source.token().access_token.reveal() == "at-2"


def test_retry_now_of_a_session_of_a_vault_ends_the_pause_of_its_key(
    vault_on: Callable[..., TokenVault], hostile: Hostile, clock: Arrivals
) -> None:
    vault = vault_on()
    hostile.on("/token", reply(500), token("at-2"))
    vault.save("u", OLD)
    clock.advance(300)
    with vault.client("u") as session:
        for _ in range(2):
            with pytest.raises(OAuthError):
                session.ensure_active_token()
        assert len(hostile.token_requests) == 1, "the second call is in the pause"
        session.retry_now()
        assert session.ensure_active_token()
    assert vault.source("u").token().access_token.reveal() == "at-2"


@both_backends
@pytest.mark.anyio
@pytest.mark.parametrize("how", ["saved", "credentials"])
async def test_retry_now_of_a_source_of_an_asynchronous_vault_does_too(
    hostile: Hostile, clock: Arrivals, how: str
) -> None:
    how_known: dict[str, Any] = {"client_id": "app", "client_secret": "s", "issuer": undiscovered(hostile)}
    vault = AsyncTokenVault(AsyncMemoryStore(), clock=clock, **how_known)
    await vault.save("u", OLD)
    clock.advance(300)
    source = vault.source("u") if how == "saved" else vault.source_of(CLIENT)
    for _ in range(2):
        with pytest.raises(OAuthError):
            await source.token()
    assert len(hostile.to(WELL_KNOWN)) == 1, "the second call is in the pause"
    source.retry_now()
    assert (await source.token()).access_token.reveal() == "at-2"
    await vault.aclose()


def test_a_leeway_of_a_vault_counts_up_to_half_of_the_lifetime_and_is_warned_of_once(
    vault_on: Callable[..., TokenVault], hostile: Hostile, clock: Arrivals
) -> None:
    answers = [token(f"at-{turn}", refresh_token=f"rt-{turn}", expires_in=60) for turn in (2, 3)]
    hostile.on("/token", *answers)
    vault = vault_on(leeway=600)
    vault.save("u", OLD)
    clock.advance(300)
    with pytest.warns(RuntimeWarning, match="leeway=600 is not shorter than the lifetime"):
        assert vault.source("u").token().access_token.reveal() == "at-2"
    clock.advance(29)
    assert vault.source("u").token().access_token.reveal() == "at-2"
    clock.advance(1)
    assert vault.source("u").token().access_token.reveal() == "at-3"
