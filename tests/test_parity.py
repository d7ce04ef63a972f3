"""Sync and async, httpx2 and httpx, requests: the same operations with the same signatures, defaults and docstrings."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

import doorkey
from doorkey import native
from doorkey.integrations import httpx_client
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.login import AsyncLoginClient, LoginClient
from doorkey.oauth2.client import OAuth2Client
from doorkey.renewal.single_flight import AsyncSingleFlight, SingleFlight
from doorkey.resource import AccessTokenVerifier, AsyncAccessTokenVerifier

ON_HTTPX2, ON_HTTPX = httpx_client.on("httpx2"), httpx_client.on("httpx")
SYNC: dict[str, Any] = {
    "requests": OAuth2Session,
    "httpx2": ON_HTTPX2.OAuth2Client,
    "httpx": ON_HTTPX.OAuth2Client,
}
ASYNC: dict[str, Any] = {"httpx2": ON_HTTPX2.AsyncOAuth2Client, "httpx": ON_HTTPX.AsyncOAuth2Client}
OPERATIONS = sorted(
    name.removeprefix("_") for name, member in vars(OAuth2Client).items() if inspect.isgeneratorfunction(member)
)

each_client = pytest.mark.parametrize("client", [*SYNC.values(), *ASYNC.values()], ids=lambda kind: kind.__name__)
each_operation = pytest.mark.parametrize("operation", [*OPERATIONS, "fetch_access_token"])


def signature(client: Any, operation: str) -> inspect.Signature:
    return inspect.signature(getattr(client, operation))


def public(kind: type) -> dict[str, Callable[..., object]]:
    return {name: member for name, member in vars(kind).items() if not name.startswith("_") and callable(member)}


def test_the_operations_are_those_of_the_issue() -> None:
    assert {
        *("ensure_active_token", "fetch_token", "introspect_token", "refresh_token", "revoke_token"),
        "token_from_fragment",
    } <= set(OPERATIONS)


@each_client
@each_operation
def test_every_client_has_every_operation_with_the_same_signature(client: Any, operation: str) -> None:
    ours, theirs = signature(client, operation), signature(OAuth2Session, operation)
    if operation == "revoke_token":  # each returns the response of its own library
        ours, theirs = ours.replace(return_annotation=None), theirs.replace(return_annotation=None)
    assert ours == theirs


@each_client
@each_operation
def test_every_operation_has_its_documentation_and_its_own_name(client: Any, operation: str) -> None:
    method = getattr(client, operation)
    assert inspect.getdoc(method) == inspect.getdoc(getattr(OAuth2Session, operation))
    assert len(inspect.getdoc(method) or "") > 40
    assert method.__name__ == operation.replace("fetch_access_token", "fetch_token")
    assert "Flow" not in str(signature(client, operation))


@each_operation
def test_what_blocks_is_a_function_and_what_awaits_a_coroutine_function(operation: str) -> None:
    assert [inspect.iscoroutinefunction(getattr(client, operation)) for client in SYNC.values()] == [False] * len(SYNC)
    assert [inspect.iscoroutinefunction(getattr(client, operation)) for client in ASYNC.values()] == [True] * len(ASYNC)


@each_client
def test_what_needs_no_server_is_one_and_the_same_for_every_client(client: Any) -> None:
    for name in ("create_authorization_url", "begin_authorization", "register_client_auth_method"):
        assert getattr(client, name) is getattr(OAuth2Client, name)
    assert client.register_compliance_hook is OAuth2Client.register_compliance_hook
    assert client.token is OAuth2Client.token


def test_httpx2_and_httpx_have_the_same_clients() -> None:
    for ours, theirs in zip(ON_HTTPX2[:2], ON_HTTPX[:2], strict=True):
        assert ours.__name__ == theirs.__name__
        assert inspect.getdoc(ours) == inspect.getdoc(theirs)
        assert inspect.signature(ours) == inspect.signature(theirs)
        for name in ("request", "stream"):
            # httpx writes `typing.Any`. The two libraries have different objects with the name `USE_CLIENT_DEFAULT`.
            shown = [str(signature(client, name)).replace("typing.", "") for client in (ours, theirs)]
            assert shown[0] == shown[1]


def test_sync_and_async_clients_are_constructed_alike() -> None:
    assert inspect.signature(ON_HTTPX2.OAuth2Client) == inspect.signature(ON_HTTPX2.AsyncOAuth2Client)
    on_requests = inspect.signature(OAuth2Session).parameters
    for name, parameter in inspect.signature(ON_HTTPX2.OAuth2Client).parameters.items():
        assert on_requests[name].default == parameter.default


def parameters(function: Callable[..., Any]) -> list[tuple[str, Any, Any]]:
    own = {"sleep"}  # each world has its own way to wait
    given = inspect.signature(function).parameters.values()
    return [(p.name, p.kind, "its own" if p.name in own else p.default) for p in given]


@pytest.mark.parametrize(
    ("sync", "awaiting"),
    [
        (SingleFlight, AsyncSingleFlight),
        (doorkey.TokenSource, doorkey.AsyncTokenSource),
        (doorkey.KeySource, doorkey.AsyncKeySource),
        (AccessTokenVerifier, AsyncAccessTokenVerifier),
        (LoginClient, AsyncLoginClient),
    ],
)
def test_twins_have_the_same_methods_with_the_same_parameters(sync: type, awaiting: type) -> None:
    renamed = {"aclose": "close", "achecked": "checked"}
    ours, theirs = public(sync), {renamed.get(name, name): member for name, member in public(awaiting).items()}
    assert ours.keys() == theirs.keys()
    for name, member in ours.items():
        assert parameters(member) == parameters(theirs[name]), name
    assert parameters(sync) == parameters(awaiting)
    assert inspect.getdoc(sync)
    assert inspect.getdoc(awaiting)


@pytest.mark.parametrize("name", ["discover", "discover_issuer", "register_client"])
def test_each_function_of_the_package_has_a_twin(name: str) -> None:
    blocking, awaiting = getattr(doorkey, name), getattr(doorkey, f"a{name}")
    assert parameters(blocking) == parameters(awaiting)
    assert inspect.iscoroutinefunction(awaiting)
    assert not inspect.iscoroutinefunction(blocking)


EXPORTED: list[str] = vars(native)["__all__"]
NATIVE = [name for name in EXPORTED if f"a{name}" in EXPORTED]


@pytest.mark.parametrize("name", NATIVE)
def test_each_native_login_has_a_twin(name: str) -> None:
    blocking, awaiting = getattr(native, name), getattr(native, f"a{name}")
    assert parameters(blocking) == parameters(awaiting)
    assert inspect.getdoc(blocking) == inspect.getdoc(awaiting)
    assert (blocking.__name__, awaiting.__name__) == (name, f"a{name}")
    assert inspect.iscoroutinefunction(awaiting)
    assert not inspect.iscoroutinefunction(blocking)
    assert "Flow" not in str(inspect.signature(awaiting))


def test_a_native_login_can_be_awaited() -> None:
    assert "login_in_browser" in NATIVE
