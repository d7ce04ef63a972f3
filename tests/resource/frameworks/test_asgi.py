"""What only ASGI has: other events than requests, two kinds of event loops, and verifiers that block."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import anyio
import anyio.lowlevel
import httpx2
import pytest

from doorkey.errors import UsageError
from doorkey.resource import AccessTokenVerifier, AsyncAccessTokenVerifier
from doorkey.resource.messages import ApiRequest
from doorkey.resource.on_asgi import ASGIGuard
from tests.support.backends import both_backends
from tests.support.framework_requests import Call, Exchange, asgi, bearer, scope_of
from tests.support.guarded_apis import asgi_app
from tests.support.resource_server import API, Server, token


def test_the_lifespan_reaches_the_application(verifier: Any) -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    exchange = Exchange([])
    guarded = ASGIGuard(verifier).middleware(app)
    asyncio.run(guarded({"type": "lifespan"}, exchange.receive, exchange.send))
    assert seen == ["lifespan"]


@pytest.mark.parametrize("kind", ["webtransport", "Lifespan", "http.disconnect"])
def test_a_connection_of_a_kind_that_is_not_known_does_not_reach_the_application(verifier: Any, kind: str) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("it has no token")

    exchange = Exchange([])
    guarded = ASGIGuard(verifier).middleware(app)
    with pytest.raises(UsageError, match="no other kind of connection"):
        asyncio.run(guarded({"type": kind}, exchange.receive, exchange.send))
    assert exchange.sent == []


@pytest.mark.anyio
@both_backends
async def test_the_middleware_runs_on_asyncio_and_on_trio(verifier: Any) -> None:
    app = asgi_app(verifier)
    for call, status in ((bearer(token()), 200), (Call(), 401)):
        exchange = Exchange([])
        await app(scope_of(call, "http"), exchange.receive, exchange.send)
        assert exchange.sent[0]["status"] == status


def test_a_verifier_that_blocks_does_not_block_the_event_loop(blocking: AccessTokenVerifier, server: Server) -> None:
    others_ran = threading.Event()
    keys = server.keys

    def slow(_: Any) -> Any:
        assert others_ran.wait(60), "the event loop was blocked"
        return httpx2.Response(200, json={"keys": keys})

    server.instead["/jwks_uri"] = slow
    exchange = Exchange([])

    async def main() -> None:
        async with anyio.create_task_group() as group:
            call = scope_of(bearer(token()), "http")
            group.start_soon(asgi_app(blocking), call, exchange.receive, exchange.send)
            await anyio.lowlevel.checkpoint()  # the request is in progress
            group.start_soon(anyio.to_thread.run_sync, others_ran.set)

    asyncio.run(main())
    assert exchange.sent[0]["status"] == 200


def test_the_state_of_other_middleware_stays(awaiting: AsyncAccessTokenVerifier) -> None:
    scope: dict[str, Any] = scope_of(bearer(token()), "http") | {"state": {"tenant": "one"}}
    exchange = Exchange([])
    asyncio.run(asgi_app(awaiting)(scope, exchange.receive, exchange.send))
    state: dict[str, Any] = scope["state"]
    assert state["tenant"] == "one"
    assert state["access_token"].sub == "alice"


def test_a_server_that_puts_the_query_into_the_raw_path_is_understood(verifier: Any) -> None:
    scope = scope_of(Call("/.well-known/oauth-protected-resource", query="x=1"), "http")
    scope["raw_path"] += b"?x=1"
    exchange = Exchange([])
    asyncio.run(asgi_app(verifier, resource=API)(scope, exchange.receive, exchange.send))
    assert exchange.sent[0]["status"] == 200


@pytest.mark.parametrize("raw", [True, False])
def test_a_question_mark_in_a_path_begins_no_query(awaiting: AsyncAccessTokenVerifier, raw: bool) -> None:
    scope = scope_of(bearer(token(), path="/any?access_token=x"), "http")
    scope["raw_path"] = b"/any%3Faccess_token=x"
    if not raw:
        del scope["raw_path"]
    exchange = Exchange([])
    asyncio.run(asgi_app(awaiting)(scope, exchange.receive, exchange.send))
    assert exchange.sent[0]["status"] == 200


def test_a_dpop_check_gets_the_path_as_the_client_has_sent_it(awaiting: AsyncAccessTokenVerifier) -> None:
    """A proof names the URL of the request (RFC 9449 §4.2), and a slash of a segment is none between two."""
    seen: list[str] = []

    def dpop(request: ApiRequest, _: Any) -> str:
        seen.append(request.url)
        return "thumbprint"

    scope = scope_of(Call(headers=(("Authorization", f"DPoP {token(cnf={'jkt': 'thumbprint'})}"),)), "http")
    scope |= {"path": "/orders/7/8", "raw_path": b"/orders/7%2F8", "query_string": b"a=%20"}
    exchange = Exchange([])
    asyncio.run(asgi_app(awaiting, dpop=dpop)(scope, exchange.receive, exchange.send))
    assert (exchange.sent[0]["status"], seen) == (200, ["/orders/7%2F8?a=%20"])


def test_a_response_to_head_has_no_body_and_the_length_of_the_one_to_get(verifier: Any) -> None:
    app = asgi_app(verifier, resource=API)
    path = "/.well-known/oauth-protected-resource"
    got, head = (asgi(app, Call(path, method)) for method in ("GET", "HEAD"))
    assert head.body == b""
    assert head.all("content-length") == got.all("content-length") == [str(len(got.body))]
    assert asgi(app, Call(path, "POST")).status == 405
