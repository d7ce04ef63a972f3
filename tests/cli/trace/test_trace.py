"""A trace has each step of a login in order, and no secret of it, on the terminal and in the page."""

import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from doorkey.cli.trace.events import Event
from doorkey.cli.trace.log import Log
from doorkey.cli.trace.page import trace_page
from doorkey.cli.trace.steps import Options, traced
from doorkey.cli.trace.view import rendered
from doorkey.errors import OAuthError, VerificationError
from doorkey.values import Secret
from tests.cli.trace.provider import CLIENT, SECRET, KnownProvider
from tests.support.cli_runner import Run
from tests.support.fake_clock import real_time
from tests.support.hostile_server import Hostile, reply


@pytest.fixture
def provider(hostile: Hostile) -> KnownProvider:
    return KnownProvider(hostile, real_time())


def ignore(_: object) -> None:
    """Show nothing, and wait for nothing."""


def options(provider: KnownProvider, **changed: Any) -> Options:
    """Return the usual options of a trace, of which some have `changed`."""
    given: dict[str, Any] = {
        "issuer": provider.issuer,
        "client_id": CLIENT,
        "client_secret": Secret(SECRET),
        "scope": "openid",
        "show": ignore,
        "open_browser": provider.browse,
        "show_device": ignore,
        "timeout": 10.0,
        **changed,
    }
    return Options(**given)


def ran(provider: KnownProvider, **changed: Any) -> Log:
    """Return the log of a trace, which may have ended with an error."""
    log = Log(lambda _: None)
    traced(options(provider, **changed), log)
    return log


def titles(log: Log) -> list[str]:
    return [event.title for event in log.events]


def shown(log: Log) -> str:
    """Return everything of a trace that anyone can see: on a terminal, in the page, and in a repr."""
    console = Console(width=200)
    with console.capture() as captured:
        for number, event in enumerate(log.events, 1):
            console.print(rendered(event, number, whole=True))
    return captured.get() + trace_page(log.events, "Trace", (("issuer", "https://as.example"),)) + repr(log.events)


BROWSER_STEPS = [
    "the metadata of the issuer (discovery)",
    "the authorization request, which the browser opens",
    "the authorization response, which the browser brought to this machine",
    "the code is exchanged for a token",
    "the keys of the issuer",
    "the ID token was verified",
    "the claims about the user (UserInfo)",
    "the token is renewed",
    "the renewed token",
    "the token is revoked",
]


def test_a_login_in_the_browser_is_traced_step_by_step(provider: KnownProvider) -> None:
    log = ran(provider)
    assert titles(log) == BROWSER_STEPS
    assert all(event.section for event in log.events)
    assert not any(event.failed for event in log.events)


def test_a_login_on_another_device_is_traced_step_by_step(provider: KnownProvider) -> None:
    log = ran(provider, flow="device", session={"sleep": ignore})
    assert titles(log)[:3] == [
        "the metadata of the issuer (discovery)",
        "a device authorization is requested",
        "the client asks whether the user has finished",
    ]
    assert titles(log)[-1] == "the token is revoked"


def test_a_token_for_the_client_itself_is_traced_step_by_step(provider: KnownProvider) -> None:
    provider.renewed_id_token = False
    provider.server.on("/token", reply(json={"access_token": "a" * 20, "token_type": "Bearer", "expires_in": 300}))
    log = ran(provider, flow="client_credentials", scope="read")
    assert titles(log) == [
        "the metadata of the issuer (discovery)",
        "the client requests a token for itself",
        "there is no refresh token, so nothing is renewed",
        "the token is revoked",
    ]


@pytest.mark.parametrize("flow", ["browser", "device"])
def test_no_secret_of_a_run_is_in_its_trace(provider: KnownProvider, flow: str) -> None:
    log = ran(provider, flow=flow, session={"sleep": ignore})
    text = shown(log)
    secrets = provider.secrets
    assert len(secrets) > 12
    assert {one for one in secrets if one and one in text} == set()
    for name in ("code_verifier", "access_token", "set-cookie", "email", "authorization")[flow == "device" :]:
        assert name in text, "the names are shown"


def test_what_is_no_secret_is_shown(provider: KnownProvider) -> None:
    text = shown(ran(provider))
    for part in (provider.issuer, "grant_type", "authorization_code", "S256", "token_type", "Bearer", "/jwks"):
        assert part in text


def test_a_server_that_repeats_a_secret_in_its_error_does_not_put_it_into_the_trace(
    provider: KnownProvider,
) -> None:
    def refuse(exchange: Any) -> None:
        form = exchange.request.form
        told = f"the code {form['code']} with {form['code_verifier']} is wrong"
        exchange.send(reply(400, json={"error": "invalid_grant", "error_description": told, "echo": form["code"]}))

    provider.server.on("/token", refuse)
    log = Log(lambda _: None)
    with pytest.raises(OAuthError, match="invalid_grant"):
        traced(options(provider, open_browser=partial(_quietly, provider)), log)
    last = log.events[-1]
    assert last.failed
    assert last.response is not None
    assert dict(last.response.body)["error"] == "invalid_grant"
    verifiers = {request.form["code_verifier"] for request in provider.server.token_requests}
    assert not any(one in shown(log) for one in verifiers)


def _quietly(provider: KnownProvider, url: str) -> None:
    from contextlib import suppress
    from urllib.error import HTTPError

    with suppress(HTTPError):  # the page says that the login has failed
        provider.browse(url)


def test_an_id_token_that_does_not_verify_ends_the_trace_after_the_exchange(provider: KnownProvider) -> None:
    provider.forges = True
    log = Log(lambda _: None)
    with pytest.raises(VerificationError):
        traced(options(provider, open_browser=partial(_quietly, provider)), log)
    assert "the code is exchanged for a token" in titles(log)
    assert "the ID token was verified" not in titles(log)


HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e"


def test_the_page_is_escaped_and_allows_no_script_and_no_request() -> None:
    page = trace_page([Event(title=HOSTILE, rows=((HOSTILE, HOSTILE),), note=HOSTILE)], HOSTILE, ((HOSTILE, HOSTILE),))
    assert "<script" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert not re.findall(r"""(?:src|href)=["']""", page)


def test_each_style_of_the_page_is_allowed_by_its_policy() -> None:
    import base64
    import hashlib

    page = trace_page([], "Trace", ())
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert len(styles) == 2
    for style in styles:
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in page


def test_the_command_writes_a_page_also_of_a_trace_that_fails(
    run: Run, provider: KnownProvider, tmp_path: Path
) -> None:
    provider.server.on("/token", reply(401, json={"error": "invalid_client", "error_description": "no such client"}))
    file = tmp_path / "trace.html"
    arguments = ("--client-credentials", "--client-id", CLIENT, "--html", str(file))
    result = run("trace", provider.issuer, *arguments, DOORKEY_CLIENT_SECRET=SECRET)
    assert result.exit_code == 4, result.output
    page = file.read_text()
    for text in (result.stdout, page):
        assert "the client requests a token for itself" in text
        assert "the trace ends here" in text
        assert "no such client" in text
        assert SECRET not in text
    assert result.stderr.splitlines()[-1].startswith("doorkey: invalid_client")


def test_the_command_shows_a_trace_for_the_client_itself(run: Run, provider: KnownProvider) -> None:
    result = run("trace", provider.issuer, "--client-credentials", "--client-id", CLIENT, DOORKEY_CLIENT_SECRET=SECRET)
    assert result.exit_code == 0, result.output
    assert "grant_type" in result.stdout
    assert "scope" not in provider.server.token_requests[0].form, "no scope is requested unless the user names one"
    assert SECRET not in result.output
    assert not any(one in result.output for one in provider.issued_secrets)


@pytest.mark.parametrize("arguments", [(), ("https://as.example",), ("--client-id", "a")])
def test_the_command_needs_an_issuer_and_a_client(run: Run, arguments: tuple[str, ...]) -> None:
    assert run("trace", *arguments).exit_code == 2


def test_a_page_that_cannot_be_written_is_found_before_the_login(run: Run, provider: KnownProvider) -> None:
    result = run("trace", provider.issuer, "--client-id", CLIENT, "--html", "/no-such-folder/trace.html")
    assert result.exit_code == 5
    assert provider.server.received == []
