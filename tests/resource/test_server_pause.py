"""A server that does not respond to introspection is left alone, also by callers that send a new token each time."""

import secrets
from typing import Any

import httpx2
import pytest

from doorkey import TransportError
from doorkey.errors import InvalidClient, InvalidResponse, ServerError
from doorkey.resource.server_pause import PROBE, TOLERATED
from tests.support.fake_clock import START, Clock
from tests.support.resource_server import ACTIVE, API, ASKING, ISSUER, OPAQUE, Api, Apis, Server, page, unchecked

MANY = 20


def down(request: httpx2.Request) -> Any:
    raise httpx2.ConnectError("no connection", request=request)


@pytest.fixture
def asking(apis: Apis, server: Server) -> Api:
    server.tokens[OPAQUE] = {**ACTIVE, "exp": int(START) + 6000}
    return apis(ISSUER, audience=API, introspection=ASKING)


def flood(api: Api) -> list[Any]:
    """The errors of many tokens, each a new one."""
    return [unchecked(api, secrets.token_urlsafe()) for _ in range(MANY)]


@pytest.mark.parametrize(
    ("status", "kind"), [(None, TransportError), (503, ServerError), (429, ServerError)], ids=["none", "503", "429"]
)
def test_callers_with_random_tokens_cost_a_server_that_is_down_three_requests(
    asking: Api, server: Server, clock: Clock, status: int | None, kind: type[Exception]
) -> None:
    server.instead["/introspect"] = down if status is None else lambda _: page({}, status)
    errors = flood(asking)
    assert len(server.asked) == TOLERATED + 1
    assert {type(error) for error in errors} == {type(errors[0])}
    assert isinstance(errors[0], kind)
    assert clock() < errors[-1].retry_at < clock() + 1


def test_a_response_that_is_known_is_used_while_the_server_is_down(asking: Api, server: Server) -> None:
    asking.verify(OPAQUE)
    server.instead["/introspect"] = down
    flood(asking)
    assert asking.verify(OPAQUE).sub == "alice"


def test_after_a_pause_one_request_is_sent_and_its_success_ends_the_pause(
    asking: Api, server: Server, clock: Clock
) -> None:
    server.instead["/introspect"] = down
    flood(asking)
    clock.advance(1)
    flood(asking)
    assert len(server.asked) == TOLERATED + 2
    del server.instead["/introspect"]
    clock.advance(1)
    assert asking.verify(OPAQUE).sub == "alice"
    sent = len(server.asked)
    server.tokens |= {f"good-{number}": ACTIVE for number in range(MANY)}
    assert {asking.verify(f"good-{number}").sub for number in range(MANY)} == {"alice"}
    assert len(server.asked) == sent + MANY


def test_the_pause_doubles_and_lasts_a_minute_at_most(asking: Api, server: Server, clock: Clock) -> None:
    server.instead["/introspect"] = lambda _: page({}, 503, **{"Retry-After": "3000"})
    flood(asking)
    clock.advance(60)
    flood(asking)
    assert len(server.asked) == TOLERATED + 2
    server.instead["/introspect"] = down
    for _ in range(10):
        clock.advance(60)
        assert isinstance(unchecked(asking, str(clock())), TransportError)
    assert len(server.asked) == TOLERATED + 12


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(page({}, 500), InvalidResponse), (page({"error": "invalid_client"}, 401), InvalidClient)],
    ids=["500", "401"],
)
def test_an_error_that_a_token_may_cause_locks_out_no_other_token(
    asking: Api, server: Server, answer: Any, kind: type[Exception]
) -> None:
    server.instead["/introspect"] = lambda _: answer
    assert {type(error) for error in flood(asking)} == {kind}
    assert len(server.asked) == MANY
    del server.instead["/introspect"]
    assert asking.verify(OPAQUE).sub == "alice"


def test_a_few_failures_between_successes_cause_no_pause(asking: Api, server: Server) -> None:
    for number in range(5):
        server.instead["/introspect"] = down
        for other in range(TOLERATED):
            unchecked(asking, f"{number}-{other}")
        del server.instead["/introspect"]
        server.tokens[f"good-{number}"] = ACTIVE
        assert asking.verify(f"good-{number}").sub == "alice"


def test_a_clock_that_is_set_back_ends_the_pause(asking: Api, server: Server, clock: Clock) -> None:
    server.instead["/introspect"] = down
    flood(asking)
    del server.instead["/introspect"]
    clock.advance(-3600)
    assert asking.verify(OPAQUE).sub == "alice"
    assert PROBE < 3600
