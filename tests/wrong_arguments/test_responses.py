"""Data of every kind from a server or a browser for a session: they raise an `OAuthError` or nothing."""

import json
import string
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doorkey.errors import OAuthError
from tests.support.every_adapter import Adapter, Client
from tests.support.fake_clock import START
from tests.support.hostile_server import Hostile, reply, token

few = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(["1e400", "-0", "NaN", "Bearer", "bearer", "\ud800", "\x00", "a" * 5000, 10**400, -1.5]),
    st.lists(st.integers(), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=3),
)
NAMES = (
    "access_token token_type expires_in expires_at refresh_token scope id_token error error_description error_uri "
    "session_state not-before-policy active"
)
MEMBERS = st.dictionaries(st.sampled_from(NAMES.split()), ODD, max_size=8)
GOOD: dict[str, Any] = {"access_token": "at", "token_type": "Bearer", "expires_in": 60, "refresh_token": "rt"}
STATUSES = st.sampled_from([200, 201, 204, 299, 400, 401, 404, 418, 429, 500, 503, 599])


def showable(error: OAuthError) -> None:
    assert f"{error}{error!r}".encode()


def survives(client: Client, call: Any) -> None:
    """Only our own errors may come out; and what was accepted can be shown, stored and used."""
    try:
        call()
    except OAuthError as error:
        showable(error)
    held = client.token
    if held is not None:
        json.dumps(dict(held))
        assert held.is_expired() in (True, False)
        assert repr(held)


@few
@given(members=MEMBERS, based=st.booleans(), status=STATUSES)
def test_members_of_any_kind(
    adapter: Adapter, hostile: Hostile, members: dict[str, Any], based: bool, status: int
) -> None:
    text = json.dumps({**(GOOD if based else {}), **members})
    hostile.on("/token", reply(status, text, {"Content-Type": "application/json"}))
    client = adapter.client("c", "s", clock=lambda: START)
    url = hostile.token_endpoint
    survives(client, lambda: client.fetch_token(url))
    survives(client, lambda: client.refresh_token(url, refresh_token="rt"))
    survives(client, lambda: client.revoke_token(url, token="at"))
    survives(client, lambda: client.introspect_token(url, token="at"))


@few
@given(data=st.data())
def test_a_good_response_with_bytes_changed(adapter: Adapter, hostile: Hostile, data: Any) -> None:
    whole = bytearray(token("at", refresh_token="rt", scope="a b", nested={"a": [1, {"b": None}]}))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 1))
        whole[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    answer = bytes(whole)
    hostile.on("/token", lambda exchange: exchange.send(answer))
    client = adapter.client("c", "s", clock=lambda: START)
    survives(client, lambda: client.fetch_token(hostile.token_endpoint))


@few
@given(
    body=st.binary(max_size=200),
    headers=st.lists(
        st.sampled_from(
            [
                ("Content-Encoding", "gzip"),
                ("Content-Encoding", "x"),
                ("Retry-After", "x"),
                ("Retry-After", "٣"),
                ("Content-Type", "\xff"),
            ]
        ),
        max_size=3,
    ),
)
def test_bytes_of_any_kind(adapter: Adapter, hostile: Hostile, body: bytes, headers: Any) -> None:
    hostile.on("/token", reply(503 if headers else 200, body, [(n, v.encode().decode("latin-1")) for n, v in headers]))
    client = adapter.client("c", "s", clock=lambda: START)
    survives(client, lambda: client.fetch_token(hostile.token_endpoint))


CALLBACK_TEXT = st.text(string.ascii_letters + string.digits + "%&=?#;:/@[]\\+ \x00\n\ud800ü", max_size=60)


@few
@given(query=CALLBACK_TEXT, fragment=CALLBACK_TEXT, kind=st.sampled_from(["code", "token", "code token"]))
def test_callbacks_of_any_kind(adapter: Adapter, hostile: Hostile, query: str, fragment: str, kind: str) -> None:
    hostile.on("/token", token())
    client = adapter.client("c", "s", clock=lambda: START)
    _, state = client.create_authorization_url("https://as.example/authorize", response_type=kind)
    for callback in (
        query,
        f"https://rp/?{query}#{fragment}",
        f"https://rp/?state={state}&{query}#{fragment}",
        f"https://rp/?code={query}&state={state}",
        f"https://rp/#access_token={fragment}&token_type=bearer&state={state}",
    ):
        survives(
            client,
            lambda callback=callback: client.fetch_token(hostile.token_endpoint, authorization_response=callback),
        )
        survives(client, lambda callback=callback: client.fetch_token(authorization_response=callback, state=state))
        survives(client, lambda callback=callback: client.token_from_fragment(callback))


@few
@given(members=MEMBERS)
def test_stored_tokens_of_any_kind(adapter: Adapter, hostile: Hostile, members: dict[str, Any]) -> None:
    client = adapter.client("c", "s", clock=lambda: START)

    def assign() -> None:
        client.token = {**members, **({} if "access_token" in members else {"access_token": "at"})}

    try:
        assign()
    except OAuthError:
        return
    if client.token is not None:
        try:
            client.get(hostile.url())
        except OAuthError as error:
            showable(error)


@pytest.mark.parametrize("text", ["\ud800", "a\x00b", "ü" * 1000, "\r\nX: y"])
def test_arguments_of_any_kind(adapter: Adapter, hostile: Hostile, text: str) -> None:
    hostile.on("/token", token())
    client = adapter.client(text, text, token_endpoint=hostile.token_endpoint)
    for call in (
        lambda: client.fetch_token(username=text, password=text),
        lambda: client.fetch_token(code=text, audience=text),
        lambda: client.fetch_token(text),
        lambda: client.refresh_token(refresh_token=text),
        lambda: client.fetch_token(auth="client_secret_post"),
        lambda: client.fetch_token(auth=(text, text)),
        lambda: client.fetch_token(headers={"X-Own": text}),
        lambda: client.create_authorization_url("https://as.example/a", state=text, extra=text),
        lambda: client.create_authorization_url(text),
    ):
        survives(client, call)
