"""What an authority keeps: nothing that cannot be got again is dropped, and nothing is got twice at once."""

import gc
from collections.abc import Callable
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from doorkey.credentials import ClientCredentials, JWTBearer, RefreshToken, ResourceOwnerCredentials
from doorkey.dev import Provider
from doorkey.errors import InvalidGrant, UsageError
from doorkey.jose import JsonWebKey
from tests.support.every_adapter import in_background
from tests.support.every_source import Counting
from tests.support.every_transport import World
from tests.support.fake_clock import Clock
from tests.support.hostile_server import Held, Hostile, token
from tests.support.source_requests import CLIENT, REFUSED, forms

KEYS = {
    "of joserfc": lambda: RSAKey.generate_key(2048, {"kid": "1"}),
    "of doorkey": lambda: JsonWebKey.import_key(RSAKey.generate_key(2048, {"kid": "1"}).as_dict(private=True)),
}

OWNER = ResourceOwnerCredentials("admin-cli").with_username_password("admin", "admin")


def once(refresh_token: str) -> RefreshToken:
    return RefreshToken("c", refresh_token=refresh_token)


def rotating(number: int) -> bytes:
    return token(f"at-{number}", expires_in=300, refresh_token=f"rt-{number}")


def test_a_rotated_refresh_token_is_neither_crowded_out_nor_too_old(
    world: World, hostile: Hostile, clock: Clock
) -> None:
    """What the server rotated it to is kept nowhere else, and the first one is used up."""
    answers = (rotating(1), token("other"), token("another"), rotating(2))
    authority = world.authority(hostile, *answers, clock=clock, max_tokens=1, max_idle=60)
    assert world.token(authority, once("rt-0")).access_token.reveal() == "at-1"
    for user in ("a", "b"):
        world.token(authority, OWNER.with_username_password(user, "admin"))
    clock.advance(300)
    assert world.token(authority, once("rt-0")).access_token.reveal() == "at-2"
    assert [form.get("refresh_token") for form in forms(hostile)] == ["rt-0", None, None, "rt-1"]


def test_one_refresh_token_too_many_is_an_error_that_says_what_to_do(world: World, hostile: Hostile) -> None:
    authority = world.authority(hostile, rotating(1), rotating(2), max_tokens=1)
    world.token(authority, once("rt-a"))
    with pytest.raises(UsageError, match=r"forget\(\) unused credentials.* TokenVault"):
        world.token(authority, once("rt-b"))
    assert len(hostile.token_requests) == 1
    authority.forget(once("rt-a"))
    world.token(authority, once("rt-b"))
    assert [form["refresh_token"] for form in forms(hostile)] == ["rt-a", "rt-b"]


def test_a_dead_grant_makes_room_for_another(world: World, hostile: Hostile) -> None:
    authority = world.authority(hostile, REFUSED, rotating(1), max_tokens=1)
    with pytest.raises(InvalidGrant):
        world.token(authority, once("rt-a"))
    assert world.token(authority, once("rt-b")).access_token.reveal() == "at-1"


def test_an_assertion_that_is_used_up_makes_room_for_another_once_its_token_has_expired(
    world: World, hostile: Hostile, clock: Clock
) -> None:
    answers = (token("at-1", expires_in=300), token("at-2", expires_in=300))
    authority = world.authority(hostile, *answers, clock=clock, max_tokens=1)
    world.token(authority, JWTBearer("c", assertion="first"))
    clock.advance(299)
    with pytest.raises(UsageError, match="TokenVault"):
        world.token(authority, JWTBearer("c", assertion="second"))
    assert world.token(authority, JWTBearer("c", assertion="first")).access_token.reveal() == "at-1"
    clock.advance(1)
    assert world.token(authority, JWTBearer("c", assertion="second")).access_token.reveal() == "at-2"


def test_a_token_that_is_crowded_out_while_it_is_got_is_not_got_twice(
    world: World, hostile: Hostile, counting: Counting
) -> None:
    held = Held(token("at-1"))
    authority = world.authority(hostile, held, token("other"), token("never"), clock=counting, max_tokens=1)
    with in_background(lambda: world.token(authority, CLIENT)) as first:
        held.wait_for_arrival()
        world.token(authority, OWNER)
        counting.expect(1)
        with in_background(lambda: world.token(authority, CLIENT)) as second:
            counting.wait()
            held.release.set()
            assert first().access_token == second().access_token
    assert len(hostile.token_requests) == 2


@pytest.mark.parametrize("make", KEYS.values(), ids=KEYS)
def test_the_token_of_a_client_that_signs_with_a_key_object_is_asked_for_once(
    make: Callable[[], Any], world: World, hostile: Hostile
) -> None:
    key = make()
    authority = world.authority(hostile, token("at-1", expires_in=300), token("at-2", expires_in=300))
    transport = world.factory(authority).authenticating_transport(world.transport(), ClientCredentials("svc", key))
    assert world.get(world.api(hostile, transport)).status_code == 200
    assert world.token(authority, ClientCredentials("svc", key)).access_token.reveal() == "at-1"
    assert "client_assertion" in forms(hostile)[0]
    authority.forget(ClientCredentials("svc", key))
    assert world.token(authority, ClientCredentials("svc", key)).access_token.reveal() == "at-2"


def test_a_family_of_refresh_tokens_survives_what_crowds_it_out(world: World, provider: Provider) -> None:
    """The server revokes the grant when a refresh token that it has rotated comes once more."""
    issuer = provider.issuer_of("rotating")
    authority = world.authority_class(world.client(base_url=issuer), max_tokens=1)
    first = world.token(authority, OWNER).refresh_token
    assert first is not None
    credentials = RefreshToken("admin-cli", refresh_token=first)
    one = world.token(authority, credentials)
    world.token(authority, OWNER)
    assert world.token(authority, credentials) is one
    authority.source(credentials).reject(one)
    assert world.token(authority, credentials).access_token != one.access_token


def through_a_transport(world: World, hostile: Hostile, clock: Clock, **options: Any) -> tuple[Any, Any]:
    authority = world.authority(hostile, token("at-1"), token("at-2"), token("at-3"), clock=clock, **options)
    transport = world.factory(authority).authenticating_transport(world.transport(), CLIENT)
    return authority, world.api(hostile, transport)


def test_a_token_that_is_forgotten_is_not_sent_by_a_transport_that_has_just_sent_it(
    world: World, hostile: Hostile, clock: Clock
) -> None:
    authority, client = through_a_transport(world, hostile, clock)
    world.get(client)
    authority.forget(CLIENT)
    world.get(client)
    assert [request.token for request in hostile.to("/api")] == ["at-1", "at-2"]


def test_a_transport_keeps_no_token_that_was_unused_for_too_long(world: World, hostile: Hostile, clock: Clock) -> None:
    authority, client = through_a_transport(world, hostile, clock, max_idle=60)
    for pause in (0, 50, 50, 61):
        clock.advance(pause)
        world.token(authority, OWNER)  # each use of the cache drops what is idle
        gc.collect()
        world.get(client)
    first, *others, last = [request.token for request in hostile.to("/api")]
    assert set(others) == {first}
    assert last != first


def test_a_token_that_a_transport_uses_is_not_the_one_that_is_crowded_out(
    world: World, hostile: Hostile, clock: Clock
) -> None:
    authority, client = through_a_transport(world, hostile, clock, max_tokens=2)
    world.get(client)
    for number in range(3):
        clock.advance(10)
        world.token(authority, OWNER.with_username_password(f"user-{number}", "pwd"))
        gc.collect()
        world.get(client)
    assert {request.token for request in hostile.to("/api")} == {"at-1"}
