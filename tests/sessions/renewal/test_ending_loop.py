"""An event loop that ends in the middle of a renewal, as that of a web server which is stopped, loses no token."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
import trio

from doorkey import AsyncTokenSource, AsyncTokenVault, ClientCredentials, RefreshToken
from doorkey.integrations.httpx_client import AsyncOAuth2Client
from doorkey.runtime import unattended
from doorkey.stores import AsyncSQLiteStore
from tests.support.fake_clock import Clock

URL = "https://as.example/token"
OLD = {"access_token": "old", "refresh_token": "rt-1", "expires_at": 1}


class Server:
    """A transport that answers once `answer` is set; every answer has another refresh token."""

    def __init__(self, **members: Any) -> None:
        self.begun, self.answer = asyncio.Event(), asyncio.Event()
        self.requests: list[httpx2.Request] = []
        self.replies: list[httpx2.Response] = []
        self._members = members

    async def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        self.begun.set()
        await self.answer.wait()
        if self.replies:
            return self.replies.pop(0)
        members = {"access_token": "new", "refresh_token": "rt-2", "token_type": "Bearer", "expires_in": 300}
        return httpx2.Response(200, json={**members, **self._members})

    def client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=httpx2.MockTransport(self))


def session(server: Server, saved: list[str], **options: Any) -> AsyncOAuth2Client:
    async def save(token: Any, **_: Any) -> None:
        await asyncio.sleep(0)
        saved.append(token["refresh_token"])

    transport = httpx2.MockTransport(server)
    how: dict[str, Any] = {"token_endpoint": URL, "update_token": save, "transport": transport, **options}
    return AsyncOAuth2Client("c", "s", token=OLD, **how)


async def leave_while_it_renews(server: Server, renew: Callable[[], Awaitable[object]]) -> asyncio.Task[Any]:
    """Have the loop end when the token request is there, and the response come after that."""

    async def renewing() -> None:
        await renew()

    task = asyncio.create_task(renewing())
    await server.begun.wait()
    asyncio.get_running_loop().call_soon(server.answer.set)
    return task


def test_a_session_whose_loop_ends_in_a_renewal_has_saved_the_new_token() -> None:
    saved = list[str]()

    async def main() -> None:
        server = Server()
        await leave_while_it_renews(server, session(server, saved).ensure_active_token)

    asyncio.run(main())
    assert saved == ["rt-2"]


def test_a_source_whose_loop_ends_in_a_renewal_has_the_new_token() -> None:
    async def main() -> tuple[Server, AsyncTokenSource]:
        server = Server()
        source = AsyncTokenSource(
            RefreshToken("c", "s", refresh_token="rt-1"), token_endpoint=URL, http_client=server.client()
        )
        await leave_while_it_renews(server, source.token)
        return server, source

    server, source = asyncio.run(main())
    assert asyncio.run(source.token()).access_token.reveal() == "new"
    assert len(server.requests) == 1


def test_a_vault_whose_loop_ends_in_a_renewal_has_committed_the_new_token(tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir(mode=0o700)
    store = AsyncSQLiteStore(folder / "tokens.db")

    async def main() -> None:
        server = Server()
        vault = AsyncTokenVault(store, client_id="c", token_endpoint=URL, http_client=server.client())
        await vault.save("u", OLD)
        await leave_while_it_renews(server, vault.source("u").token)

    async def read() -> bytes:
        record = await store.load("u")
        await store.close()
        assert record is not None
        return bytes(record.data or b"")

    asyncio.run(main())
    assert b"rt-2" in asyncio.run(read())


def test_a_session_whose_loop_ends_before_the_id_token_is_verified_has_saved_the_new_refresh_token() -> None:
    """The keys are another exchange, which is not begun any more."""
    saved, servers = list[str](), list[Server]()

    async def main() -> None:
        servers.append(server := Server(id_token="eyJhbGciOiJSUzI1NiJ9.e30.AAAA"))
        described = {"issuer": "https://as.example", "jwks_uri": "https://as.example/keys"}
        await leave_while_it_renews(server, session(server, saved, metadata=described).ensure_active_token)

    asyncio.run(main())
    assert saved == ["rt-2"]
    assert [request.url.path for request in servers[0].requests] == ["/token"]


def callback_with_a_token_of_its_own(other: Server, saved: list[str]) -> Callable[..., Awaitable[None]]:
    own = AsyncTokenSource(ClientCredentials("c", "s"), token_endpoint=URL, http_client=other.client())

    async def save(token: Any, **_: Any) -> None:
        saved.extend((token["refresh_token"], (await own.token()).access_token.reveal()))

    return save


def test_a_callback_that_requests_a_token_of_its_own_when_the_loop_has_ended_gets_it() -> None:
    saved = list[str]()

    async def main() -> None:
        server, other = Server(), Server()
        other.answer.set()
        save = callback_with_a_token_of_its_own(other, saved)
        await leave_while_it_renews(server, session(server, [], update_token=save).ensure_active_token)

    asyncio.run(main())
    assert saved == ["rt-2", "new"]


def test_a_callback_that_waits_for_a_token_of_its_own_when_the_loop_ends_gets_it() -> None:
    saved = list[str]()

    async def main() -> None:
        server, other = Server(), Server()
        server.answer.set()
        save = callback_with_a_token_of_its_own(other, saved)
        await leave_while_it_renews(other, session(server, [], update_token=save).ensure_active_token)

    asyncio.run(main())
    assert saved == ["rt-2", "new"]


def test_a_callback_whose_own_token_is_not_requested_yet_when_the_loop_ends_gets_it() -> None:
    saved = list[str]()

    async def main() -> None:
        server, other, hook = Server(), Server(), Server()
        server.answer.set()
        other.answer.set()

        async def wait(url: str, headers: Any, body: str) -> Any:
            hook.begun.set()
            await hook.answer.wait()
            return url, headers, body

        own = session(other, saved)
        own.register_compliance_hook("refresh_token_request", wait)

        async def save(token: Any, **_: Any) -> None:
            await own.ensure_active_token()
            saved.append(token["access_token"])

        await leave_while_it_renews(hook, session(server, [], update_token=save).ensure_active_token)

    asyncio.run(main())
    assert saved == ["rt-2", "new"]


def test_a_renewal_that_pauses_does_not_hold_up_the_end_of_its_loop() -> None:
    async def main() -> asyncio.Task[Any]:
        server, pausing = Server(), asyncio.Event()
        server.replies.append(httpx2.Response(503, headers={"Retry-After": "5"}))
        server.answer.set()

        async def sleep(_: float) -> None:
            pausing.set()
            await asyncio.Event().wait()

        source = AsyncTokenSource(
            ClientCredentials("c", "s"), token_endpoint=URL, http_client=server.client(), sleep=sleep
        )
        task = asyncio.create_task(renewing(source))
        await pausing.wait()
        return task

    async def renewing(source: AsyncTokenSource) -> None:
        await source.token()

    assert asyncio.run(main()).cancelled()


def test_a_renewal_that_begins_a_pause_when_its_loop_has_ended_ends() -> None:
    slept = list[float]()

    async def main() -> None:
        server = Server()
        server.replies.append(httpx2.Response(503, headers={"Retry-After": "5"}))

        async def sleep(seconds: float) -> None:
            slept.append(seconds)

        source = AsyncTokenSource(
            ClientCredentials("c", "s"), token_endpoint=URL, http_client=server.client(), sleep=sleep
        )
        await leave_while_it_renews(server, source.token)

    asyncio.run(main())
    assert slept == []


def test_a_loop_that_ends_does_not_wait_for_a_callback_that_never_returns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unattended, "MAX_DELAY", 0.01)
    begun = list[str]()

    async def save(token: Any, **_: Any) -> None:
        begun.append(token["refresh_token"])
        await asyncio.Event().wait()

    async def main() -> None:
        server = Server()
        await leave_while_it_renews(server, session(server, [], update_token=save).ensure_active_token)

    asyncio.run(main())
    assert begun == ["rt-2"]


def test_a_loop_that_is_made_to_end_a_second_time_ends_at_once() -> None:
    loop = asyncio.new_event_loop()

    async def main() -> None:
        server = Server()
        renewing = asyncio.create_task(session(server, []).ensure_active_token())
        await server.begun.wait()
        renewing.cancel()

    loop.run_until_complete(main())
    tasks = asyncio.all_tasks(loop)
    assert [task.cancel() for task in tasks if isinstance(task, unattended.UnattendedTask)] == [False]
    assert all(task.cancel() for task in tasks)
    loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
    loop.close()


def test_a_renewal_in_the_background_is_over_when_a_run_of_trio_ends() -> None:
    clock, saved = Clock(), list[Any]()

    async def main() -> None:
        begun, answer = anyio.Event(), anyio.Event()

        async def serve(request: httpx2.Request) -> httpx2.Response:
            if saved:
                begun.set()
                await answer.wait()
            saved.append(request)
            return httpx2.Response(200, json={"access_token": f"at-{len(saved)}", "expires_in": 300})

        source = AsyncTokenSource(
            ClientCredentials("c", "s"),
            token_endpoint=URL,
            http_client=httpx2.AsyncClient(transport=httpx2.MockTransport(serve)),
            background=True,
            clock=clock,
            random=lambda: 1.0,
        )
        await source.token()
        clock.advance(250)
        assert (await source.token()).access_token.reveal() == "at-1"
        await begun.wait()
        trio.lowlevel.spawn_system_task(answer_at_the_end, answer)

    async def answer_at_the_end(answer: anyio.Event) -> None:
        try:
            await trio.sleep_forever()
        finally:
            answer.set()

    trio.run(main)
    assert len(saved) == 2
