"""Keys and metadata over each HTTP library, through the client of the program or one that is made."""

from typing import Any

import pytest
from anyio.from_thread import BlockingPortal

from doorkey import Issuer
from doorkey.errors import InvalidResponse
from doorkey.jose import jwt
from tests.sources.published_keys import FIRST, SECOND, jwk, token
from tests.support.every_key_source import KINDS, World
from tests.support.fake_clock import Clock
from tests.support.hostile_server import Hostile, reply

WELL_KNOWN = "/.well-known/openid-configuration"


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest, portals: dict[str, BlockingPortal]) -> World:
    return World(request.param, portals)


def publish(hostile: Hostile, *sets: bytes) -> None:
    members = {"issuer": hostile.url(""), "token_endpoint": hostile.token_endpoint, "jwks_uri": hostile.url("/jwks")}
    hostile.on(WELL_KNOWN, reply(json=members))
    hostile.on("/jwks", *sets)


def keys(*jwks: dict[str, Any]) -> bytes:
    return reply(json={"keys": list(jwks)})


def test_an_issuer_is_discovered_its_keys_are_fetched_and_a_rotation_is_followed(
    world: World, hostile: Hostile, clock: Clock
) -> None:
    publish(hostile, keys(jwk(FIRST, "1")), keys(jwk(SECOND, "2")))
    source = world.source(hostile.url(""), clock=clock)
    assert [world.decode(token(), source)["sub"] for _ in range(2)] == ["alice"] * 2
    assert world.decode(token(SECOND, "2"), source)["sub"] == "alice"
    world.close(source)
    assert len(hostile.to(WELL_KNOWN)) == 1
    assert len(hostile.to("/jwks")) == 2


@pytest.mark.parametrize(
    "answer",
    [
        reply(502, "<html>Bad Gateway</html>"),
        reply(302, headers={"Location": "https://elsewhere.example/jwks"}),
        reply(200, "<html>Sign in</html>", {"Content-Type": "text/html"}),
    ],
    ids=["bad gateway", "redirect", "html"],
)
def test_a_fetch_that_fails_keeps_the_keys_and_is_repeated_later(
    world: World, hostile: Hostile, clock: Clock, answer: bytes
) -> None:
    publish(hostile, answer, keys(jwk(FIRST, "1")), answer, keys(jwk(SECOND, "2")))
    source = world.source(hostile.url(""), clock=clock)
    with pytest.raises(InvalidResponse):
        world.decode(token(), source)
    clock.advance(1)
    assert world.decode(token(), source)["sub"] == "alice"
    clock.advance(600)
    assert world.decode(token(), source)["sub"] == "alice"
    clock.advance(1)
    assert world.decode(token(SECOND, "2"), source)["sub"] == "alice"
    world.close(source)
    assert len(hostile.to("/jwks")) == 4


def test_an_issuer_is_for_threads_and_event_loops_at_once(hostile: Hostile, portals: dict[str, BlockingPortal]) -> None:
    publish(hostile, keys(jwk(FIRST, "1")))
    with Issuer(hostile.url("")) as issuer:
        assert jwt.decode(token(), issuer)["sub"] == "alice"
    for portal in portals.values():
        assert portal.call(jwt.adecode, token(), issuer)["sub"] == "alice"
        assert portal.call(issuer.ametadata).token_endpoint == hostile.token_endpoint
        portal.call(issuer.aclose)
    assert len(hostile.to("/jwks")) == 1
