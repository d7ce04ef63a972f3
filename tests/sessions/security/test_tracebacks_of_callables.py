"""When the program's callable fails within a request, our frames below that request hold no token in plain text."""

from collections.abc import Callable
from typing import Any

import pytest

from doorkey.errors import OAuthError
from tests.support.every_adapter import Adapter, Client
from tests.support.fake_clock import START
from tests.support.hostile_server import Hostile, token
from tests.support.tracebacks import variables_of_ours

SECRET = "-".join(["the", "secret", "of", "the", "program"])  # the access token, and the old and new refresh tokens
ACCESS, OLD, NEW = f"{SECRET}-access", f"{SECRET}-old", f"{SECRET}-new"
EXPIRED = {"access_token": f"{SECRET}-expired", "refresh_token": OLD, "token_type": "Bearer", "expires_at": 1}
VALID = {"access_token": ACCESS, "token_type": "Bearer"}


class Failed(LookupError):
    """The bug in the program."""


def raises(*_: Any, **__: Any) -> Any:
    raise Failed


def returns_nothing(*_: Any) -> Any:
    return None


def returns_no_url(url: str, headers: Any, body: Any) -> Any:
    return b"no text", headers, body


def returns_no_body(url: str, headers: Any, body: Any) -> Any:
    return url, headers, {"the body": body}


def returns_no_headers(url: str, headers: Any, body: Any) -> Any:
    return url, [list(headers.items())], body


HOOKS: dict[str, Callable[..., Any]] = {
    "raises": raises,
    "returns nothing": returns_nothing,
    "returns no URL": returns_no_url,
    "returns no body": returns_no_body,
    "returns no headers": returns_no_headers,
}
every_hook = pytest.mark.parametrize("hook", list(HOOKS))


def fitting(client: Client, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function` as programs of this kind would write it: a coroutine function for an asynchronous client."""
    if not client.kind.is_async:
        return function

    async def later(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return later


def unchanged(url: str, headers: Any, body: Any) -> Any:
    return url, headers, body


def failure_of_get(client: Client, url: str) -> str:
    with pytest.raises((OAuthError, Failed)) as raised:
        client.get(url)
    shown = variables_of_ours(raised.value)
    assert shown, "the traceback has no frame of ours to look at"
    return shown


def client_with(adapter: Adapter, hostile: Hostile, held: dict[str, Any], **options: Any) -> Client:
    hostile.on("/token", token(ACCESS, refresh_token=NEW))
    return adapter.client("c", token_endpoint=hostile.token_endpoint, token=held, clock=lambda: START, **options)


@pytest.mark.parametrize("is_fitting", [True, False])
def test_update_token_that_raises_in_a_renewal(adapter: Adapter, hostile: Hostile, is_fitting: bool) -> None:
    client = client_with(adapter, hostile, EXPIRED)
    client.native.update_token = fitting(client, raises) if is_fitting else raises
    assert SECRET not in failure_of_get(client, hostile.url())
    assert [request.form["refresh_token"] for request in hostile.token_requests] == [OLD]


def test_update_token_that_raises_when_client_credentials_are_used_again(adapter: Adapter, hostile: Hostile) -> None:
    client = client_with(adapter, hostile, {**EXPIRED, "refresh_token": None}, grant_type="client_credentials")
    client.native.update_token = raises
    assert SECRET not in failure_of_get(client, hostile.url())
    assert len(hostile.token_requests) == 1


@every_hook
def test_a_hook_of_renewals_that_fails(adapter: Adapter, hostile: Hostile, hook: str) -> None:
    client = client_with(adapter, hostile, EXPIRED)
    for function in (unchanged, HOOKS[hook]):
        client.native.register_compliance_hook("refresh_token_request", fitting(client, function))
    assert SECRET not in failure_of_get(client, hostile.url())
    assert hostile.received == []


@every_hook
@pytest.mark.parametrize("placement", ["header", "uri", "body"])
def test_a_hook_of_requests_that_fails(adapter: Adapter, hostile: Hostile, hook: str, placement: str) -> None:
    client = client_with(adapter, hostile, VALID, token_placement=placement)
    for function in (unchanged, HOOKS[hook]):
        client.native.register_compliance_hook("protected_request", fitting(client, function))
    assert SECRET not in failure_of_get(client, hostile.url())
    assert hostile.received == []


def test_a_plain_hook_of_requests_that_fails(adapter: Adapter, hostile: Hostile) -> None:
    client = client_with(adapter, hostile, VALID)
    for function in (unchanged, raises):
        client.native.register_compliance_hook("protected_request", function)
    assert SECRET not in failure_of_get(client, hostile.url())


@pytest.mark.parametrize("kind", ["access_token_response", "refresh_token_response"])
def test_a_hook_of_responses_that_fails(adapter: Adapter, hostile: Hostile, kind: str) -> None:
    held = EXPIRED if kind == "refresh_token_response" else {**EXPIRED, "refresh_token": None}
    client = client_with(adapter, hostile, held, grant_type="client_credentials")
    client.native.register_compliance_hook(kind, raises)
    assert SECRET not in failure_of_get(client, hostile.url())
    assert len(hostile.token_requests) == 1
