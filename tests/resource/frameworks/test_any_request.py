"""Any request of a client gets a response with one of the statuses 200, 400, 401 and 403. None raises an exception."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorkey.resource import AccessTokenVerifier
from doorkey.resource.client_certificates import certificate_header
from tests.resource.frameworks.conftest import maker
from tests.support.fake_clock import Clock
from tests.support.framework_requests import Call, Exchange, scope_of
from tests.support.guarded_apis import AWAITING, BLOCKING, asgi_app
from tests.support.resource_server import API, ISSUER, Net, Server, token

GOOD = token()
text = st.text(st.characters(max_codepoint=255), max_size=30)
value = st.one_of(text, text.map("Bearer {}".format), st.just(f"Bearer {GOOD}"), text.map(f"Bearer {GOOD}{{}}".format))
headers = st.lists(
    st.tuples(st.sampled_from(["Authorization", "authorization", "Client-Cert", "DPoP", "X"]), value), max_size=4
)
STATUSES = {200, 400, 401, 403}


@pytest.mark.parametrize("name", ["wsgi", "flask", "django", "starlette", "fastapi"])
def test_any_header_and_query_is_answered(name: str) -> None:
    api = maker(name, AccessTokenVerifier, Server(), Clock())(client_certificate=certificate_header())
    assert name in BLOCKING | AWAITING

    @settings(max_examples=25, deadline=None)
    @given(headers, st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20))
    def check(sent: list[tuple[str, str]], query: str) -> None:
        assert api(Call("/orders", headers=tuple(sent), query=query)).status in STATUSES

    check()


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=30), st.binary(max_size=20), st.binary(max_size=20))
def test_any_bytes_in_an_asgi_scope_are_answered(credentials: bytes, query: bytes, path: bytes) -> None:
    transport: Any = httpx2.MockTransport(Net(Server()))
    verifier = AccessTokenVerifier(ISSUER, audience=API, clock=Clock(), http_client=httpx2.Client(transport=transport))
    scope = scope_of(Call("/any"), "http")
    scope |= {"headers": [(b"authorization", credentials)], "query_string": query, "raw_path": path}
    exchange = Exchange([])
    asyncio.run(asgi_app(verifier)(scope, exchange.receive, exchange.send))
    assert exchange.sent[0]["status"] in STATUSES
