"""What other clients did with secrets and answers, and what ours must never do: a test for each class, all clients."""

import gzip
import logging
import traceback
from pathlib import Path

import pytest

from doorkey.errors import InvalidResponse, MismatchingStateError, OAuthError, UsageError
from tests.support.every_adapter import Adapter
from tests.support.hostile_server import Hostile, reply, token

SECRET, TOKEN = "s3cret-of-the-client", "access-t0ken"


def test_token_in_exception_text(adapter: Adapter, hostile: Hostile) -> None:
    """An answer that is refused, or a request that fails, repeats neither token nor secret."""
    client = adapter.client("c", SECRET, token_endpoint=hostile.token_endpoint)
    for answer in (
        reply(200, f'{{"access_token":"{TOKEN}"'),
        reply(200, f'{{"access_token":"{TOKEN}","access_token":"{TOKEN}"}}'),
        reply(json={"access_token": TOKEN, "token_type": TOKEN}),
        reply(302, TOKEN, {"Location": f"https://evil.example/#{TOKEN}"}),
    ):
        hostile.on("/token", answer)
        with pytest.raises(OAuthError) as refused:
            client.fetch_token()
        text = "".join(traceback.format_exception(refused.value))
        assert TOKEN not in text
        assert SECRET not in text


def test_secrets_in_debug_logs(adapter: Adapter, hostile: Hostile, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="doorkey")
    hostile.on("/token", token(TOKEN, refresh_token="refresh-t0ken"))
    client = adapter.client("c", SECRET, token_endpoint=hostile.token_endpoint)
    client.fetch_token(username="u", password="p4ssword")
    client.refresh_token()
    client.get(hostile.url())
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("doorkey"))
    assert [word for word in (SECRET, TOKEN, "refresh-t0ken", "p4ssword") if word in ours] == []


def test_cve_2025_68158_state_that_this_session_never_sent(adapter: Adapter, hostile: Hostile) -> None:
    """A callback of the attacker's own login, `code` and `state` genuine, in the victim's session."""
    hostile.on("/token", token())
    attacker, victim = (adapter.client("c", token_endpoint=hostile.token_endpoint) for _ in range(2))
    _, state = attacker.create_authorization_url("https://as.example/authorize")
    victim.create_authorization_url("https://as.example/authorize")
    with pytest.raises(MismatchingStateError):
        victim.fetch_token(authorization_response=f"https://rp.example/cb?code=attackers&state={state}")
    assert hostile.received == []


def test_cve_2024_47081_netrc_of_a_host_that_only_looks_like_it(
    adapter: Adapter, hostile: Hostile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost\nlogin mallory\npassword of-the-netrc\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    hostile.on("/token", token())
    client = adapter.client("c", SECRET)
    with pytest.raises(UsageError, match="user name"):
        client.fetch_token(f"http://localhost:@127.0.0.1:{hostile.port}/token")
    client.fetch_token(hostile.url("/token", host="localhost"))
    assert [request.header("authorization") for request in hostile.received] == [
        "Basic YzpzM2NyZXQtb2YtdGhlLWNsaWVudA=="
    ]


def test_cve_2018_18074_authorization_on_a_redirect_elsewhere(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/old", reply(302, headers={"Location": hostile.url("/new", host="localhost")}))
    adapter.client(token={"access_token": TOKEN}).following_redirects("GET", hostile.url("/old"))
    assert hostile.to("/new")[0].header("authorization") is None


def test_cve_2023_45803_a_body_kept_on_a_303(adapter: Adapter, hostile: Hostile) -> None:
    """The client follows no redirect of the token endpoint, and so sends its secret to no other URL."""
    client = adapter.client("c", SECRET, token_endpoint_auth_method="client_secret_post")
    for status in (301, 302, 303, 307, 308):
        hostile.on("/token", reply(status, headers={"Location": "/elsewhere"}))
        with pytest.raises(InvalidResponse):
            client.fetch_token(hostile.token_endpoint)
    assert hostile.to("/elsewhere") == []


@pytest.mark.parametrize("coding", ["gzip", "gzip, gzip, gzip, gzip, gzip, gzip", "br", "zstd", "deflate"])
def test_cve_2025_66418_and_66471_decompression_bombs(adapter: Adapter, hostile: Hostile, coding: str) -> None:
    bomb = gzip.compress(b"\0" * 10_000_000, mtime=0)
    for _ in coding.split(",")[1:]:
        bomb = gzip.compress(bomb, mtime=0)
    hostile.on("/token", reply(200, bomb, {"Content-Encoding": coding}))
    with pytest.raises(InvalidResponse) as refused:
        adapter.client("c", SECRET).fetch_token(hostile.token_endpoint)
    assert refused.value.problem in ("too_large", "content_coding")
