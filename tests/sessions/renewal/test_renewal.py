"""A token stays fresh by itself: when it is renewed, how, and what is sent when it cannot be."""

from typing import Any

import pytest

from doorkey.errors import InvalidGrant, MissingTokenError, TokenExpiredError
from tests.support.contract_servers import EMBEDDED, KEYCLOAK, ClientCredentials, Password, Rotating, Site, on
from tests.support.every_adapter import Adapter, Client
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import Hostile, Received, reply, token
from tests.support.session_logins import issuer_of, logged_in

REFUSED = reply(400, json={"error": "invalid_grant", "error_description": "Session not active"})


def restored(adapter: Adapter, hostile: Hostile, clock: Clock, lifetime: int = 300, **options: Any) -> Client:
    """A client with a stored token that has just been issued for `lifetime` seconds."""
    stored: dict[str, Any] = {
        "access_token": "at-1",
        "refresh_token": "rt-1",
        "expires_in": lifetime,
        "expires_at": START + lifetime,
    }
    return adapter.client(token=stored, clock=clock, token_endpoint=hostile.token_endpoint, **options)


def sent(hostile: Hostile) -> list[str | None]:
    """The tokens that have come to the API, in order."""
    return [request.token for request in hostile.to("/api")]


def forms(requests: list[Received]) -> list[dict[str, str]]:
    return [request.form for request in requests]


@on(Password)
def test_a_token_is_renewed_before_it_expires(adapter: Adapter, site: Site) -> None:
    grant = site.ability(Password)
    client = adapter.client(*grant.client, **site.options)
    first = client.fetch_token(username=grant.user[0], password=grant.user[1])
    client.ensure_active_token()
    assert client.token is first
    site.clock.advance(first["expires_in"] - 20)
    client.ensure_active_token()
    assert client.access_token != first.access_token


@on(ClientCredentials)
def test_a_client_that_asked_for_itself_asks_again(adapter: Adapter, site: Site) -> None:
    grant = site.ability(ClientCredentials)
    client = adapter.client(*grant.client, **site.options)
    first = client.fetch_token()
    site.clock.advance(first["expires_in"] + 1)
    client.ensure_active_token()
    assert client.access_token != first.access_token


@on(Rotating)
def test_rotation_survives_many_renewals(adapter: Adapter, site: Site) -> None:
    rotating = site.ability(Rotating)
    begun = logged_in(adapter, site, rotating.code, issuer_of(site, rotating))
    endpoint = site.endpoints(issuer_of(site, rotating))["token_endpoint"]
    options = {**site.options, "metadata": {"token_endpoint": endpoint}}  # an issuer's ID tokens would be too old
    client = adapter.client(*rotating.code.client, token=begun.token, **options)
    seen = {client.access_token}
    for _ in range(3):
        assert client.token is not None
        site.clock.advance(client.token["expires_in"] - 1)
        client.ensure_active_token()
        seen.add(client.access_token)
    assert len(seen) == 4


@on(Password, only=(EMBEDDED, KEYCLOAK))
def test_an_api_call_carries_a_fresh_token(adapter: Adapter, site: Site) -> None:
    client = adapter.client("admin-cli", **site.options)
    client.fetch_token(username="admin", password="admin")
    url = f"{site.origin}/admin/realms/master/users/count"
    before = client.access_token
    assert client.get(url).status_code == 200
    site.clock.advance(60)
    assert client.get(url).status_code == 200
    assert client.access_token != before


def test_a_fresh_token_is_sent_as_it_is(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    client = restored(adapter, hostile, clock)
    clock.advance(239)
    client.get(hostile.url())
    assert sent(hostile) == ["at-1"]
    assert hostile.token_requests == []


def test_the_margin_omitted_is_sixty_seconds_of_a_long_lifetime(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    hostile.on("/token", token("at-2"))
    client = restored(adapter, hostile, clock, lifetime=300)
    clock.advance(240)
    client.get(hostile.url())
    assert sent(hostile) == ["at-2"]


def test_the_margin_omitted_is_half_of_a_short_lifetime(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    hostile.on("/token", token("at-2"))
    client = restored(adapter, hostile, clock, lifetime=60)
    clock.advance(29)
    client.get(hostile.url())
    clock.advance(1)
    client.get(hostile.url())
    assert sent(hostile) == ["at-1", "at-2"]


def test_a_leeway_is_honored_as_given(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    hostile.on("/token", token("at-2"))
    client = restored(adapter, hostile, clock, lifetime=300, leeway=0)
    clock.advance(299)
    client.get(hostile.url())
    clock.advance(1)
    client.get(hostile.url())
    assert sent(hostile) == ["at-1", "at-2"]


def test_the_documents_leeway_of_a_whole_lifetime_renews_at_every_request(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    hostile.on("/token", *(token(f"at-{n}", expires_in=60) for n in (2, 3, 4)))
    client = restored(adapter, hostile, clock, lifetime=60, leeway=60)
    for _ in range(3):
        client.get(hostile.url())
    assert sent(hostile) == ["at-2", "at-3", "at-4"]


def test_a_token_that_arrives_inside_the_margin_is_used_and_not_asked_for_in_a_loop(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    hostile.on("/token", token("at-2", expires_in=5))
    client = restored(adapter, hostile, clock, lifetime=300, leeway=600)
    client.get(hostile.url())
    assert sent(hostile) == ["at-2"]
    assert len(hostile.token_requests) == 1


def test_a_token_of_unknown_lifetime_is_sent_until_the_server_says_no(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    client = adapter.client(token={"access_token": "at-1"}, clock=clock)
    clock.advance(10**9)
    client.get(hostile.url())
    assert sent(hostile) == ["at-1"]


def test_a_token_that_cannot_be_renewed_is_sent_until_it_expires_and_then_never(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    stored = {"access_token": "at-1", "expires_in": 300, "expires_at": START + 300}
    client = adapter.client(token=stored, clock=clock, token_endpoint=hostile.token_endpoint)
    clock.advance(299)
    client.get(hostile.url())
    clock.advance(1)
    with pytest.raises(TokenExpiredError):
        client.get(hostile.url())
    assert sent(hostile) == ["at-1"]
    assert hostile.token_requests == []


def test_without_a_token_no_request_goes_out(adapter: Adapter, hostile: Hostile) -> None:
    with pytest.raises(MissingTokenError):
        adapter.client().get(hostile.url())
    assert hostile.received == []


def test_client_credentials_are_asked_for_again_with_all_their_parameters(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    hostile.on("/token", token("at-1"), token("at-2"))
    client = adapter.client("c", "s", clock=clock, scope="ignored")
    extra = {"audience": "https://api.example", "resource": ["https://a.example/", "https://b.example/"]}
    client.fetch_token(hostile.token_endpoint, scope="a b", headers={"X-Tenant": "7"}, **extra)
    clock.advance(300)
    client.get(hostile.url())
    first, second = hostile.token_requests
    assert first.body == second.body
    assert second.header("x-tenant") == "7"
    assert first.header("authorization") == second.header("authorization")
    assert sent(hostile) == ["at-2"]


def test_a_password_is_asked_with_again_where_no_refresh_token_came(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    hostile.on("/token", token("at-1"), token("at-2"))
    client = adapter.client(clock=clock)
    client.fetch_token(hostile.token_endpoint, username="u", password="p", audience="api")
    clock.advance(300)
    client.get(hostile.url())
    first, second = forms(hostile.token_requests)
    assert first == second
    assert second["grant_type"] == "password"
    assert second["audience"] == "api"


def test_after_a_dead_refresh_token_the_initial_grant_is_repeated(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    hostile.on("/token", token("at-1", refresh_token="rt-1"), REFUSED, token("at-2", refresh_token="rt-2"))
    client = adapter.client(clock=clock)
    client.fetch_token(hostile.token_endpoint, username="u", password="p", audience="api")
    clock.advance(300)
    client.get(hostile.url())
    grants = [form["grant_type"] for form in forms(hostile.token_requests)]
    assert grants == ["password", "refresh_token", "password"]
    assert forms(hostile.token_requests)[0] == forms(hostile.token_requests)[2]
    assert sent(hostile) == ["at-2"]
    assert client.token is not None
    assert client.token.refresh_token == "rt-2"


def test_a_dead_refresh_token_of_a_login_raises_and_the_expired_token_is_never_sent(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    hostile.on("/token", token("at-1", refresh_token="rt-1"), REFUSED)
    client = adapter.client(clock=clock)
    client.fetch_token(hostile.token_endpoint, code="a-code")
    clock.advance(300)
    with pytest.raises(InvalidGrant, match=r"^invalid_grant: Session not active$"):
        client.get(hostile.url())
    assert sent(hostile) == []


def test_a_refresh_repeats_audience_and_resource_and_not_the_code(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    hostile.on("/token", token("at-1", refresh_token="rt-1"), token("at-2"))
    client = adapter.client(clock=clock)
    client.fetch_token(hostile.token_endpoint, code="a-code", resource="https://api.example/", tenant="7")
    clock.advance(300)
    client.get(hostile.url())
    assert forms(hostile.token_requests)[1] == {
        "grant_type": "refresh_token",
        "refresh_token": "rt-1",
        "resource": "https://api.example/",
        "client_id": "a-client",
    }


def test_a_restored_token_of_a_client_credentials_session_is_renewed(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    hostile.on("/token", token("at-2"))
    stored = {"access_token": "at-1", "expires_at": START - 1}
    client = adapter.client(
        "c",
        "s",
        token=stored,
        clock=clock,
        token_endpoint=hostile.token_endpoint,
        grant_type="client_credentials",
        scope="a",
    )
    client.get(hostile.url())
    assert forms(hostile.token_requests) == [{"grant_type": "client_credentials", "scope": "a"}]
    assert sent(hostile) == ["at-2"]


def test_while_a_token_is_still_good_a_server_that_cannot_be_reached_is_no_error(
    adapter: Adapter, hostile: Hostile, clock: Clock
) -> None:
    hostile.on("/token", reply(503), token("at-2"))
    client = restored(adapter, hostile, clock)
    clock.advance(250)
    client.get(hostile.url())
    client.get(hostile.url())
    assert sent(hostile) == ["at-1", "at-2"]


def test_ensure_active_token_takes_another_token_first(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    hostile.on("/token", token("at-9"))
    client = restored(adapter, hostile, clock)
    other = {"access_token": "at-8", "refresh_token": "rt-8", "expires_at": START - 1}
    assert client.ensure_active_token(other) is True
    assert hostile.token_requests[0].form["refresh_token"] == "rt-8"
    assert client.access_token == "at-9"


def test_the_expiry_of_a_slow_answer_counts_from_the_asking(adapter: Adapter, hostile: Hostile, clock: Clock) -> None:
    def slow(exchange: Any) -> None:
        clock.advance(40)
        exchange.send(token("at-1", expires_in=100))

    hostile.on("/token", slow)
    client = adapter.client(clock=clock)
    assert client.fetch_token(hostile.token_endpoint)["expires_at"] == START + 100
