"""What sources tell beyond what all tell: in both worlds, and on both backends of the awaiting one."""

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from doorkey import AsyncTokenSource, ClientCredentials, JWTBearer, RefreshToken, TokenSource
from doorkey.errors import InvalidGrant, OAuthError, TransportError, UsageError
from doorkey.observe import TokenEvent
from doorkey.renewal import leader_lock
from doorkey.sources.core import SourceCore
from tests.observe.conftest import ACCESS, REFRESH, SECRET, SECRETS, Events, Timer
from tests.support.backends import both_backends
from tests.support.every_adapter import in_background
from tests.support.fake_clock import Clock
from tests.support.hostile_server import Held, Hostile, reply, token

CLIENT = ClientCredentials("c", SECRET)
DEAD = reply(400, json={"error": "invalid_grant"})


def test_a_dead_refresh_token_and_the_grant_that_follows_are_two_requests(server: Hostile, events: Events) -> None:
    server.on("/token", token(refresh_token=REFRESH), DEAD, token("at-2"))
    with TokenSource(CLIENT, token_endpoint=server.token_endpoint, on_event=events.append) as source:
        source.reject(source.token())
        source.token()
    assert [(event.kind, event.grant_type, event.error) for event in events] == [
        ("requested", "client_credentials", None),
        ("renewed", "client_credentials", None),
        ("rejected", None, None),
        ("requested", "refresh_token", None),
        ("failed", "refresh_token", "invalid_grant"),
        ("requested", "client_credentials", None),
        ("renewed", "client_credentials", None),
    ]


def test_a_grant_that_is_known_to_be_dead_causes_no_request_and_no_event(server: Hostile, events: Events) -> None:
    server.on("/token", DEAD)
    dead = RefreshToken("c", SECRET, refresh_token=REFRESH)
    with TokenSource(dead, token_endpoint=server.token_endpoint, on_event=events.append) as source:
        for _ in range(2):
            with pytest.raises(InvalidGrant):
                source.token()
    assert events.kinds == ["requested", "failed"]


def test_a_token_is_rejected_once_however_many_were_refused_with_it(server: Hostile, events: Events) -> None:
    server.on("/token", token("at-1"), token("at-2"))
    with TokenSource(CLIENT, token_endpoint=server.token_endpoint, on_event=events.append) as source:
        first = source.token()
        for _ in range(3):
            source.reject(first)
        source.token()
        source.reject(first)
    assert events.kinds == ["requested", "renewed", "rejected", "requested", "renewed"]


def test_a_failure_before_the_request_is_reported_without_one(server: Hostile, events: Events, timer: Timer) -> None:
    def no_assertion() -> str:
        timer.advance(2)
        raise LookupError(SECRET)

    credentials = JWTBearer("c", SECRET, assertion=no_assertion)
    with (
        TokenSource(credentials, token_endpoint=server.token_endpoint, on_event=events.append, timer=timer) as source,
        pytest.raises(UsageError),
    ):
        source.token()
    failed = TokenEvent(kind="failed", client_id="c", server=server.token_endpoint, duration=2.0, error="usage_error")
    assert events == [failed]


def test_a_failed_discovery_is_reported(server: Hostile, events: Events) -> None:
    server.on("/.well-known/openid-configuration", reply(500))
    with TokenSource(CLIENT, issuer=server.url(""), on_event=events.append) as source, pytest.raises(OAuthError):
        source.token()
    assert [(event.kind, event.server, event.grant_type) for event in events] == [("failed", server.url(""), None)]


def test_two_sources_that_share_a_core_tell_one_story(server: Hostile, events: Events) -> None:
    server.on("/token", token())
    core = SourceCore(CLIENT, token_endpoint=server.token_endpoint, on_event=events.append)

    async def main() -> None:
        async with AsyncTokenSource._on(core) as source:
            await source.token()

    with TokenSource._on(core) as source:
        source.token()
        anyio.run(main)
    assert events.kinds == ["requested", "renewed"]


def test_a_wait_that_is_given_up_says_so(
    server: Hostile, events: Events, timer: Timer, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(token())
    server.on("/token", held)
    with (
        TokenSource(CLIENT, token_endpoint=server.token_endpoint, on_event=events.append, timer=timer) as source,
        in_background(source.token) as outcome,
    ):
        held.wait_for_arrival()
        monkeypatch.setattr(leader_lock, "MAX_WAIT", 0.01)
        with pytest.raises(TransportError, match="another caller"):
            source.token()
        assert [(event.kind, event.error) for event in events[1:]] == [("waited", "transport_error")]
        held.release.set()
        outcome()


@both_backends
@pytest.mark.anyio
async def test_tasks_tell_the_same(server: Hostile, events: Events, timer: Timer, anyio_backend: str) -> None:
    held = Held(token(ACCESS))
    server.on("/token", held)
    async with AsyncTokenSource(
        CLIENT, token_endpoint=server.token_endpoint, on_event=events.append, timer=timer, clock=Clock()
    ) as source:
        async with anyio.create_task_group() as tasks:
            for _ in range(4):
                tasks.start_soon(source.token)
            await anyio.to_thread.run_sync(held.wait_for_arrival)
            await anyio.to_thread.run_sync(timer.wait_for, 3 + 3)
            timer.advance(0.5)
            held.release.set()
        assert source.reject(await source.token())
    assert sorted(events.kinds) == ["rejected", "renewed", "requested", "waited", "waited", "waited"]
    assert {event.duration for event in events if event.kind in ("renewed", "waited")} == {0.5}


@both_backends
@pytest.mark.anyio
async def test_a_caller_that_is_canceled_while_it_waits_tells_how_long_it_did(
    server: Hostile, events: Events, timer: Timer, anyio_backend: str
) -> None:
    held = Held(token(ACCESS))
    server.on("/token", held)
    async with (
        AsyncTokenSource(CLIENT, token_endpoint=server.token_endpoint, on_event=events.append, timer=timer) as source,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(source.token)
        await anyio.to_thread.run_sync(held.wait_for_arrival)
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as impatient:
                impatient.start_soon(source.token)
                await anyio.to_thread.run_sync(timer.wait_for, 3 + 1)
                timer.advance(4)
                scope.cancel()
        assert [(event.kind, event.duration, event.error) for event in events[1:]] == [("waited", 4.0, "cancelled")]
        held.release.set()
    assert events.kinds == ["requested", "waited", "renewed"]


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("https://as.example/realms/one", "https://as.example/realms/one"),
        (f"https://as.example:8443/token?key={SECRET}#{ACCESS}", "https://as.example:8443/token"),
        (f"https://u:{SECRET}@as.example/token", "https://as.example/token"),
        (f"https://u:{SECRET}@h@as.example/token", "https://as.example/token"),
        (f"https:\\\\u:{SECRET}@as.example", "an unknown server"),
        (f"https://[{SECRET}", "an unknown server"),
        (f"https://as.example:{SECRET}/", "an unknown server"),
        ("", "an unknown server"),
        (None, "an unknown server"),
    ],
)
def test_a_server_is_named_by_what_holds_no_secret(url: str | None, named: str) -> None:
    from doorkey.observe.events import place_of

    assert place_of(url) == named


def test_labels_are_bounded_and_printable(server: Hostile, events: Events) -> None:
    server.on("/token", token())
    client = ClientCredentials("c\n\x1b[2J" + "x" * 5000, SECRET)
    with TokenSource(client, token_endpoint=server.token_endpoint, on_event=events.append) as source:
        source.token()
    assert events[0].client_id.startswith("c\\n\\x1b[2Jxxx")
    assert len(events[0].client_id) < 300


def test_a_callback_may_start_a_task_that_wants_the_token(server: Hostile) -> None:
    server.on("/token", token(ACCESS))
    brought: list[str] = []

    async def main() -> None:
        import asyncio

        tasks: list[asyncio.Task[None]] = []

        async def reports() -> None:
            brought.append((await source.token()).access_token.reveal())

        def told(_: TokenEvent) -> None:
            tasks.append(asyncio.get_running_loop().create_task(reports()))

        async with AsyncTokenSource(CLIENT, token_endpoint=server.token_endpoint, on_event=told) as source:
            await source.token()
            while not all(task.done() for task in tasks):
                await asyncio.gather(*tasks)

    anyio.run(main)
    assert set(brought) == {ACCESS}
    assert len(brought) >= 2


def test_an_event_is_a_value(events: Events) -> None:
    make: Callable[..., Any] = TokenEvent
    event = make(kind="requested", client_id="c", server="https://as.example")
    with pytest.raises(AttributeError):
        event.kind = "failed"  # pyright: ignore[reportAttributeAccessIssue]
    assert event == make(kind="requested", client_id="c", server="https://as.example")
    assert not any(secret in repr(event) for secret in SECRETS)


def test_a_name_that_is_not_there_is_not_there() -> None:
    import doorkey.observe

    with pytest.raises(AttributeError, match="nonsense"):
        _ = doorkey.observe.nonsense
