"""WebSockets: a handshake that is rejected is never accepted, and gets the response where the server can send one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from doorkey.resource import AccessTokenVerifier
from tests.resource.frameworks.conftest import verifier_of
from tests.support.fake_clock import Clock
from tests.support.framework_requests import Answer, Call, bearer, websocket
from tests.support.guarded_apis import WEBSOCKETS
from tests.support.resource_server import API, ASKING, Server, token

each = pytest.mark.parametrize("app", WEBSOCKETS.values(), ids=WEBSOCKETS.keys())
Make = Callable[..., Any]


@each
def test_a_handshake_with_a_good_token_is_accepted(app: Make, verifier: Any) -> None:
    assert websocket(app(verifier), bearer(token())) in ('{"sub": "alice"}', '{"sub":"alice"}')


@each
def test_a_rejected_handshake_gets_the_complete_response(app: Make, verifier: Any) -> None:
    api = app(verifier, resource=API)
    for call, status, part in (
        (Call("/orders"), 401, 'Bearer scope="orders:read"'),
        (bearer(token(scope="x")), 403, 'error="insufficient_scope"'),
        (bearer("x"), 401, 'error="invalid_token"'),
        (Call("/orders", query="access_token=x"), 400, 'error="invalid_request"'),
    ):
        answer = websocket(api, call)
        assert isinstance(answer, Answer)
        assert answer.status == status
        assert part in (answer.challenge or "")
        assert answer.all("content-type") == ["application/json"]


@each
def test_where_the_server_can_send_no_response_the_handshake_is_closed(app: Make, verifier: Any) -> None:
    assert websocket(app(verifier), Call("/orders"), denial=False) == 1008
    assert websocket(app(verifier), bearer(token(scope="x")), denial=False) == 1008


@each
def test_a_handshake_whose_token_cannot_be_checked_is_to_be_tried_again(
    app: Make, server: Server, clock: Clock
) -> None:
    server.instead["/introspect"] = lambda _: httpx2.Response(503)
    api = app(verifier_of(AccessTokenVerifier, server, clock, introspection=ASKING))
    assert websocket(api, bearer("opaque"), denial=False) == 1013
    answer = websocket(api, bearer("opaque"))
    assert isinstance(answer, Answer)
    assert answer.status == 503


@each
def test_a_browser_sends_the_token_in_the_query_where_the_api_accepts_that(app: Make, verifier: Any) -> None:
    """A page cannot set the headers of a handshake."""
    api = app(verifier, token_in_query=True)
    assert "alice" in str(websocket(api, Call("/orders", query=f"access_token={token()}")))


@each
def test_a_websocket_that_needs_no_token_is_accepted_without_one(app: Make, verifier: Any) -> None:
    assert "null" in str(websocket(app(verifier), Call("/optional")))
