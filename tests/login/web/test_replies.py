"""Errors as replies: the status, the page, and the JSON."""

import pytest

from doorkey.errors import (
    InvalidClient,
    InvalidResponse,
    OAuthError,
    ServerError,
    StoreError,
    TemporarilyUnavailable,
    TransportError,
    UsageError,
    VerificationError,
)
from doorkey.login.errors import LoginExpired, LoginRefused, NoPendingLogin
from doorkey.login.web.errors import ForgedLogout, NoUser, SessionEnded, WrongAddress
from doorkey.login.web.messages import WebRequest
from doorkey.login.web.replies import error_reply
from doorkey.wire.strict_json import parse_object

PAGE = WebRequest("GET", "https", "app.example", "/auth/callback", headers=(("Accept", "text/html"),))
SCRIPT = WebRequest("GET", "https", "app.example", "/auth/callback")

STATUS = [
    (NoPendingLogin(), 400),
    (LoginExpired(), 400),
    (WrongAddress(), 400),
    (NoUser(), 400),
    (SessionEnded(), 400),
    (LoginRefused("access_denied"), 403),
    (ForgedLogout(), 403),
    (VerificationError("nonce", "is another one"), 400),
    (TransportError("no connection", retryable=True), 503),
    (StoreError("no database"), 503),
    (InvalidResponse("not_json", "the body is not JSON", status=200), 503),
    (InvalidClient("invalid_client", status=401), 502),
    (TemporarilyUnavailable("temporarily_unavailable", status=503, retry_after=1.2), 503),
    (ServerError("slow_down", status=429), 503),
    (ServerError("server_error"), 503),
    (UsageError("the client_id is missing"), 500),
    (OAuthError("other"), 500),
]


@pytest.mark.parametrize(("error", "status"), STATUS, ids=lambda one: getattr(one, "error", one))
def test_an_error_is_a_page_or_json_with_the_same_status(error: OAuthError, status: int) -> None:
    page = error_reply(error, PAGE, retry_path="/auth/login", site="Shop")
    told = error_reply(error, SCRIPT, retry_path="/auth/login")
    assert (page.status, told.status) == (status, status)
    assert 'href="/auth/login"' in page.body.decode()
    members = parse_object(told.body)
    assert (members["error"], members["code"], members["login_url"]) == (error.error, error.code, "/auth/login")
    assert members["error_description"]
    for reply in (page, told):
        assert "no-store" in (reply.header("Cache-Control") or "")


def test_the_response_of_a_provider_is_in_the_log_and_not_on_the_page(caplog: pytest.LogCaptureFixture) -> None:
    error = InvalidResponse("not_json", "the body is not JSON", status=502, excerpt="<p>db-7.internal is down")
    for request in (PAGE, SCRIPT):
        reply = error_reply(error, request, retry_path="/auth/login")
        assert "db-7" not in reply.body.decode()
    assert "the body is not JSON" in error_reply(error, PAGE, retry_path=None).body.decode()
    assert "db-7.internal is down" in caplog.text


def test_the_pause_that_a_provider_asks_for_is_passed_on() -> None:
    busy = TemporarilyUnavailable("temporarily_unavailable", status=503, retry_after=1.2)
    assert error_reply(busy, PAGE, retry_path=None).header("Retry-After") == "2"
    assert error_reply(ServerError("server_error"), PAGE, retry_path=None).header("Retry-After") is None


def test_what_a_provider_says_is_escaped() -> None:
    page = error_reply(LoginRefused("access_denied", "<script>alert(1)</script>"), PAGE, retry_path=None).body.decode()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_log_has_the_reason(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "doorkey"):
        error_reply(TransportError("no connection to op.example"), SCRIPT, retry_path=None)
        error_reply(LoginExpired(), SCRIPT, retry_path=None)
    levels = [(one.levelname, "no connection" in one.getMessage()) for one in caplog.records]
    assert levels == [("ERROR", True), ("INFO", False)]
