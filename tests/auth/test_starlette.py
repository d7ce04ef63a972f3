"""Starlette's `TestClient` is a client of httpx2, and takes the auth object as one."""

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from doorkey import OAuth2Auth
from tests.support.hostile_server import Hostile, token
from tests.support.source_requests import CLIENT, on_token


async def show(request: Request) -> Response:
    seen = request.headers.get("authorization")
    return JSONResponse({"seen": seen, "body": (await request.body()).decode()}, 401 if seen == "Bearer at-1" else 200)


APP = Starlette(routes=[Route("/api", show, methods=["GET", "POST"])])


def test_it_is_a_client_of_httpx2() -> None:
    assert issubclass(TestClient, httpx2.Client)


@pytest.mark.parametrize("body", [b"", b"some bytes"])
def test_a_token_is_brought_and_renewed(hostile: Hostile, body: bytes) -> None:
    auth = OAuth2Auth(CLIENT, **on_token(hostile, token("at-1"), token("at-2")))
    with TestClient(APP) as client:
        answer = client.post("/api", content=body, auth=auth)
        assert answer.json() == {"seen": "Bearer at-2", "body": body.decode()}
        client.auth = auth
        assert client.get("/api").json()["seen"] == "Bearer at-2"
    assert len(hostile.token_requests) == 2
