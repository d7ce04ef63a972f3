"""`from_file`: the key file of a service account, on every client."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.integrations.requests_client import AssertionSession
from doorkey.jose.verification import unsafe_claims, verify
from doorkey.sessions.key_file import MAX_FILE
from tests.support.every_adapter import Adapter, Client
from tests.support.fake_clock import Clock
from tests.support.hostile_server import Hostile, reply, token
from tests.support.key_files import EMAIL, KEY, PEM, written
from tests.support.service_accounts import CLASSES
from tests.support.tracebacks import local_variables


def from_file(adapter: Adapter, path: Any, **options: Any) -> Client:
    kind: Any = CLASSES[adapter.kind.name]
    return adapter.adopt(kind.from_file(path, **{**adapter.kind.defaults, **options}))


def test_a_key_file_is_all_that_a_service_account_needs(
    adapter: Adapter, hostile: Hostile, tmp_path: Path, clock: Clock
) -> None:
    hostile.on("/token", token("at-1"))
    path = written(tmp_path, hostile.token_endpoint)
    client = from_file(adapter, path, scope=["read", "write"], subject="alice@example.com", clock=clock)
    assert client.get(hostile.url()).status_code == 200
    assert hostile.to("/api")[0].token == "at-1"
    form = hostile.token_requests[0].form
    assert set(form) == {"grant_type", "assertion"}
    verified = verify(form["assertion"], KEY.public_key(), algorithms=["ES256"])
    assert verified.header["kid"] == "key-1"
    claims = dict(verified.claims)
    assert len(claims.pop("jti")) >= 22
    assert claims == {
        "iss": EMAIL,
        "sub": "alice@example.com",
        "aud": hostile.token_endpoint,
        "scope": "read write",
        "iat": int(clock()),
        "exp": int(clock()) + 60,
    }


@pytest.mark.parametrize("kind", [str, Path])
def test_the_file_is_named_by_text_or_by_a_path_and_may_be_a_link(
    adapter: Adapter, hostile: Hostile, tmp_path: Path, kind: Any
) -> None:
    link = tmp_path / "mounted.json"  # as Kubernetes mounts a secret
    link.symlink_to(written(tmp_path, hostile.token_endpoint))
    hostile.on("/token", token("at-1"))
    assert from_file(adapter, kind(link)).fetch_token()["access_token"] == "at-1"
    assert "sub" not in unsafe_claims(hostile.token_requests[0].form["assertion"])


def test_an_issuer_takes_the_place_of_the_token_uri(adapter: Adapter, hostile: Hostile, tmp_path: Path) -> None:
    issuer = hostile.url("")
    hostile.on("/.well-known/openid-configuration", reply(json={"issuer": issuer, "token_endpoint": issuer + "/here"}))
    hostile.on("/here", token("at-1"))
    client = from_file(adapter, written(tmp_path, "https://elsewhere.example/token"), issuer=issuer, scope="read")
    assert client.fetch_token()["access_token"] == "at-1"
    form = hostile.to("/here")[0].form
    claims = unsafe_claims(form["assertion"])
    assert (claims["iss"], claims["aud"], claims["scope"], form["scope"]) == (EMAIL, issuer, "read", "read")


def test_options_of_the_constructor_go_with_a_key_file(adapter: Adapter, hostile: Hostile, tmp_path: Path) -> None:
    hostile.on("/token", token("at-1"))
    path = written(tmp_path, hostile.token_endpoint)
    options = {"claims": {"scope": "mine", "x": 1}, "audience": "https://aud.example", "expires_in": 30, "kid": "other"}
    client = from_file(adapter, path, scope="read", client_id="app", client_secret="s", **options)
    client.fetch_token()
    assertion = hostile.token_requests[0].form["assertion"]
    verified = verify(assertion, KEY.public_key(), algorithms=["ES256"])
    assert (verified.claims["scope"], verified.claims["x"]) == ("mine", 1)
    assert (verified.claims["aud"], verified.header["kid"]) == ("https://aud.example", "other")
    assert hostile.token_requests[0].header("authorization") is not None


def folder_itself(folder: Path) -> Any:
    return folder


MALFORMED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "no file": (lambda folder: folder / "missing.json", r"missing\.json: it cannot be read \(No such file"),
    "a folder": (folder_itself, "Is a directory"),
    "no path": (lambda _: 7, "the path of a key file must be a str or os.PathLike, not int"),
    "a null byte": (lambda _: "a\0b", "contains a null byte"),
    "no server": (lambda folder: written(folder, None), "no token_uri: give the authorization server as issuer="),
    "large": (lambda folder: written(folder, "x", padding=" " * MAX_FILE), f"larger than {MAX_FILE} bytes"),
    "not PEM": (lambda folder: written(folder, "x", private_key=PEM.replace("M", "-")), "the key cannot be read"),
    "cut off": (lambda folder: written(folder, "x", private_key=PEM[:90]), "the key cannot be read"),
    "plain http": (lambda folder: written(folder, "http://as.example/token"), "must be https"),
    "no URL": (lambda folder: written(folder, "no url"), "token_endpoint"),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_file_that_is_no_key_file_is_a_usage_error_that_does_not_show_the_key(
    adapter: Adapter, tmp_path: Path, name: str
) -> None:
    make, said = MALFORMED[name]
    with pytest.raises(UsageError, match=said) as caught:
        from_file(adapter, make(tmp_path))
    for line in PEM.splitlines()[1:-1]:
        assert line not in str(caught.value) + local_variables(caught.value)


def test_a_pipe_is_refused_at_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(UsageError, match="not a regular file"):
        AssertionSession.from_file(pipe)


def test_a_wrong_option_beside_a_key_file_does_not_show_the_key(adapter: Adapter, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no_such_option") as caught:
        from_file(adapter, written(tmp_path, "https://as.example/token"), no_such_option=1)
    assert PEM.splitlines()[1] not in local_variables(caught.value)
