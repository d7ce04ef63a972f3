"""An error of a session's method carries no argument of the call: collectors of errors show local variables."""

import asyncio
import traceback
from collections.abc import Callable, Generator
from types import FunctionType
from typing import Any

import pytest

from doorkey.errors import OAuthError, UsageError
from doorkey.stores import AsyncMemoryStore, MemoryStore
from doorkey.values import clear_locals
from doorkey.vault import AsyncTokenVault, TokenVault
from tests.support.every_adapter import Adapter, Client
from tests.support.hostile_server import Hostile, reply
from tests.support.tracebacks import variables_of_ours

ARGUMENT = "-".join(["the", "argument", "of", "the", "call"])

CALLS: dict[str, Callable[[Client, str], object]] = {
    "fetch_token(password=)": lambda client, _: client.fetch_token(username="alice", password=ARGUMENT),
    "fetch_token(code=)": lambda client, _: client.fetch_token(code=ARGUMENT),
    "fetch_token(auth=)": lambda client, _: client.fetch_token(auth=("c", ARGUMENT)),
    "fetch_token(body=)": lambda client, _: client.fetch_token(body=f"assertion={ARGUMENT}"),
    "fetch_token(authorization_response=)": lambda client, _: client.fetch_token(
        authorization_response=f"https://app.example/cb?code={ARGUMENT}&state=unknown"
    ),
    "refresh_token(refresh_token=)": lambda client, _: client.refresh_token(refresh_token=ARGUMENT),
    "revoke_token(token=)": lambda client, url: client.revoke_token(url, token=ARGUMENT),
    "introspect_token(token=)": lambda client, url: client.introspect_token(url, token=ARGUMENT),
}


@pytest.mark.parametrize("call", list(CALLS))
def test_the_frames_of_a_failed_call_hold_none_of_its_arguments(adapter: Adapter, hostile: Hostile, call: str) -> None:
    hostile.on("/token", reply(400, json={"error": "invalid_grant"}))
    client = adapter.client("c", token_endpoint=hostile.token_endpoint)
    with pytest.raises(OAuthError) as raised:
        CALLS[call](client, hostile.token_endpoint)
    assert ARGUMENT not in variables_of_ours(raised.value)


def test_the_frames_of_a_failed_construction_hold_none_of_its_arguments(adapter: Adapter) -> None:
    with pytest.raises(UsageError) as raised:
        adapter.client("c", ARGUMENT, token_endpoint="https://as.example/token", scopee="a near miss")
    assert ARGUMENT not in variables_of_ours(raised.value)


NO_TOKEN = {"access_token": ARGUMENT, "token_type": "no word"}

AT_ONCE: dict[str, Callable[[Any], object]] = {
    "token =": lambda session: setattr(session, "token", NO_TOKEN),
    "token = without an access token": lambda session: setattr(session, "token", {"refresh_token": ARGUMENT}),
    "create_authorization_url(**extra)": lambda session: session.create_authorization_url(
        "nowhere", login_hint=ARGUMENT
    ),
    "create_authorization_url(code_verifier=)": lambda session: session.create_authorization_url(
        "https://as.example/authorize", code_verifier=f"{ARGUMENT}, too short"
    ),
    "begin_authorization(login_hint=)": lambda session: session.begin_authorization("nowhere", login_hint=ARGUMENT),
    "parse_authorization_response(url)": lambda session: session.parse_authorization_response(
        f"https://app.example/cb?code={ARGUMENT}&state=unknown"
    ),
}


@pytest.mark.parametrize("call", list(AT_ONCE))
def test_the_frames_of_a_failed_call_without_a_request_hold_none_of_its_arguments(adapter: Adapter, call: str) -> None:
    client = adapter.client("c", token_endpoint="https://as.example/token")
    with pytest.raises(OAuthError) as raised:
        AT_ONCE[call](client.native)
    assert ARGUMENT not in variables_of_ours(raised.value)


@pytest.mark.parametrize("kind", [TokenVault, AsyncTokenVault])
def test_the_frames_of_a_vault_that_cannot_be_constructed_hold_no_secret(kind: Any) -> None:
    with pytest.raises(UsageError) as raised:
        kind(MemoryStore(), client_id="c", client_secret=ARGUMENT, token_endpoint="not a URL")
    assert ARGUMENT not in variables_of_ours(raised.value)


def test_the_frames_of_a_failed_save_hold_no_token() -> None:
    token = {"access_token": ARGUMENT, "token_type": "Bearer"}
    known: dict[str, Any] = {"token_endpoint": "https://as.example/token"}
    with pytest.raises(UsageError) as raised:
        TokenVault(MemoryStore(), client_id="c", **known).save("", token)
    assert ARGUMENT not in variables_of_ours(raised.value)
    with pytest.raises(UsageError) as raised:
        asyncio.run(AsyncTokenVault(AsyncMemoryStore(), client_id="c", **known).save("", token))
    assert ARGUMENT not in variables_of_ours(raised.value)


def test_a_flow_that_caught_the_cause_of_an_error_goes_on_after_its_variables_were_cleared() -> None:
    def flow() -> Generator[BaseException, None, str]:
        kept = "still there"
        try:
            raise LookupError
        except LookupError as error:
            yield error
        return kept

    suspended = FunctionType(flow.__code__, {**globals(), "__name__": "doorkey.some_flow"})()
    error = OSError()
    error.__cause__ = next(suspended)
    clear_locals(error)
    with pytest.raises(StopIteration) as ended:
        next(suspended)
    assert ended.value.value == "still there"


def test_the_lines_of_our_frames_and_the_variables_of_a_hook_stay(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", reply(200, json={"access_token": "at-1", "token_type": "Bearer"}))
    client = adapter.client("c", token_endpoint=hostile.token_endpoint)

    def hook(response: Any) -> Any:
        seen_by_the_hook = "a value that its author looks for"
        raise LookupError(seen_by_the_hook)

    client.native.register_compliance_hook("access_token_response", hook)
    with pytest.raises(LookupError) as raised:
        client.fetch_token(grant_type="client_credentials")
    frames = {frame.f_code.co_name: frame for frame, _ in traceback.walk_tb(raised.value.__traceback__)}
    assert "seen_by_the_hook" in frames["hook"].f_locals
    assert "_fetch_token" in frames
