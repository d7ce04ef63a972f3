"""The device authorization grant (RFC 8628): its request, its response, and the polling for the token."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from doorkey.errors import (
    AccessDenied,
    AuthorizationPending,
    ExpiredDeviceCode,
    InvalidClient,
    InvalidResponse,
    OAuthError,
    ServerFailure,
    SlowDown,
    TemporarilyUnavailable,
    TransportError,
    UsageError,
)
from doorkey.protocol.device import (
    DeviceAuthorization,
    device_authorization_request,
    parse_device_authorization,
    poll_for_token,
)
from doorkey.protocol.grants import DeviceCodeGrant
from doorkey.values import Secret
from doorkey.wire.flow import Flow, Sleep, run
from doorkey.wire.messages import Request, Response

URL = "https://as.example/device"
NOW = 1_800_000_000.0
ANSWER: dict[str, Any] = {
    "device_code": "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS",
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://example.com/device",
    "verification_uri_complete": "https://example.com/device?user_code=WDJB-MJHT",
    "expires_in": 1800,
    "interval": 5,
}


def parsed(**changes: Any) -> DeviceAuthorization:
    members = {name: value for name, value in {**ANSWER, **changes}.items() if value is not None}
    return parse_device_authorization(Response(200, (), json.dumps(members).encode()), requested_at=NOW)


def test_the_request_is_that_of_section_3_1() -> None:
    request = device_authorization_request(URL, [("scope", "a b")], headers=[("X-Trace", "1")])
    assert request.content == b"scope=a+b"
    assert (request.method, request.url, request.header("X-Trace")) == ("POST", URL, "1")
    with pytest.raises(UsageError, match="device authorization endpoint"):
        device_authorization_request("http://as.example/device")


def test_the_response_of_section_3_2_is_read() -> None:
    assert parsed() == DeviceAuthorization(
        user_code="WDJB-MJHT",
        verification_uri="https://example.com/device",
        expires_at=NOW + 1800,
        device_code=Secret(ANSWER["device_code"]),
        interval=5,
        verification_uri_complete="https://example.com/device?user_code=WDJB-MJHT",
    )
    assert str(ANSWER["device_code"]) not in repr(parsed())


def test_googles_names_of_the_urls_are_read() -> None:
    google = parsed(
        verification_uri=None,
        verification_uri_complete=None,
        verification_url="https://www.google.com/device",
        verification_url_complete="https://www.google.com/device?c=1",
    )
    assert google.verification_uri == "https://www.google.com/device"
    assert google.verification_uri_complete == "https://www.google.com/device?c=1"


@pytest.mark.parametrize(
    ("given", "seconds"), [(None, 5), (0, 5), (-1, 5), ("x", 5), (True, 5), (0.5, 5), (7, 7), ("7", 7), (1e6, 300)]
)
def test_the_interval_is_bounded_and_five_seconds_without_one(given: object, seconds: float) -> None:
    assert parsed(interval=given).interval == seconds


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("device_code", value) for value in (None, "", 1, "two\nlines")),
        *(("user_code", value) for value in (None, "", 1, "two\nlines", "\x1b[2J", "x" * 129)),
        *(("expires_in", value) for value in (None, 0, -1, "soon", 1e12)),
        *(
            ("verification_uri", value)
            for value in (None, 1, "javascript:alert(1)", "https://a b", "https://\x1b[2J", "https://ä", "h" * 3000)
        ),
    ],
)
def test_a_response_that_a_user_cannot_follow_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(InvalidResponse, match=name) as caught:
        parsed(**{name: value})
    assert caught.value.problem == f"{name}_missing"
    assert caught.value.status == 200


def test_a_complete_url_that_cannot_be_shown_is_left_out() -> None:
    assert parsed(verification_uri_complete="javascript:alert(1)").verification_uri_complete is None


def test_an_error_response_raises_its_own_class() -> None:
    with pytest.raises(InvalidClient):
        parse_device_authorization(Response(401, (), b'{"error": "invalid_client"}'), requested_at=NOW)


def test_the_grant_presents_the_device_code() -> None:
    assert DeviceCodeGrant(Secret("dc")).parameters() == (
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", "dc"),
    )


class Polling:
    """A server that gives `answers` in turn, and a clock that only pauses advance."""

    def __init__(self, *answers: OAuthError | str) -> None:
        self.now, self.pauses, self.asked = NOW, list[float](), 0
        self._answers: Iterator[OAuthError | str] = iter(answers)

    def ask(self) -> Flow[str]:
        self.asked += 1
        yield from Request("POST", "https://as.example/token")
        answer = next(self._answers)
        if isinstance(answer, OAuthError):
            raise answer
        return answer

    def perform(self, effect: object) -> object:
        if isinstance(effect, Sleep):
            self.pauses.append(effect.seconds)
            self.now += effect.seconds
            return None
        return Response(200)

    def run(self, **changes: Any) -> str:
        clock: Callable[[], float] = lambda: self.now  # noqa: E731
        return run(poll_for_token(parsed(**changes), self.ask, clock), self.perform)


PENDING, SLOW = AuthorizationPending("authorization_pending"), SlowDown("slow_down")


def test_polling_pauses_before_each_request_until_the_token_is_there() -> None:
    polling = Polling(PENDING, PENDING, "token")
    assert polling.run() == "token"
    assert polling.pauses == [5, 5, 5]


def test_slow_down_lengthens_this_pause_and_all_later_ones_up_to_a_bound() -> None:
    polling = Polling(SLOW, PENDING, SLOW, "token")
    polling.run()
    assert polling.pauses == [5, 10, 10, 15]
    polling = Polling(SLOW, "token")
    polling.run(interval=299)
    assert polling.pauses == [299, 300]


def test_a_busy_server_is_given_the_time_that_it_asks_for_once() -> None:
    busy = TemporarilyUnavailable("temporarily_unavailable", retry_after=30.0)
    polling = Polling(busy, PENDING, TemporarilyUnavailable("temporarily_unavailable"), "token")
    polling.run()
    assert polling.pauses == [5, 30, 5, 5]


def test_a_failure_of_the_network_doubles_the_interval_up_to_a_bound() -> None:
    down = TransportError("no route", retryable=True)
    polling = Polling(down, PENDING, down, "token")
    polling.run()
    assert polling.pauses == [5, 10, 10, 20]
    polling = Polling(down, "token")
    polling.run(interval=200)
    assert polling.pauses == [200, 300]


def test_a_failing_server_is_asked_again_as_a_failing_network_is() -> None:
    broken = InvalidResponse("not_json", "an HTML page", status=502)
    polling = Polling(broken, ServerFailure("server_error", status=500), "token")
    polling.run()
    assert polling.pauses == [5, 10, 20]
    polling = Polling(InvalidResponse("not_json", "an HTML page", status=200))
    with pytest.raises(InvalidResponse):
        polling.run()
    polling = Polling(ServerFailure("server_error", status=400))
    with pytest.raises(ServerFailure):
        polling.run()


def test_the_last_request_is_made_as_the_code_expires_and_none_after_that() -> None:
    polling = Polling(PENDING, PENDING, PENDING)
    with pytest.raises(ExpiredDeviceCode, match="begin again"):
        polling.run(expires_in=12)
    assert polling.pauses == [5, 5, 2]
    assert polling.asked == 3


@pytest.mark.parametrize("error", [AccessDenied("access_denied"), ExpiredDeviceCode("expired_token")])
def test_a_refusal_ends_the_polling(error: OAuthError) -> None:
    polling = Polling(error)
    with pytest.raises(type(error)):
        polling.run()
    assert polling.asked == 1
