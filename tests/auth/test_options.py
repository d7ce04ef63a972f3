"""Options that an auth object or a source has no use for are refused, whatever it is made of: none is ignored."""

from typing import Any

import pytest

from doorkey import AsyncTokenSource, OAuth2Auth, TokenSource, UsageError
from doorkey.integrations.httpx_client import AsyncOAuth2Client, OAuth2Client
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.sources.core import SourceCore
from tests.support.source_requests import CLIENT

ENDPOINT: dict[str, Any] = {"token_endpoint": "https://as.example/token"}
SESSIONS = {"requests": OAuth2Session, "httpx2": OAuth2Client, "httpx2-async": AsyncOAuth2Client}

each_session = pytest.mark.parametrize("session", SESSIONS.values(), ids=SESSIONS.keys())


@each_session
@pytest.mark.parametrize("option", ["issuer", "leeway", "http_client", "nonsense"])
def test_a_session_knows_whom_to_ask_and_how(session: Any, option: str) -> None:
    with pytest.raises(UsageError, match=f"{option}= is for credentials"):
        OAuth2Auth(session("c"), **{option: "https://as.example"})


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
