"""`DeviceGrant` as the grant of a source (RFC 8628): one login, then renewal, and never a second login by itself."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from doorkey import DeviceGrant, OAuth2Auth, TokenVault
from doorkey.errors import AccessDenied, ExpiredDeviceCode, InvalidGrant, TokenExpiredError, UsageError
from doorkey.protocol.device import DeviceAuthorization
from doorkey.stores import MemoryStore
from tests.support.every_source import ONE_OF_EACH, Driven, Maker
from tests.support.fake_clock import Clock
from tests.support.hostile_server import Hostile, Reply, reply, token
from tests.support.source_requests import GARBAGE, REFUSED, grant_types

PENDING = reply(400, json={"error": "authorization_pending"})
SCOPES = ("openid", "offline_access")

one_of_each = pytest.mark.parametrize("source", ONE_OF_EACH, indirect=True)


def at(hostile: Hostile, *answers: Reply) -> dict[str, Any]:
    device = {
        "device_code": "dc-1",
        "user_code": "WDJB-MJHT",
        "verification_uri": "https://as.example/device",
        "expires_in": 60,
        "interval": 5,
    }
    hostile.on("/device", reply(json=device))
    hostile.on("/token", *answers)
    endpoints = {"token_endpoint": hostile.token_endpoint, "device_authorization_endpoint": hostile.url("/device")}
    return {"metadata": endpoints}


class World:
    """A source of a login, the logins that it has shown, and a clock that its pauses advance."""

    def __init__(self, source: Maker, clock: Clock, options: dict[str, Any], **credentials: Any) -> None:
        self.shown: list[DeviceAuthorization] = []
        self.clock = clock
        given: dict[str, Any] = {"scopes": SCOPES, "show": self.shown.append, **credentials}
        grant = DeviceGrant("tv", **given)
        blocks = source.portal is None
        self.source: Driven = source(grant, clock=clock, sleep=clock.advance if blocks else self._sleep, **options)

    async def _sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)


def test_the_first_token_is_that_of_a_login_that_is_shown(source: Maker, hostile: Hostile, clock: Clock) -> None:
    world = World(source, clock, at(hostile, PENDING, token()), audience=["https://api.example"])
    assert world.source.access_token() == "at-1"
    (device,) = world.shown
    assert (device.user_code, device.verification_uri) == ("WDJB-MJHT", "https://as.example/device")
    (asked,) = hostile.to("/device")
    assert asked.form == {
        "scope": "openid offline_access",
        "audience": "https://api.example",
        "client_id": "tv",
    }
    grant_type = "urn:ietf:params:oauth:grant-type:device_code"
    polled = {"grant_type": grant_type, "device_code": "dc-1", "audience": "https://api.example", "client_id": "tv"}
    assert [request.form for request in hostile.token_requests] == [polled, polled]


@one_of_each
def test_the_token_is_renewed_without_another_login(source: Maker, hostile: Hostile, clock: Clock) -> None:
    answers = token(refresh_token="rt-1"), token("at-2", refresh_token="rt-2")
    world = World(source, clock, at(hostile, *answers))
    world.source.token()
    clock.advance(300)
    assert world.source.access_token() == "at-2"
    assert grant_types(hostile)[1] == "refresh_token"
    assert len(world.shown) == 1


def _denied(hostile: Hostile) -> tuple[Reply, ...]:
    return (reply(400, json={"error": "access_denied"}),)


def _expired(hostile: Hostile) -> tuple[Reply, ...]:
    return (PENDING,)


def _used(hostile: Hostile) -> tuple[Reply, ...]:
    return (REFUSED,)


@one_of_each
@pytest.mark.parametrize(
    ("answers", "error"), [(_denied, AccessDenied), (_expired, ExpiredDeviceCode), (_used, InvalidGrant)]
)
def test_a_login_that_has_ended_is_begun_again_only_when_the_caller_asks_for_it(
    source: Maker,
    hostile: Hostile,
    clock: Clock,
    answers: Callable[[Hostile], tuple[Reply, ...]],
    error: type[Exception],
) -> None:
    world = World(source, clock, at(hostile, *answers(hostile)))
    for _ in range(3):
        with pytest.raises(error) as told:
            world.source.token()
        assert "retry_now()" in told.value.__notes__[0]
        clock.advance(3600)
    assert len(world.shown) == len(hostile.to("/device")) == 1
    hostile.on("/token", token())
    world.source.native.retry_now()
    assert world.source.access_token() == "at-1"
    assert len(world.shown) == 2


@one_of_each
def test_a_dead_refresh_token_begins_no_login_until_the_caller_asks_for_it(
    source: Maker, hostile: Hostile, clock: Clock
) -> None:
    world = World(source, clock, at(hostile, token(refresh_token="rt-1"), REFUSED))
    world.source.token()
    clock.advance(300)
    for _ in range(2):
        with pytest.raises(InvalidGrant, match="Session not active"):
            world.source.token()
        clock.advance(3600)
    assert (len(world.shown), len(hostile.token_requests)) == (1, 2)
    hostile.on("/token", token("at-2"))
    world.source.native.retry_now()
    assert world.source.access_token() == "at-2"
    assert len(world.shown) == 2


@one_of_each
def test_without_a_refresh_token_an_expired_token_is_an_error_and_retry_now_begins_a_login(
    source: Maker, hostile: Hostile, clock: Clock
) -> None:
    world = World(source, clock, at(hostile, token(), token("at-2")))
    world.source.token()
    world.source.native.retry_now()
    assert world.source.access_token() == "at-1", "a good token is kept"
    clock.advance(300)
    with pytest.raises(TokenExpiredError):
        world.source.token()
    world.source.native.retry_now()
    assert world.source.access_token() == "at-2"


@one_of_each
def test_a_server_that_fails_at_the_beginning_is_asked_again_after_the_pause(
    source: Maker, hostile: Hostile, clock: Clock
) -> None:
    options = at(hostile, token())
    good = hostile.to("/device")
    hostile.on("/device", GARBAGE)
    world = World(source, clock, options)
    for _ in range(2):
        with pytest.raises(Exception, match="device authorization response"):
            world.source.token()
    assert len(good) == 0
    assert len(hostile.to("/device")) == 1
    at(hostile, token())
    clock.advance(60)
    assert world.source.access_token() == "at-1"


@one_of_each
def test_a_server_without_a_device_flow_is_named_as_such(source: Maker, hostile: Hostile, clock: Clock) -> None:
    world = World(source, clock, {"token_endpoint": hostile.token_endpoint})
    with pytest.raises(UsageError, match="no device_authorization_endpoint"):
        world.source.token()


@pytest.mark.parametrize("source", ["asyncio", "trio"], indirect=True)
def test_show_may_be_a_coroutine_function(source: Maker, hostile: Hostile, clock: Clock) -> None:
    shown: list[str] = []

    async def show(device: DeviceAuthorization) -> None:
        shown.append(device.user_code)

    world = World(source, clock, at(hostile, token()), show=show)
    assert world.source.access_token() == "at-1"
    assert shown == ["WDJB-MJHT"]


@pytest.mark.parametrize("source", ["requests"], indirect=True)
def test_a_coroutine_function_for_a_source_that_blocks_is_an_error(
    source: Maker, hostile: Hostile, clock: Clock
) -> None:
    async def show(device: DeviceAuthorization) -> None:
        raise AssertionError

    with pytest.raises(UsageError, match="asynchronous callable"):
        World(source, clock, at(hostile, token()), show=show).source.token()
    assert not hostile.token_requests


@one_of_each
def test_a_show_that_fails_is_an_error_of_ours_and_ends_the_login(
    source: Maker, hostile: Hostile, clock: Clock
) -> None:
    def show(_: DeviceAuthorization) -> None:
        raise OSError(5, "no terminal")

    with pytest.raises(UsageError, match="show, which shows a login to the user, failed: OSError") as told:
        World(source, clock, at(hostile, token()), show=show).source.token()
    assert isinstance(told.value.__cause__, OSError)
    assert not hostile.token_requests


def test_credentials_are_checked_and_compared() -> None:
    wrong: Any = "print"
    with pytest.raises(UsageError, match="show must be a callable"):
        DeviceGrant("tv", show=wrong)
    assert DeviceGrant("tv", show=print) == DeviceGrant("tv", show=print)
    assert DeviceGrant("tv", show=print) != DeviceGrant("tv", show=repr)
    assert not DeviceGrant("tv", show=print).repeatable


def test_a_vault_says_how_the_token_of_a_login_gets_into_it() -> None:
    vault = TokenVault(MemoryStore(), client_id="tv", issuer="https://as.example")
    with pytest.raises(UsageError, match="DeviceGrant can be presented once only: save"):
        vault.source_of(DeviceGrant("tv", show=print))
    vault.close()


def test_an_auth_object_takes_the_grant(hostile: Hostile, clock: Clock) -> None:
    import requests

    shown: list[Any] = []
    auth = OAuth2Auth(
        DeviceGrant("tv", show=shown.append), clock=clock, sleep=clock.advance, **at(hostile, PENDING, token())
    )
    hostile.on("/api", reply(200, "hello"))
    assert requests.get(hostile.url("/api"), auth=auth, timeout=60).text == "hello"
    assert hostile.to("/api")[0].token == "at-1"
    assert len(shown) == 1


@pytest.mark.parametrize("source", ["requests"], indirect=True)
def test_an_interruption_ends_the_login_and_the_next_call_begins_another(
    source: Maker, hostile: Hostile, clock: Clock
) -> None:
    shown: list[DeviceAuthorization] = []
    struck = [KeyboardInterrupt()]

    def sleep(seconds: float) -> None:
        if struck:
            raise struck.pop()
        clock.advance(seconds)

    asking = source(DeviceGrant("tv", show=shown.append), clock=clock, sleep=sleep, **at(hostile, token()))
    with pytest.raises(KeyboardInterrupt):
        asking.token()
    assert not hostile.token_requests
    assert asking.access_token() == "at-1"
    assert len(shown) == 2


@pytest.mark.parametrize("source", ["trio", "asyncio"], indirect=True)
def test_a_caller_that_is_cancelled_in_a_pause_leaves_at_once(source: Maker, hostile: Hostile, clock: Clock) -> None:
    """Nothing is at stake in a pause, unlike in a token request: a user may never finish the login."""
    import anyio

    pausing, finished = threading.Event(), list[str]()

    async def sleep(_: float) -> None:
        pausing.set()
        try:
            await anyio.sleep(3600)
        finally:
            finished.append("slept")

    native = source(DeviceGrant("tv", show=lambda _: None), clock=clock, sleep=sleep, **at(hostile, token())).native

    async def gives_up() -> bool:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(native.token)
            while not pausing.is_set():
                await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        return True

    assert source.portal is not None
    assert source.portal.call(gives_up)
    assert not hostile.token_requests
    assert finished == ["slept"] * (source.kind.backend == "trio")
