"""What a RuntimeError of the client that a source is given means: another event loop, or nothing of the kind."""

import asyncio
from typing import Any

import httpx2
import pytest

from doorkey import AsyncTokenSource, TransportError
from tests.support.source_requests import CLIENT

ENDPOINT = "https://as.example/token"


class Failing(httpx2.AsyncBaseTransport):
    """A transport that answers once, and then fails as one does that has a connection of another loop."""

    def __init__(self, *outcomes: Any) -> None:
        self.outcomes = list(outcomes)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        outcome = self.outcomes.pop(0)
        if isinstance(outcome, Exception):
            raise outcome
        return httpx2.Response(200, json=outcome)


ANSWER = {"access_token": "a", "token_type": "Bearer", "expires_in": 300}
CLOSED = RuntimeError("Event loop is closed")


def source(*outcomes: Any) -> AsyncTokenSource:
    return AsyncTokenSource(
        CLIENT, token_endpoint=ENDPOINT, http_client=httpx2.AsyncClient(transport=Failing(*outcomes))
    )


def test_the_error_names_a_client_that_was_used_in_another_loop() -> None:
    asking = source(ANSWER, CLOSED)
    token = asyncio.run(asking.token())
    asking.reject(token)
    with pytest.raises(TransportError, match="another event loop") as failed:
        asyncio.run(asking.token())
    assert failed.value.retryable
    assert failed.value.__cause__ is CLOSED


@pytest.mark.parametrize("error", [CLOSED, RuntimeError("the wheel came off")])
def test_the_error_of_a_transport_in_its_own_loop_does_not_mention_loops(error: RuntimeError) -> None:
    asking = source(error)
    with pytest.raises(TransportError, match="RuntimeError") as failed:
        asyncio.run(asking.token())
    assert "another event loop" not in str(failed.value)
