"""Secrets of logins and of users, which no error and no log shows."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from doorkey.errors import OAuthError
from tests.support.hostile_server import reply
from tests.support.openid_provider import SECRET
from tests.support.registries import HOME, World
from tests.support.relying_party import parameters
from tests.support.tracebacks import variables_of_ours

NONCE, VERIFIER = "the-n0nce-of-the-login", "v3r1f13r" * 6
TOKEN = {"access_token": "4ccess-of-alice", "refresh_token": "r3fresh-of-alice", "expires_at": 1}


def rejected_id_token(world: World) -> None:
    world.provider.changed = {"aud": "another"}
    world.log_in(nonce=NONCE, code_verifier=VERIFIER)


def rejected_code(world: World) -> None:
    world.provider.server.on("/token", reply(400, json={"error": "invalid_grant"}))
    world.log_in(nonce=NONCE, code_verifier=VERIFIER)


def rejected_callback(world: World) -> None:
    browser = world.browser()
    state = parameters(world.begin(browser, nonce=NONCE, code_verifier=VERIFIER))["state"]
    world.finish(browser, {"state": state, "code": "code-0", "iss": "https://evil.example"})


def rejected_refresh_token(world: World) -> None:
    world.provider.server.on("/token", reply(400, json={"error": "invalid_grant"}))
    world.call("get", world.provider.server.url("/userinfo"), token=TOKEN)


def rejected_access_token(world: World) -> None:
    world.provider.server.on("/userinfo", reply(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}))
    world.call("userinfo", token={"access_token": TOKEN["access_token"]})


def wrong_nonce(world: World) -> None:
    token = world.log_in(nonce=NONCE, code_verifier=VERIFIER)
    world.call("parse_id_token", token, nonce="another")


def exchange_that_is_rejected(world: World) -> None:
    world.provider.server.on("/token", reply(400, json={"error": "invalid_grant"}))
    world.call("fetch_access_token", code="code-0", redirect_uri=HOME, code_verifier=VERIFIER)


def wrong_option(world: World) -> None:
    world.register(client_kwargs="openid")


FAILURES = [
    *(rejected_id_token, rejected_code, rejected_callback, rejected_refresh_token, rejected_access_token),
    *(wrong_nonce, exchange_that_is_rejected, wrong_option),
]


@pytest.mark.parametrize("fails", FAILURES)
def test_an_error_shows_no_secret(
    world: World, fails: Callable[[World], None], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "doorkey")
    with pytest.raises(OAuthError) as failed:
        fails(world)
    shown = f"{failed.value!r} {failed.value} {variables_of_ours(failed.value)} {caplog.text}"
    for secret in (SECRET, NONCE, VERIFIER, "code-0", *map(str, TOKEN.values())):
        if secret != "1":
            assert secret not in shown


def test_a_client_shows_no_secret(world: World) -> None:
    client: Any = world.client
    world.log_in(nonce=NONCE, code_verifier=VERIFIER)
    shown = " ".join(map(repr, (client, client.framework, client._sets._sets)))
    assert SECRET not in shown
    assert VERIFIER not in shown
