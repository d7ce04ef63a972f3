"""The device flow of a session (RFC 8628): begun, polled for, and its ID token verified, on every client."""

from dataclasses import replace
from typing import Any

import pytest

from doorkey.errors import (
    AccessDenied,
    ExpiredDeviceCode,
    InvalidClient,
    InvalidResponse,
    UsageError,
    VerificationError,
)
from doorkey.observe import TokenEvent
from doorkey.protocol.device import DeviceAuthorization
from doorkey.values import Secret
from tests.support.calls_during_renewal import WITHIN, Inside
from tests.support.every_adapter import Adapter, Client
from tests.support.fake_clock import Clock
from tests.support.hostile_server import Hostile, Reply, reply, reset, token
from tests.support.openid_provider import CLIENT, SECRET, SUB, OpenIDProvider

DEVICE: dict[str, Any] = {
    "device_code": "dc-1",
    "user_code": "WDJB-MJHT",
    "verification_uri": "https://as.example/device",
    "expires_in": 60,
    "interval": 5,
}
PENDING = reply(400, json={"error": "authorization_pending"})
SLOW = reply(400, json={"error": "slow_down"})


class Waiting:
    """A sleep that advances the clock and notes its pauses."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.pauses = clock, list[float]()

    def __call__(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.clock.advance(seconds)


@pytest.fixture
def waiting(clock: Clock) -> Waiting:
    return Waiting(clock)


def at(hostile: Hostile, *answers: Reply) -> dict[str, str]:
    hostile.on("/device", reply(json=DEVICE))
    hostile.on("/token", *answers)
    return {
        "token_endpoint": hostile.token_endpoint,
        "device_authorization_endpoint": hostile.url("/device"),
    }


def session(adapter: Adapter, waiting: Waiting, secret: str | None = None, **options: Any) -> Client:
    return adapter.client("tv", secret, clock=waiting.clock, sleep=adapter.function(waiting), **options)


def begin(client: Client, *args: Any, **kwargs: Any) -> DeviceAuthorization:
    begun: Any = client.call("begin_device_authorization", *args, **kwargs)
    assert isinstance(begun, DeviceAuthorization)
    return begun


def test_a_login_is_begun_and_polled_for(adapter: Adapter, hostile: Hostile, waiting: Waiting) -> None:
    client = session(adapter, waiting, scope="a b", **at(hostile, PENDING, SLOW, token(refresh_token="rt")))
    device = begin(client, audience="https://api.example")
    assert (device.user_code, device.verification_uri) == ("WDJB-MJHT", "https://as.example/device")
    assert device.expires_at == waiting.clock() + 60
    (asked,) = hostile.to("/device")
    assert asked.form == {"scope": "a b", "audience": "https://api.example", "client_id": "tv"}
    got: Any = client.call("finish_device_authorization", device)
    assert got["access_token"] == client.access_token == "at-1"
    assert waiting.pauses == [5, 5, 10]
    assert [request.form for request in hostile.token_requests] == [
        {
            "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
            "device_code": "dc-1",
            "client_id": "tv",
        }
    ] * 3


def test_the_client_authenticates_in_both_requests(adapter: Adapter, hostile: Hostile, waiting: Waiting) -> None:
    client = session(adapter, waiting, "a-client-secret", **at(hostile, token()))
    client.call("finish_device_authorization", begin(client))
    sent = {request.header("authorization") for request in (*hostile.to("/device"), *hostile.token_requests)}
    assert len(sent) == 1
    assert str(sent.pop()).startswith("Basic ")


def test_the_token_is_renewed_by_its_refresh_token(adapter: Adapter, hostile: Hostile, waiting: Waiting) -> None:
    answers = token(refresh_token="rt-1"), token("at-2", refresh_token="rt-2")
    client = session(adapter, waiting, **at(hostile, *answers))
    client.call("finish_device_authorization", begin(client, "a b"))
    client.refresh_token()
    assert client.access_token == "at-2"
    renewal = hostile.token_requests[-1].form
    assert (renewal["grant_type"], renewal["refresh_token"]) == ("refresh_token", "rt-1")
    assert "device_code" not in renewal
    assert len(hostile.to("/device")) == 1


def test_the_new_token_is_saved(adapter: Adapter, hostile: Hostile, waiting: Waiting) -> None:
    saved: list[Any] = []

    def save(new: Any, refresh_token: str | None = None, access_token: str | None = None) -> None:
        saved.append(new["access_token"])

    client = session(adapter, waiting, update_token=adapter.function(save), **at(hostile, token()))
    client.call("finish_device_authorization", begin(client))
    assert saved == ["at-1"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (reply(400, json={"error": "access_denied"}), AccessDenied),
        (reply(400, json={"error": "expired_token"}), ExpiredDeviceCode),
        (reply(401, json={"error": "invalid_client"}), InvalidClient),
        (reply(200, "<html>hello</html>", {"Content-Type": "text/html"}), InvalidResponse),
    ],
)
def test_a_refused_login_is_a_typed_error_and_no_token(
    adapter: Adapter, hostile: Hostile, waiting: Waiting, answer: Reply, error: type[Exception]
) -> None:
    client = session(adapter, waiting, **at(hostile, PENDING, answer))
    with pytest.raises(error):
        client.call("finish_device_authorization", begin(client))
    assert client.token is None
    assert len(hostile.token_requests) == 2


def test_a_code_that_expires_ends_the_polling(adapter: Adapter, hostile: Hostile, waiting: Waiting) -> None:
    client = session(adapter, waiting, **at(hostile, PENDING))
    with pytest.raises(ExpiredDeviceCode, match="begin again"):
        client.call("finish_device_authorization", begin(client))
    assert sum(waiting.pauses) == 60


def test_a_failing_network_and_a_failing_gateway_do_not_end_it(
    adapter: Adapter, hostile: Hostile, waiting: Waiting
) -> None:
    gateway = reply(502, "<html>Bad Gateway</html>", {"Content-Type": "text/html"})
    client = session(adapter, waiting, **at(hostile, reset, gateway, token()))
    client.call("finish_device_authorization", begin(client))
    assert client.access_token == "at-1"
    assert waiting.pauses == [5, 10, 20]


def test_all_polls_are_one_event(adapter: Adapter, hostile: Hostile, waiting: Waiting) -> None:
    events: list[TokenEvent] = []
    client = session(adapter, waiting, on_event=events.append, **at(hostile, PENDING, PENDING, token()))
    client.call("finish_device_authorization", begin(client))
    assert [event.kind for event in events] == ["requested", "renewed"]


def test_another_session_finishes_it_but_none_of_another_issuer(
    adapter: Adapter, hostile: Hostile, waiting: Waiting
) -> None:
    endpoints = at(hostile, token())
    device = begin(session(adapter, waiting, issuer=hostile.url(""), **endpoints))
    with pytest.raises(UsageError, match="another issuer"):
        session(adapter, waiting, issuer="https://other.example", token_endpoint="https://other.example/t").call(
            "finish_device_authorization", device
        )
    assert not hostile.token_requests
    other = session(adapter, waiting, issuer=hostile.url(""), **endpoints)
    other.call("finish_device_authorization", device)
    assert other.access_token == "at-1"


def test_a_server_without_the_endpoint_is_an_error_that_says_so(
    adapter: Adapter, hostile: Hostile, waiting: Waiting
) -> None:
    metadata = {"issuer": hostile.url(""), "token_endpoint": hostile.token_endpoint}
    hostile.on("/.well-known/openid-configuration", reply(json=metadata))
    client = session(adapter, waiting, issuer=hostile.url(""))
    with pytest.raises(UsageError, match="no device_authorization_endpoint"):
        begin(client)


def test_arguments_are_checked(adapter: Adapter, hostile: Hostile, waiting: Waiting) -> None:
    client = session(adapter, waiting, **at(hostile, token()))
    wrong: Any = "dc-1"
    with pytest.raises(UsageError, match="begin_device_authorization"):
        client.call("finish_device_authorization", wrong)
    with pytest.raises(UsageError, match="did you mean"):
        begin(client, scopes="a")
    with pytest.raises(UsageError, match="sleep must be a callable"):
        adapter.client("tv", sleep=5)


def test_the_id_token_is_verified_before_the_token_is_kept(
    adapter: Adapter, hostile: Hostile, waiting: Waiting
) -> None:
    provider = OpenIDProvider(hostile, waiting.clock)
    hostile.on("/device", reply(json=DEVICE))
    metadata = {**provider.metadata, "device_authorization_endpoint": hostile.url("/device")}
    options = {"metadata": metadata, "clock": waiting.clock, "sleep": adapter.function(waiting), "scope": "openid"}
    client = adapter.client(CLIENT, SECRET, **options)
    got: Any = client.call("finish_device_authorization", begin(client))
    assert got.id_token_claims["sub"] == SUB
    provider.forges = True
    fooled = adapter.client(CLIENT, SECRET, **options)
    with pytest.raises(VerificationError):
        fooled.call("finish_device_authorization", begin(fooled))
    assert fooled.token is None


def test_a_printed_login_shows_no_device_code(adapter: Adapter, hostile: Hostile, waiting: Waiting) -> None:
    device = begin(session(adapter, waiting, **at(hostile, token())))
    assert device.device_code.reveal() == "dc-1"
    assert "dc-1" not in repr(replace(device, device_code=Secret("dc-1")))
    assert "dc-1" not in str(device)


@pytest.mark.parametrize("scope", ["a b", ["a", "b"]])
def test_a_scope_of_the_call_takes_the_place_of_the_sessions(
    adapter: Adapter, hostile: Hostile, waiting: Waiting, scope: str | list[str]
) -> None:
    begin(session(adapter, waiting, scope="c", **at(hostile, token())), scope)
    (asked,) = hostile.to("/device")
    assert asked.form == {"scope": "a b", "client_id": "tv"}


def test_without_a_scope_none_is_sent(adapter: Adapter, hostile: Hostile, waiting: Waiting) -> None:
    client = session(adapter, waiting, **at(hostile, token()))
    begin(client)
    begin(client, [])
    assert [asked.form for asked in hostile.to("/device")] == [{"client_id": "tv"}] * 2


def test_a_login_that_began_without_an_issuer_is_finished_by_any_session(
    adapter: Adapter, hostile: Hostile, waiting: Waiting
) -> None:
    endpoints = at(hostile, token())
    device = begin(session(adapter, waiting, **endpoints))
    assert device.issuer is None
    other = session(adapter, waiting, issuer=hostile.url(""), **endpoints)
    other.call("finish_device_authorization", device)
    assert other.access_token == "at-1"


def test_no_login_is_finished_within_update_token(adapter: Adapter, hostile: Hostile, waiting: Waiting) -> None:
    saved = Inside("finish_device_authorization", is_async=adapter.kind.is_async)
    client = session(adapter, waiting, update_token=saved.call, **at(hostile, token()))
    saved.session, device = client.native, begin(client)
    saved.args = (device,)
    client.call("finish_device_authorization", device)
    assert saved.told == [WITHIN]
    assert len(hostile.token_requests) == 1
