"""An auth object and a token source refuse each option that they do not use. They ignore none."""

import inspect
from typing import Any, cast

import pytest

from doorkey import AsyncTokenSource, OAuth2Auth, TokenSource, UsageError
from doorkey.auth.constructor import SignsRequests
from doorkey.auth.options import SourceOptions
from doorkey.integrations import aiohttp_client, httpx_client, requests_client
from doorkey.integrations.httpx_client import AsyncOAuth2Client, OAuth2Client
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.sources.core import SourceCore
from tests.support.source_requests import CLIENT

ENDPOINT: dict[str, Any] = {"token_endpoint": "https://as.example/token"}
SESSIONS = {"requests": OAuth2Session, "httpx2": OAuth2Client, "httpx2-async": AsyncOAuth2Client}

each_session = pytest.mark.parametrize("session", SESSIONS.values(), ids=SESSIONS.keys())


@each_session
@pytest.mark.parametrize("option", ["issuer", "leeway", "http_client", "nonsense"])
def test_a_session_uses_its_own_endpoint_and_authentication(session: Any, option: str) -> None:
    with pytest.raises(UsageError, match=f"{option}= is for credentials"):
        OAuth2Auth(session("c"), **cast("Any", {option: "https://as.example"}))


@each_session
def test_a_session_places_its_token_itself(session: Any) -> None:
    with pytest.raises(UsageError, match=r"places its token itself \(header\)"):
        OAuth2Auth(session("c"), "uri")
    assert OAuth2Auth(session("c", token_placement="uri"), "uri")._signer._placement == "uri"
    assert OAuth2Auth(session("c", token_placement="uri"))._signer._placement == "uri"


@pytest.mark.parametrize("source", [TokenSource, AsyncTokenSource])
def test_a_source_takes_credentials_and_no_part_of_another_source(source: Any) -> None:
    with pytest.raises(UsageError, match="credentials"):
        source(SourceCore(CLIENT, **ENDPOINT), leeway=3)


def parameters(kind: type) -> dict[str, inspect.Parameter]:
    return {name: one for name, one in inspect.signature(kind).parameters.items() if name not in ("self", "options")}


@pytest.mark.parametrize("source", [TokenSource, AsyncTokenSource])
def test_the_typed_options_are_those_of_a_token_source(source: type) -> None:
    assert {"issuer", "token_endpoint", *SourceOptions.__annotations__} == {*parameters(source)} - {"credentials"}


def test_every_library_has_the_same_constructor() -> None:
    made: list[Any] = [
        OAuth2Auth,
        aiohttp_client.OAuth2Auth,
        httpx_client.OAuth2Auth,
        requests_client.OAuth2Auth,
    ]
    assert {one.__init__ for one in made} == {SignsRequests.__init__}
    assert list(parameters(OAuth2Auth))[:2] == ["token_source", "token_placement"]


@pytest.mark.parametrize("option", ["metadata_", "lee_way", "chance"])
def test_an_unknown_option_is_named(option: str) -> None:
    with pytest.raises(UsageError, match=f"there is no option '{option}'"):
        OAuth2Auth(CLIENT, **ENDPOINT, **cast("Any", {option: None}))
