"""Arguments of every kind for a session: they raise an `OAuthError` or nothing."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# What is given here is of any kind by design.

from collections.abc import Iterator
from typing import Any

import httpx
import httpx2
import pytest
import requests

from doorkey.protocol.grants import TOKEN_EXCHANGE
from doorkey.sessions.options import OWN_OPTIONS
from tests.support.every_adapter import Adapter, Client
from tests.support.hostile_server import Hostile, reply, token
from tests.support.wrong_values import failures, parameters_of, refused

EXTRA = ("scope", "audience", "resource", "refresh_token", "code_verifier", "redirect_uri", "timeout", "verify", "cert")
LIBRARYS_OWN = (requests.RequestException, httpx.HTTPError, httpx2.HTTPError)
"""What a session's own request may raise, as any client does."""
ACCOUNT = {"username": "u", "password": "p"}
EXCHANGE = {"grant_type": TOKEN_EXCHANGE, "subject_token": "st"}
EXCHANGED = ("subject_token", "subject_token_type", "actor_token", "actor_token_type", "requested_token_type")
CALLBACK = {"authorization_response": "https://rp/?code=c&state=s", "state": "s"}
HOOKS = ("access_token_response", "refresh_token_request", "refresh_token_response", "protected_request")


@pytest.fixture
def client(adapter: Adapter, hostile: Hostile) -> Client:
    answers(hostile)
    client = adapter.client("c", "s", token_endpoint=hostile.token_endpoint)
    client.fetch_token()
    return client


def answers(hostile: Hostile) -> None:
    hostile.on("/token", token("at", refresh_token="rt"))
    hostile.on("/ask", reply(json={"active": True}))
    hostile.on("/api", reply(200, "fine"))


def used(client: Client, hostile: Hostile) -> None:
    """Do what most programs do with a session."""
    client.create_authorization_url("https://as.example/authorize")
    client.begin_authorization("https://as.example/authorize")
    client.fetch_token(**ACCOUNT)
    client.refresh_token()
    client.get(hostile.url("/api"))


def test_options_of_any_kind(adapter: Adapter, hostile: Hostile) -> None:
    answers(hostile)
    good = {"client_id": "c", "token_endpoint": hostile.token_endpoint}

    def made(**options: Any) -> None:
        used(adapter.adopt(adapter.kind.make(**{**adapter.kind.defaults, **options})), hostile)

    names = {*OWN_OPTIONS, *(["default_timeout"] if adapter.kind.library is requests else [])}
    refused(failures(made, good, sorted(names)))


def test_arguments_of_any_kind_for_a_token(client: Client) -> None:
    names = [*parameters_of(client.native.fetch_token), *EXTRA, "proxies", "an_extra_one"]
    refused(
        *(failures(client.fetch_token, good, names) for good in ({}, ACCOUNT, CALLBACK)),
        failures(client.fetch_token, EXCHANGE, [*EXCHANGED, "audience", "resource", "scope"]),
        failures(
            client.token_from_fragment,
            {"authorization_response": "https://rp/#access_token=a&state=s"},
            parameters_of(client.native.token_from_fragment),
        ),
    )


def test_arguments_of_any_kind_for_what_is_done_with_a_token(client: Client, hostile: Hostile) -> None:
    asked = {"url": hostile.url("/ask")}
    token_given = {**asked, "token": "at"}

    def assigned(token: Any) -> None:
        client.token = token

    def assigned_with(**members: Any) -> None:
        client.token = {"access_token": "at", **members}

    def lines() -> Iterator[str]:
        native = client.native
        yield from failures(client.refresh_token, {}, [*parameters_of(native.refresh_token), *EXTRA])
        yield from failures(client.refresh_token, {"refresh_token": "rt"}, parameters_of(native.refresh_token))
        for operation in (client.revoke_token, client.introspect_token):
            names = [*parameters_of(native.revoke_token), "timeout", "an_extra_one"]
            yield from failures(operation, token_given, names)
            yield from failures(operation, asked, names)
        yield from failures(client.ensure_active_token, {}, ["token"])
        yield from failures(assigned, {})
        members = ("access_token", "token_type", "expires_in", "expires_at", "refresh_token", "scope", "id_token", "x")
        yield from failures(assigned_with, {}, members)

    refused(lines())


def test_arguments_of_any_kind_for_a_login(client: Client) -> None:
    good = {"url": "https://as.example/authorize"}
    names = ("scope", "redirect_uri", "response_type", "nonce", "response_mode", "code_challenge_method", "audience")

    def calls() -> Iterator[str]:
        native = client.native
        for call in (client.create_authorization_url, client.begin_authorization):
            yield from failures(call, good, [*parameters_of(native.create_authorization_url), *names])
        yield from failures(native.register_client_auth_method, {})
        yield from failures(lambda **given: native.register_client_auth_method(("x", given["method"])), {}, ["method"])
        yield from failures(native.register_compliance_hook, {"hook_type": "protected_request", "hook": print})

    refused(calls())


@pytest.mark.parametrize("kind", HOOKS)
@pytest.mark.parametrize("place", [None, 0, 1, 2])
def test_hooks_return_anything(adapter: Adapter, hostile: Hostile, kind: str, place: int | None) -> None:
    answers(hostile)

    def hooked(returned: Any) -> None:
        def hook(*given: Any) -> Any:
            return returned if place is None else tuple(returned if i == place else one for i, one in enumerate(given))

        client = adapter.client("c", "s", token_endpoint=hostile.token_endpoint)
        client.native.register_compliance_hook(kind, hook)
        client.fetch_token()
        client.refresh_token()
        client.post(hostile.url("/api"), data={"a": "b"}, timeout=60)

    if place is None or kind.endswith("_request"):
        refused(failures(hooked, {}))


@pytest.mark.parametrize("place", [None, 0, 1, 2])
def test_client_authentication_returns_anything(client: Client, place: int | None) -> None:
    def asked(returned: Any) -> None:
        def method(_: Any, __: str, uri: str, headers: Any, body: str) -> Any:
            given = (uri, headers, body)
            return returned if place is None else tuple(returned if i == place else one for i, one in enumerate(given))

        client.fetch_token(auth=method)

    refused(failures(asked, {}))
