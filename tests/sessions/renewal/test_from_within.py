"""What a session calls while it renews (a hook, an auth method, `update_token`) may not wait for that renewal."""

from typing import Any

import anyio
import pytest

from doorkey.renewal import leader_lock
from tests.support.calls_during_renewal import WITHIN, Inside
from tests.support.every_adapter import KINDS, Adapter, Client
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import Hostile, token

OLD = {"access_token": "at-1", "refresh_token": "rt-1", "expires_at": START - 1}

only_async = pytest.mark.parametrize("kind", [k for k in KINDS.values() if k.is_async], ids=lambda kind: kind.name)
only_blocking = pytest.mark.parametrize("adapter", [n for n, k in KINDS.items() if not k.is_async], indirect=True)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A caller that waits for itself in spite of the checks gets an error after 0.1 seconds, not after 120."""
    monkeypatch.setattr(leader_lock, "MAX_WAIT", 0.1)


def expired(adapter: Adapter, hostile: Hostile, inside: Inside, **options: Any) -> Client:
    hostile.on("/token", token("at-2", refresh_token="rt-2"))
    client = adapter.client(token=OLD, token_endpoint=hostile.token_endpoint, clock=Clock(), **options)
    inside.session = client.native
    return client


@pytest.mark.parametrize("kind", ["refresh_token_request", "refresh_token_response"])
@pytest.mark.parametrize("what", ["get", "refresh_token", "ensure_active_token"])
def test_a_hook_that_wants_the_token_gets_an_error_at_once(
    adapter: Adapter, hostile: Hostile, kind: str, what: str
) -> None:
    args = (hostile.url("/other"),) if what == "get" else ()
    hook = Inside(what, *args, is_async=adapter.kind.is_async)
    client = expired(adapter, hostile, hook)
    client.native.register_compliance_hook(kind, hook.call)
    assert client.get(hostile.url()).status_code == 200
    assert hook.told == [WITHIN]
    assert [request.token for request in hostile.to("/api")] == ["at-2"]


def test_an_update_token_that_refreshes_again_gets_an_error_at_once(adapter: Adapter, hostile: Hostile) -> None:
    saved = Inside("refresh_token", is_async=adapter.kind.is_async)
    client = expired(adapter, hostile, saved, update_token=saved.call)
    assert client.get(hostile.url()).status_code == 200
    assert saved.told == [WITHIN]
    assert len(hostile.token_requests) == 1


def test_an_update_token_that_calls_an_api_sends_the_token_that_it_was_given(
    adapter: Adapter, hostile: Hostile
) -> None:
    saved = Inside("get", hostile.url("/other"), is_async=adapter.kind.is_async)
    client = expired(adapter, hostile, saved, update_token=saved.call)
    assert client.get(hostile.url()).status_code == 200
    assert [request.token for request in hostile.to("/other")] == ["at-2"]


@only_blocking
def test_an_auth_method_that_wants_the_token_gets_an_error_at_once(adapter: Adapter, hostile: Hostile) -> None:
    method = Inside("get", hostile.url("/other"), is_async=False)
    client = expired(adapter, hostile, method, token_endpoint_auth_method=method.call)
    assert client.get(hostile.url()).status_code == 200
    assert method.told == [WITHIN]


@only_async
@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["trio"])
@pytest.mark.parametrize("by", ["hook", "update_token"])
async def test_on_trio_code_inside_a_renewal_can_be_canceled(kind: Any, hostile: Hostile, by: str) -> None:
    hostile.on("/token", token("at-2", refresh_token="rt-2"))
    inside = Inside("refresh_token", is_async=True)
    how = {"token_endpoint": hostile.token_endpoint, "clock": Clock(), "token": OLD, **kind.defaults}
    if by == "update_token":
        how["update_token"] = inside.call
    with anyio.fail_after(60):
        async with kind.make("c", "s", **how) as client:
            inside.session = client
            if by == "hook":
                client.register_compliance_hook("refresh_token_response", inside.call)
            assert (await client.get(hostile.url())).status_code == 200
    assert inside.told == [WITHIN]
