"""Renewals that return an ID token (OpenID Connect Core §12.2), compared before the access token is used or saved."""

from typing import Any

import pytest

from doorkey import AsyncTokenSource, AsyncTokenVault, RefreshToken, ResourceOwnerCredentials, TokenSource, TokenVault
from doorkey.errors import OAuthError, VerificationError
from doorkey.stores import AsyncMemoryStore, MemoryStore
from tests.support.openid_provider import CLIENT, SECRET
from tests.support.relying_party import RelyingParty


def saving(party: RelyingParty) -> list[tuple[dict[str, Any], dict[str, str]]]:
    """Have the session save its tokens, and return what it saves, with what each of them replaces."""
    saved: list[tuple[dict[str, Any], dict[str, str]]] = []

    def update_token(token: dict[str, Any], **replaced: str) -> None:
        saved.append((dict(token), replaced))

    party.options["update_token"] = party.adapter.function(update_token)
    return saved


def test_the_id_token_of_a_login_stays_where_a_renewal_returns_none(party: RelyingParty) -> None:
    first = party.log_in()
    party.provider.renewed_id_token = False
    second = party.client.refresh_token()
    assert second.access_token != first.access_token
    assert second["id_token"] == first["id_token"]
    assert second.id_token_claims is first.id_token_claims


@pytest.mark.parametrize(
    ("claim", "value"),
    [("sub", "another"), ("iss", "https://other.example"), ("aud", "another-client"), ("nonce", "another")],
)
def test_nothing_of_a_renewal_for_another_login_is_used_or_saved(
    party: RelyingParty, claim: str, value: object
) -> None:
    saved = saving(party)
    first = party.log_in()
    party.provider.changed = {claim: value}
    party.provider.clock.advance(290)
    with pytest.raises(VerificationError) as error:
        party.client.get(party.provider.server.url("/api"))
    assert error.value.claim == claim
    assert party.provider.request_count("/api") == 0
    assert party.client.access_token == first.access_token
    assert [token["access_token"] for token, _ in saved] == [first.access_token]


def test_a_later_login_in_another_browser_ends_the_renewals_unless_its_auth_time_is_allowed(
    party: RelyingParty,
) -> None:
    saved = saving(party)
    first = party.log_in(max_age=3600)
    party.provider.changed = {"auth_time": int(party.provider.clock()) + 5}
    party.provider.clock.advance(290)
    with pytest.raises(VerificationError, match="allow_changed_auth_time=True") as error:
        party.client.get(party.provider.server.url("/api"))
    assert error.value.claim == "auth_time"
    assert party.client.access_token == first.access_token
    assert party.client.token is not None
    assert party.client.token["refresh_token"] != first["refresh_token"]  # it is the same user's, and works once
    assert saved[-1][1] == {"refresh_token": first["refresh_token"]}
    tolerant = party.session(token=dict(party.client.token), allow_changed_auth_time=True)
    renewed = tolerant.refresh_token()
    assert renewed.id_token_claims is not None
    assert renewed.id_token_claims["auth_time"] == party.provider.changed["auth_time"]
    party.provider.changed |= {"sub": "another"}
    with pytest.raises(VerificationError, match="another user's"):
        tolerant.refresh_token()


def test_the_original_may_come_from_a_store(party: RelyingParty) -> None:
    stored = dict(party.log_in())
    party.provider.clock.advance(4000)  # the ID token itself expired long ago
    restored = party.session(token=stored)
    renewed = restored.refresh_token()
    assert renewed.id_token_claims is not None
    again = party.session(token=stored)
    party.provider.changed = {"sub": "another"}
    with pytest.raises(VerificationError, match="another user's"):
        again.refresh_token()


def test_a_rotated_refresh_token_is_kept_where_the_id_token_cannot_be_verified(party: RelyingParty) -> None:
    saved = saving(party)
    first = party.log_in()
    party.provider.forges = True
    with pytest.raises(OAuthError, match="signature"):
        party.client.refresh_token()
    assert party.client.token is not None
    assert party.client.token["access_token"] == first["access_token"]
    assert party.client.token["refresh_token"] != first["refresh_token"]
    kept, replaced = saved[-1]
    assert (kept["access_token"], kept["refresh_token"]) == (first["access_token"], party.client.token["refresh_token"])
    assert replaced == {"refresh_token": first["refresh_token"]}
    party.provider.forges = False
    renewed = party.client.refresh_token()
    assert renewed.id_token_claims is not None
    used = [request.form.get("refresh_token") for request in party.provider.server.token_requests]
    assert used[1:] == [first["refresh_token"], kept["refresh_token"]]


def test_callers_that_wait_for_a_renewal_that_is_not_verified_get_its_error(party: RelyingParty) -> None:
    from tests.support.every_adapter import together

    first = party.log_in()
    party.provider.forges = True
    party.provider.clock.advance(400)
    outcomes = together(4, lambda: party.client.get(party.provider.server.url("/api")))
    assert all(isinstance(outcome, VerificationError) for outcome in outcomes), outcomes
    assert party.provider.request_count("/api") == 0
    assert party.client.access_token == first.access_token


def test_a_source_compares_the_id_tokens_of_its_renewals(party: RelyingParty) -> None:
    provider, is_async = party.provider, party.adapter.kind.is_async
    credentials = RefreshToken(CLIENT, SECRET, refresh_token="rt-0")
    kind: Any = AsyncTokenSource if is_async else TokenSource
    source = kind(credentials, metadata=provider.metadata, clock=provider.clock)
    call = party.adapter.caller
    first = call(source.token)
    provider.clock.advance(400)
    assert call(source.token).access_token != first.access_token
    provider.changed = {"sub": "another"}
    provider.clock.advance(400)
    with pytest.raises(VerificationError, match="another user's"):
        call(source.token)
    call(source.aclose if is_async else source.close)


@pytest.mark.parametrize("allowed", [False, True])
def test_a_source_and_a_vault_accept_another_auth_time_only_where_it_is_allowed(
    party: RelyingParty, allowed: bool
) -> None:
    provider, is_async, call = party.provider, party.adapter.kind.is_async, party.adapter.caller
    login = party.log_in(max_age=3600)
    how: dict[str, Any] = {"metadata": provider.metadata, "clock": provider.clock}
    option: dict[str, Any] = {"allow_changed_auth_time": allowed}
    source_kind: Any = AsyncTokenSource if is_async else TokenSource
    vault_kind: Any = AsyncTokenVault if is_async else TokenVault
    vault = vault_kind(
        AsyncMemoryStore() if is_async else MemoryStore(), client_id=CLIENT, client_secret=SECRET, **how, **option
    )
    call(vault.save, "alice", login)
    source = source_kind(RefreshToken(CLIENT, SECRET, refresh_token="rt-0", **option), **how)
    provider.changed = {"auth_time": int(provider.clock())}
    call(source.token)  # the first ID token of the source has nothing to be compared with
    provider.changed = {"auth_time": int(provider.clock()) + 5}
    provider.clock.advance(400)
    for kind in (source, vault.source("alice")):
        if allowed:
            assert call(kind.token).access_token.reveal() != login.access_token
        else:
            with pytest.raises(VerificationError, match="allow_changed_auth_time=True"):
                call(kind.token)
    for one in (source, vault):
        call(one.aclose if is_async else one.close)


def test_a_vault_compares_the_id_tokens_of_its_renewals_and_stores_nothing_of_another_login(
    party: RelyingParty,
) -> None:
    provider, is_async, call = party.provider, party.adapter.kind.is_async, party.adapter.caller
    login = party.log_in()
    kind: Any = AsyncTokenVault if is_async else TokenVault
    store: Any = AsyncMemoryStore() if is_async else MemoryStore()
    how = {"client_id": CLIENT, "client_secret": SECRET, "metadata": provider.metadata, "clock": provider.clock}
    vault = kind(store, **how)
    call(vault.save, "alice", login)
    provider.clock.advance(400)
    renewed = call(vault.source("alice").token)
    assert renewed.access_token.reveal() != login.access_token
    provider.changed = {"sub": "another"}
    provider.clock.advance(400)
    with pytest.raises(VerificationError, match="another user's"):
        call(vault.source("alice").token)
    provider.changed = {}
    provider.clock.advance(400)  # a failure begins a pause
    again = call(vault.source("alice").token)
    used = [request.form.get("refresh_token") for request in provider.server.token_requests]
    assert used[-1] == used[-2] == renewed.refresh_token.reveal()
    assert again.access_token != renewed.access_token
    call(vault.aclose if is_async else vault.close)


@pytest.mark.parametrize("is_of_another", [False, True])
def test_a_rotated_refresh_token_is_kept_where_the_id_token_is_refused_unless_it_is_another_users(
    party: RelyingParty, is_of_another: bool
) -> None:
    provider, is_async, call = party.provider, party.adapter.kind.is_async, party.adapter.caller
    login = party.log_in(max_age=3600)
    how: dict[str, Any] = {"metadata": provider.metadata, "clock": provider.clock}
    vault_kind: Any = AsyncTokenVault if is_async else TokenVault
    source_kind: Any = AsyncTokenSource if is_async else TokenSource
    vault = vault_kind(AsyncMemoryStore() if is_async else MemoryStore(), client_id=CLIENT, client_secret=SECRET, **how)
    call(vault.save, "alice", login)
    shared = ResourceOwnerCredentials(CLIENT, SECRET, username="alice", password="rabbit")
    alone = source_kind(RefreshToken(CLIENT, SECRET, refresh_token="rt-0"), **how)
    unverified = party.session(
        token=dict(login), issuer=None, metadata=None, token_endpoint=provider.metadata["token_endpoint"]
    )
    sources = [alone.token, vault.source("alice").token, vault.source_of(shared).token]
    provider.changed = {"auth_time": int(provider.clock())}
    for source in (sources[0], sources[2]):
        call(source)  # the first ID token of these has nothing to be compared with
    for renew in (*sources, unverified.refresh_token):
        provider.changed = {"auth_time": int(provider.clock()) + 5} | ({"sub": "another"} if is_of_another else {})
        provider.clock.advance(400)
        with pytest.raises(VerificationError):
            call(renew) if renew in sources else renew()
        first, provider.changed = provider.server.token_requests[-1].form["refresh_token"], {}
        issued = f"rt-{provider.issued}"
        provider.clock.advance(400)  # a failure begins a pause
        call(renew) if renew in sources else renew()
        assert provider.server.token_requests[-1].form["refresh_token"] == (first if is_of_another else issued)
    for one in (alone, vault):
        call(one.aclose if is_async else one.close)
