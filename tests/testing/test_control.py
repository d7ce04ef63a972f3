"""A provider in another process, controlled over HTTP."""

import inspect
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from doorkey.dev import Control, Provider
from doorkey.dev.__main__ import main
from doorkey.dev.command import TOKEN_VARIABLE
from doorkey.dev.control import MAX_BODY, operations_of
from doorkey.errors import TransportError, UsageError
from doorkey.jose.generation import generate_key
from doorkey.jose.verification import unsafe_claims, unsafe_header
from doorkey.testing import RemoteProvider, UnusedFault, client

CALLBACK = "http://127.0.0.1:9499/cb"
CLIENT = {"grant_type": "client_credentials", "client_id": "client-1", "client_secret": "my-secret"}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


@pytest.fixture(scope="module")
def control(provider: Provider) -> Iterator[Control]:
    with Control(provider) as control:
        yield control


@pytest.fixture
def remote(control: Control) -> Iterator[RemoteProvider]:
    with RemoteProvider(control.url, control.token) as remote:
        yield remote


def test_tokens_and_logins_of_another_process_are_those_of_the_provider(
    provider: Provider, remote: RemoteProvider
) -> None:
    assert remote.issuer == provider.issuer
    assert remote.endpoints["token_endpoint"] == provider.token_endpoint
    claims = unsafe_claims(remote.token("alice", scopes={"a"}, claims={"tenant": 1}, audience="api", expires_in=-1))
    assert (claims["sub"], claims["scope"], claims["tenant"]) == (provider.users["alice"].sub, "a", 1)
    assert claims["exp"] <= remote.clock()
    assert unsafe_claims(remote.id_token("alice", nonce="n"))["nonce"] == "n"
    assert unsafe_claims(remote.logout_token("alice", sid="s"))["sid"] == "s"
    key = generate_key("ES256")
    assert unsafe_header(remote.token("alice", key=key.as_dict(is_private=True)))["alg"] == "ES256"
    asked = {"client_id": "client-1", "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid"}
    assert "code=" in remote.log_in(f"{remote.endpoints['authorization_endpoint']}?{urlencode(asked)}", "alice")


def test_the_clock_the_keys_and_the_tokens_obey_another_process(
    provider: Provider, remote: RemoteProvider, control: Control
) -> None:
    before, token = provider.clock(), provider.token("alice", scopes="openid")
    remote.advance(1000)
    assert provider.clock() - before >= 1000
    remote.advance(-1000)
    remote.rotate_keys()
    assert unsafe_header(provider.token("alice"))["kid"] != unsafe_header(token)["kid"]
    bearer = {"Authorization": f"Bearer {provider.token('alice', scopes='openid')}"}
    remote.expire_access_tokens()
    remote.reject_refresh_tokens()
    assert requests.get(provider.userinfo_endpoint, headers=bearer, timeout=30).status_code == 401
    assert remote.requests("/userinfo")[-1]["status"] == 401


def test_sessions_end_and_logout_tokens_are_sent_for_another_process() -> None:
    told = client("told", "s", backchannel_logout_uri="http://127.0.0.1:1/nobody-listens")
    with Provider(clients=[told]) as provider, Control(provider) as control:
        remote = RemoteProvider(control.url, control.token)
        form = {**CLIENT, "grant_type": "password", "username": "alice", "password": "wonderland"}
        session = requests.post(provider.token_endpoint, form, timeout=30).json()["session_state"]
        assert (remote.end_session(session), remote.end_session(session)) == (True, False)
        call = remote.send_logout_token("alice", client_id="told")
        assert (call.uri, call.status) == (told.backchannel_logout_uri, None)
        assert len(remote.requests("/token")) == 1
        remote.clear_requests()
        assert remote.requests() == []


def test_a_fault_of_another_process_is_triggered_or_reported(provider: Provider, control: Control) -> None:
    with RemoteProvider(control.url, control.token) as remote:
        remote.faults.add("/token", status=503, headers={"Retry-After": "7"})
        assert requests.post(provider.token_endpoint, CLIENT, timeout=30).headers["retry-after"] == "7"
    with pytest.raises(UnusedFault, match="'/token'"), RemoteProvider(control.url, control.token) as remote:
        remote.faults.add("/token", status=503)
    remote.faults.clear()
    assert remote.faults.unused == ()


def test_an_error_is_that_of_the_provider(remote: RemoteProvider) -> None:
    misspelled: dict[str, Any] = {"statsu": 5}
    calls: list[tuple[Callable[[], object], str]] = [
        (lambda: remote.token("alic"), "did you mean 'alice'"),
        (lambda: remote.issuer_of("mastr"), "did you mean 'master'"),
        (lambda: remote.faults.add("/token", **misspelled), "did you mean 'status'"),
        (lambda: remote.faults.add("/token", status=99), "status must be a whole number"),
        (lambda: remote.token("alice", key=object()), "must be JSON"),
        (lambda: remote.call("tokn"), "did you mean 'token'"),
        (lambda: remote.call("token", user="alice"), "unexpected keyword argument 'user'"),
        (lambda: remote.call("add_fault", path_end="/token", hold=1), "cannot have hold="),
        (lambda: remote.call("add_fault", status=500), "missing a required argument: .path_end"),
    ]
    for call, message in calls:
        with pytest.raises(UsageError, match=message):
            call()


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Authorization": ""}, "{}", 401),
        ({"Authorization": "Bearer guessed"}, "{}", 401),
        ({"Host": "evil.example"}, "{}", 403),
        ({"Origin": "https://evil.example"}, "{}", 403),
        ({"Content-Type": "text/plain"}, "{}", 415),
        ({}, "[]", 400),
        ({}, "{", 400),
        ({}, " " * (MAX_BODY + 1), 413),
    ],
)
def test_a_call_that_is_not_one_of_a_test_does_nothing(
    provider: Provider, control: Control, headers: dict[str, str], body: str, status: int
) -> None:
    good = {"Authorization": f"Bearer {control.token}", "Content-Type": "application/json"}
    before = provider.clock()
    with requests.Session() as http:
        http.trust_env = False
        answer = http.post(f"{control.url}/clock", body, headers={**good, **headers}, timeout=30)
        assert answer.status_code == status
        assert control.token not in answer.text
        assert http.get(f"{control.url}/clock", headers=good, timeout=30).status_code == 501
    assert provider.clock() - before < 600


def test_a_call_without_the_size_of_its_body_does_nothing(control: Control) -> None:
    headers = {"Authorization": f"Bearer {control.token}", "Content-Type": "application/json"}
    with requests.Session() as http:
        http.trust_env = False
        assert http.post(f"{control.url}/clock", iter([b"{}"]), headers=headers, timeout=30).status_code == 411


def test_both_kinds_of_provider_have_the_same_methods() -> None:
    for name in (
        "token",
        "id_token",
        "logout_token",
        "log_in",
        "end_session",
        "advance",
        "clock",
        "rotate_keys",
        "issuer_of",
    ):
        ours, theirs = (inspect.signature(getattr(kind, name)) for kind in (Provider, RemoteProvider))
        assert [*ours.parameters] == [*theirs.parameters], name
        assert [p.default for p in ours.parameters.values()] == [p.default for p in theirs.parameters.values()], name


def test_every_operation_has_a_caller(provider: Provider) -> None:
    source = inspect.getsource(sys.modules["doorkey.testing.remote"])
    assert [name for name in operations_of(provider) if f'"{name}"' not in source] == []


def test_a_token_that_could_be_guessed_and_a_url_beyond_loopback_are_refused(provider: Provider) -> None:
    with pytest.raises(UsageError, match="at least 20 characters"):
        Control(provider, token="short")
    for url in ("https://127.0.0.1:1", "http://192.0.2.1:80", "http://127.0.0.1", "nothing"):
        with pytest.raises(UsageError):
            RemoteProvider(url, "t" * 20)
    with pytest.raises(TransportError):
        RemoteProvider("http://127.0.0.1:1", "t" * 20)


def test_a_port_that_is_taken_is_an_error_in_one_line(control: Control, capsys: pytest.CaptureFixture[str]) -> None:
    port = control.url.rpartition(":")[2]
    assert main(["--port", "0", "--control", port]) == 2
    assert capsys.readouterr().err == f"doorkey.dev: cannot listen at 127.0.0.1:{port} (Address already in use)\n"


def test_a_provider_in_a_terminal_is_controlled_with_the_token_of_the_environment() -> None:
    command = [sys.executable, "-m", "doorkey.dev", "--port", "0", "--https", "--host-name", "keycloak", "--control"]
    token = "token-of-the-environment"
    environment = {**os.environ, TOKEN_VARIABLE: token}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            lines: dict[str, str] = {}
            for line in process.stdout:
                name, _, value = line.strip().partition("  ")
                lines[name] = value.strip()
                if name == "trust":
                    break
            url, _, shown = lines["control"].partition(" / ")
            assert shown == f"the value of {TOKEN_VARIABLE}"
            with RemoteProvider(url, token) as remote:
                assert remote.issuer.startswith("https://127.0.0.1:")
                assert remote.token("alice").count(".") == 2
        finally:
            process.terminate()
            process.communicate()
    assert process.returncode == 0
