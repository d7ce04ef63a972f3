"""Compliance hooks: in the order registered, plain or awaitable, and they must return what they were given."""

from collections.abc import Generator
from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.sessions.hooks import KINDS, ComplianceHooks
from doorkey.wire.flow import Flow, Settle, arun, run
from tests.support.backends import both_backends


def no_effect(effect: object) -> Any:
    raise AssertionError(effect)


def same(response: Any) -> Any:
    return response


async def no_effect_later(effect: object) -> Any:
    raise AssertionError(effect)


def test_the_kinds_are_those_of_the_documents() -> None:
    assert set(KINDS) == {
        "access_token_response",
        "refresh_token_request",
        "refresh_token_response",
        "revoke_token_request",
        "introspect_token_request",
        "protected_request",
    }


def test_hooks_run_in_the_order_registered_each_once() -> None:
    hooks = ComplianceHooks()

    def one(response: list[int]) -> list[int]:
        return [*response, 1]

    def two(response: list[int]) -> list[int]:
        return [*response, 2]

    for hook in (two, one, two):
        hooks.add("access_token_response", hook)
    assert hooks.of("access_token_response") == (two, one)
    assert run(hooks.on_response("access_token_response", [0]), no_effect) == [0, 2, 1]
    assert run(hooks.on_response("refresh_token_response", [0]), no_effect) == [0]


@both_backends
@pytest.mark.anyio
async def test_a_hook_may_be_awaitable_where_the_client_awaits() -> None:
    hooks = ComplianceHooks()

    async def later(url: str, headers: Any, body: str) -> tuple[str, Any, str]:
        return url + "?later", headers, body

    def plain(url: str, headers: Any, body: str) -> tuple[str, Any, str]:
        return url + "&plain", {**headers, "X": "1"}, body + "!"

    hooks.add("protected_request", later)
    hooks.add("protected_request", plain)
    wire = await arun(hooks.on_request("protected_request", ("u", {}, "b")), no_effect_later)
    assert wire == ("u?later&plain", {"X": "1"}, "b!")
    with pytest.raises(UsageError, match="asynchronous"):
        run(hooks.on_request("protected_request", ("u", {}, "b")), no_effect)


@pytest.mark.parametrize(
    ("kind", "near"), [("access_token_respons", "'access_token_response'"), ("qqqq", "protected_request")]
)
def test_a_kind_that_is_unknown_names_the_nearest_known_one(kind: str, near: str) -> None:
    with pytest.raises(UsageError, match=near):
        ComplianceHooks().add(kind, same)


def test_a_hook_that_forgets_to_return_is_named() -> None:
    def forgetful(*_: Any) -> None: ...

    hooks = ComplianceHooks()
    hooks.add("access_token_response", forgetful)
    hooks.add("protected_request", forgetful)
    with pytest.raises(UsageError, match="forgetful must return the response"):
        run(hooks.on_response("access_token_response", object()), no_effect)
    with pytest.raises(UsageError, match=r"forgetful must return \(url, headers, body\)"):
        run(hooks.on_request("protected_request", ("u", {}, None)), no_effect)


@pytest.mark.parametrize("returned", [("u", {}), 7, ("u", {}, "b", 1)])
def test_a_hook_that_returns_something_else_is_named_by_its_class_where_it_has_no_name(returned: Any) -> None:
    class Odd:
        def __call__(self, *_: Any) -> Any:
            return returned

    hooks = ComplianceHooks()
    hooks.add("protected_request", Odd())
    with pytest.raises(UsageError, match="Odd must return"):
        run(hooks.on_request("protected_request", ("u", {}, "b")), no_effect)


def test_what_a_hook_raises_is_raised() -> None:
    def odd(_: Any) -> Any:
        raise KeyError("odd")

    hooks = ComplianceHooks()
    hooks.add("access_token_response", odd)
    flow: Flow[Any] = hooks.on_response("access_token_response", 1)
    with pytest.raises(KeyError, match="odd"):
        next(flow)


class Awaited:
    def __await__(self) -> Generator[Any, Any, Any]:
        raise NotImplementedError


def test_what_a_hook_returned_is_settled_by_the_driver_if_it_is_awaitable() -> None:
    hooks = ComplianceHooks()
    awaitable: Any = Awaited()
    hooks.add("access_token_response", same)
    assert next(hooks.on_response("access_token_response", awaitable)) == Settle(awaitable)
    with pytest.raises(StopIteration, match=r"^1$"):
        next(hooks.on_response("access_token_response", 1))
