"""Values and flows: what a checker knows of them, and what it refuses."""

from collections.abc import Callable
from typing import assert_type

from doorkey import AsyncTokenSource, OAuthToken, Scope, Secret, TokenSource
from doorkey.protocol.discovery import fetch_metadata
from doorkey.protocol.metadata import ServerMetadata
from doorkey.wire.flow import Flow, arun, run
from doorkey.wire.messages import Request, Response


def tokens(token: OAuthToken) -> None:
    assert_type(token.access_token, Secret)
    assert_type(token.access_token.reveal(), str)
    assert_type(token.refresh_token, Secret | None)
    assert_type(token.expires_at, float | None)
    assert_type(token.scope, Scope | None)
    assert_type(list(token.scope or Scope()), list[str])
    token.token_type = "DPoP"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


def secrets(secret: Secret) -> None:
    text: str = secret  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    print(text)


def twice(url: str) -> Flow[int]:
    first = yield from Request("GET", url)
    assert_type(first, Response)
    second = yield from Request("GET", url)
    return first.status + second.status


async def flows(send: Callable[[Request], Response]) -> None:
    async def send_later(request: Request) -> Response:
        return send(request)

    assert_type(run(twice("https://as.example"), send), int)
    assert_type(await arun(twice("https://as.example"), send_later), int)
    assert_type(run(fetch_metadata("https://as.example"), send).value, ServerMetadata)


async def sources(source: TokenSource, awaiting: AsyncTokenSource) -> None:
    assert_type(source.token(), OAuthToken)
    assert_type(await awaiting.token(), OAuthToken)
