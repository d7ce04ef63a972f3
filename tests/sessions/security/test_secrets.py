"""No secret shows anywhere but on the wire and where the caller asks for it: each test looks for all of them."""

import copy
import logging
import pickle
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import pytest
import requests

from doorkey.common.urls import add_params_to_uri
from doorkey.errors import OAuthError, ServerError, TransportError, UsageError
from tests.servers.process import nobodys_port
from tests.support.every_adapter import Adapter, Client
from tests.support.fake_clock import START
from tests.support.hostile_server import Endless, Hostile, Reply, reply, reset, token

CLIENT_SECRET, PASSWORD, CODE, VERIFIER = "s3cret-of-the-client", "p4ssword-of-alice", "c0de-from-login", "v" * 43
ACCESS, REFRESH, ID_TOKEN = "access-t0ken", "refresh-t0ken", "id-t0ken"
SECRETS = (CLIENT_SECRET, PASSWORD, CODE, VERIFIER, ACCESS, REFRESH, ID_TOKEN)
ENDPOINTS = ("token_endpoint", "revocation_endpoint", "introspection_endpoint")
GOOD = token(ACCESS, refresh_token=REFRESH, id_token=ID_TOKEN)


def assert_clean(text: str) -> None:
    leaked = [secret for secret in SECRETS if secret in text]
    assert leaked == []


def client_of(adapter: Adapter, hostile: Hostile, **options: Any) -> Client:
    return adapter.client("c", CLIENT_SECRET, **dict.fromkeys(ENDPOINTS, hostile.token_endpoint), **options)


CALLS: dict[str, Callable[[Client], object]] = {
    "password": lambda client: client.fetch_token(username="alice", password=PASSWORD),
    "code": lambda client: client.fetch_token(code=CODE, code_verifier=VERIFIER),
    "callback": lambda client: client.fetch_token(
        authorization_response=f"https://rp/?code={CODE}&state=s", state="s", code_verifier=VERIFIER
    ),
    "post": lambda client: client.fetch_token(auth="client_secret_post"),
    "get": lambda client: client.fetch_token(method="GET", username="alice", password=PASSWORD),
    "refresh": lambda client: client.refresh_token(refresh_token=REFRESH),
    "revocation": lambda client: client.revoke_token(token=REFRESH),
    "introspection": lambda client: client.introspect_token(token=ACCESS),
}
every_call = pytest.mark.parametrize("call", [pytest.param(call, id=name) for name, call in CALLS.items()])

FAILURES: dict[str, Reply] = {
    "an error that echoes": reply(
        400, json={"error": "invalid_grant", "error_description": "nothing secret here", "echo": list(SECRETS)}
    ),
    "a token that is none": reply(json={"access_token": [ACCESS], "refresh_token": REFRESH, "password": PASSWORD}),
    "half a token": reply(200, f'{{"access_token":"{ACCESS}","refresh_token":"{REFRESH}"'),
    "a page in the token's place": reply(200, f"<html>{ACCESS}</html>", {"Content-Type": "text/html"}),
    "no answer": reset,
    "a redirect": reply(307, headers={"Location": f"https://evil.example/?t={ACCESS}"}),
    "too much": Endless(b"HTTP/1.1 200 OK\r\n\r\n", ACCESS.encode() * 10_000),
}


@every_call
@pytest.mark.parametrize("failure", list(FAILURES))
def test_no_error_shows_a_secret(
    adapter: Adapter, hostile: Hostile, call: Callable[[Client], object], failure: str
) -> None:
    hostile.on("/token", FAILURES[failure])
    client = client_of(adapter, hostile)
    try:
        call(client)
    except OAuthError as error:
        assert_clean(f"{error} {error!r} {error.args}")
        assert_clean(everything_about(error))
        # The lines of source in a traceback are those of the test too, which name no secret's value.
        assert_clean("".join(traceback.format_exception(error)))


TOLD = {
    "password": (CLIENT_SECRET, PASSWORD),
    "code": (CLIENT_SECRET, CODE, VERIFIER),
    "callback": (CLIENT_SECRET, CODE, VERIFIER),
    "post": (CLIENT_SECRET,),
    "get": (CLIENT_SECRET, PASSWORD),
    "refresh": (CLIENT_SECRET, REFRESH),
    "revocation": (CLIENT_SECRET, REFRESH),
    "introspection": (CLIENT_SECRET, ACCESS),
}


@pytest.mark.parametrize("name", list(CALLS))
@pytest.mark.parametrize("page", [False, True])
def test_a_server_that_repeats_a_secret_is_not_quoted(
    adapter: Adapter, hostile: Hostile, name: str, page: bool
) -> None:
    words = " ".join(f"[{secret}]" for secret in TOLD[name])
    described = {"error": "invalid_request", "error_description": words, "error_uri": f"https://as.example/?{words}"}
    headers = {"X-Asked": words} | ({"Content-Type": "text/html"} if page else {})
    hostile.on("/token", reply(400, words, headers) if page else reply(400, headers=headers, json=described))
    with pytest.raises(OAuthError) as raised:
        CALLS[name](client_of(adapter, hostile))
    assert_clean(everything_about(raised.value))


def everything_about(error: object, seen: set[int] | None = None) -> str:
    """Return what a program can find by following an error: its causes, contexts, arguments and attributes."""
    seen = set() if seen is None else seen
    if id(error) in seen:
        return ""
    seen.add(id(error))
    if isinstance(error, bytes):
        return error.decode("latin-1")
    text = f"{error} {error!r} "
    if isinstance(error, tuple | list):
        return text + " ".join(everything_about(one, seen) for one in cast("tuple[object, ...]", error))
    if not isinstance(error, BaseException | requests.PreparedRequest):
        return text
    held = [*vars(error).values(), *getattr(error, "args", ())]
    chain = [getattr(error, name, None) for name in ("__cause__", "__context__", "object")]
    return text + " ".join(everything_about(one, seen) for one in [*held, *chain])


def secret_in_the_url(client: Any, method: str, uri: str, headers: Any, body: str) -> Any:
    return add_params_to_uri(uri, [("client_secret", client.client_secret)]), headers, body


IN_URLS: dict[str, Callable[[Client], object]] = {
    **CALLS,
    "secret in the url": lambda client: client.fetch_token(auth=secret_in_the_url),
}


@pytest.mark.parametrize("call", [pytest.param(call, id=name) for name, call in IN_URLS.items()])
def test_no_cause_of_a_refused_connection_shows_a_secret(adapter: Adapter, call: Callable[[Client], object]) -> None:
    with nobodys_port() as port, pytest.raises(TransportError) as raised:
        call(adapter.client("c", CLIENT_SECRET, **dict.fromkeys(ENDPOINTS, f"http://127.0.0.1:{port}/token")))
    assert raised.value.__cause__ is not None
    assert "Connect" in type(raised.value.__cause__).__name__
    assert_clean(everything_about(raised.value))
    assert_clean("".join(traceback.format_exception(raised.value)))


@every_call
def test_no_log_of_ours_shows_a_secret_at_any_level(
    adapter: Adapter, hostile: Hostile, caplog: pytest.LogCaptureFixture, call: Callable[[Client], object]
) -> None:
    hostile.on("/token", token(ACCESS, refresh_token=REFRESH, active=True))
    caplog.set_level(logging.DEBUG, logger="doorkey")
    client = client_of(adapter, hostile, token={"access_token": ACCESS})
    call(client)
    client.get(hostile.url())
    records = [record for record in caplog.records if record.name.partition(".")[0] == "doorkey"]
    assert_clean("\n".join(record.getMessage() for record in records))


def test_the_http_librarys_logs_show_no_secret_either(
    adapter: Adapter, hostile: Hostile, caplog: pytest.LogCaptureFixture
) -> None:
    """At DEBUG they show headers of their own accord; at INFO, which programs turn on, they show URLs."""
    hostile.on("/token", GOOD)
    caplog.set_level(logging.INFO)
    client = client_of(adapter, hostile)
    client.fetch_token(username="alice", password=PASSWORD)
    client.get(hostile.url())
    assert_clean(caplog.text)


def test_no_repr_shows_a_secret(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", GOOD)
    client = client_of(adapter, hostile)
    begun = client.begin_authorization("https://as.example/authorize")
    fetched = client.fetch_token(username="alice", password=PASSWORD)
    native = client.native
    shown = [fetched, fetched.value, native, native.token, native.metadata, begun, native.__dict__]
    for thing in shown:
        assert_clean(f"{thing!r} {thing!s} {thing:}" if not isinstance(thing, dict) else f"{thing!r}")
    assert begun.code_verifier.reveal() not in f"{begun!r} {begun!s}"
    assert "***" in repr(fetched)


def test_no_secret_is_pickled(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", GOOD)
    client = client_of(adapter, hostile)
    fetched = client.fetch_token()
    begun = client.begin_authorization("https://as.example/authorize")
    for thing in (client.native, fetched.value, begun):
        with pytest.raises(UsageError):
            pickle.dumps(thing)


def test_a_token_is_stored_on_purpose_as_a_plain_dictionary(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", GOOD)
    client = client_of(adapter, hostile, clock=lambda: START)
    fetched = client.fetch_token()
    stored = pickle.loads(pickle.dumps(dict(fetched)))  # noqa: S301  # our own
    assert stored["access_token"] == ACCESS
    assert client_of(adapter, hostile, token=stored).access_token == ACCESS
    assert copy.deepcopy(fetched) == fetched


def test_an_error_holds_no_client(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", reply(400, json={"error": "invalid_grant"}))
    client = client_of(adapter, hostile)
    with pytest.raises(OAuthError) as raised:
        client.fetch_token()
    for held in vars(raised.value).values():
        assert held is None or isinstance(held, str | int | float | tuple)


@pytest.mark.parametrize("status", [400, 401, 429, 503])
def test_an_error_holds_no_cookie(adapter: Adapter, hostile: Hostile, status: int) -> None:
    headers = [("Set-Cookie", f"sid={ACCESS}"), ("SET-COOKIE2", f"x={REFRESH}"), ("WWW-Authenticate", "Basic")]
    body = '{"error":"invalid_client"}' if status < 429 else ""
    hostile.on("/token", reply(status, body, [*headers, ("DPoP-Nonce", "n-1")]))
    client = client_of(adapter, hostile)
    for call in (client.fetch_token, partial(client.revoke_token, token=ACCESS)):
        with pytest.raises(ServerError) as raised:
            call()
        assert_clean(f"{vars(raised.value)}")
        told = {name.lower(): value for name, value in raised.value.headers}
        assert (told["www-authenticate"], told["dpop-nonce"]) == ("Basic", "n-1")


def test_the_error_about_a_missing_expired_or_misplaced_token_does_not_show_it(
    adapter: Adapter, hostile: Hostile
) -> None:
    client = adapter.client(token={"access_token": ACCESS, "expires_at": 1}, client_secret=CLIENT_SECRET)
    with pytest.raises(OAuthError) as raised:
        client.get(hostile.url())
    assert_clean(f"{raised.value} {raised.value!r}")


@pytest.mark.parametrize("name", ["client_secret", "token"])
def test_a_usage_error_repeats_no_secret(adapter: Adapter, name: str) -> None:
    wrong: dict[str, Any] = {name: {"access_token": ACCESS, "token_type": 7}, f"{name}x": CLIENT_SECRET}
    with pytest.raises(UsageError) as raised:
        adapter.client(**wrong)
    assert_clean(f"{raised.value} {raised.value!r}")
