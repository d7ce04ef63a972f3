"""A login by a code on another device: what the user sees, how it ends, and what is left behind."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import anyio
import pytest

from doorkey import DeviceAuthorization, native
from doorkey.errors import InvalidResponse, TransportError, UsageError, VerificationError
from doorkey.login.errors import LoginExpired, LoginRefused
from doorkey.native import NativeLogin
from doorkey.native.by_device import qr_code, show_device
from doorkey.testing import Provider, Settings, client
from doorkey.values import Secret
from tests.support.fake_clock import Clock
from tests.support.hostile_server import Hostile, reply, reset

WORLDS = ("blocking", "asyncio", "trio")
TOOL = "my-tool"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    realms = {"fast": Settings(signing_alg="ES256", device_code_lifetime=20)}
    with Provider(clients=[client(TOOL)], realms=realms, clock=Clock()) as running:
        yield running


@dataclass
class Logins:
    """Logins of one world at a provider, whose clock the pauses advance."""

    world: str
    clock: Callable[[], float]
    advance: Callable[[float], None]

    def __call__(self, issuer: str, **options: Any) -> NativeLogin:
        async def asleep(seconds: float) -> None:
            self.advance(seconds)

        sleep = self.advance if self.world == "blocking" else asleep
        given: dict[str, Any] = {"clock": self.clock, "sleep": sleep, **options}
        if self.world == "blocking":
            return native.login_by_device(issuer, TOOL, **given)
        return anyio.run(partial(native.alogin_by_device, issuer, TOOL, **given), backend=self.world)


def ignore(_: DeviceAuthorization) -> None:
    """Show nothing."""


@pytest.fixture(params=WORLDS)
def log_in(request: pytest.FixtureRequest, provider: Provider) -> Logins:
    return Logins(request.param, provider.clock, provider.advance)


def test_the_user_enters_the_code_and_the_id_token_is_verified(log_in: Logins, provider: Provider) -> None:
    shown: list[DeviceAuthorization] = []

    def show(device: DeviceAuthorization) -> None:
        shown.append(device)
        provider.approve_device(device.user_code, "alice", realm="fast")

    result = log_in(provider.issuer_of("fast"), show=show, scope="openid email")
    assert result.method == "device"
    assert result.claims is not None
    assert result.claims["preferred_username"] == "alice"
    assert set(str(result.token["scope"]).split()) == {"openid", "email", "profile"}
    assert result.token["refresh_token"]
    assert len(shown) == 1


def test_a_refused_login_is_a_login_error(log_in: Logins, provider: Provider) -> None:
    def show(device: DeviceAuthorization) -> None:
        provider.deny_device(device.user_code, "alice", realm="fast")

    with pytest.raises(LoginRefused, match="access_denied"):
        log_in(provider.issuer_of("fast"), show=show)


def test_a_login_that_the_user_does_not_finish_expires(log_in: Logins, provider: Provider) -> None:
    with pytest.raises(LoginExpired):
        log_in(provider.issuer_of("fast"), show=ignore)


def test_by_default_the_url_and_the_code_are_on_standard_error(
    log_in: Logins, provider: Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    with suppress(LoginExpired):
        log_in(provider.issuer_of("fast"))
    out, err = capsys.readouterr()
    assert not out
    assert f"{provider.issuer_of('fast')}/device\n" in err
    assert re.search(r"enter this code there:\n\n  [A-Z]{4}-[A-Z]{4}\n", err)


def test_an_interruption_leaves_at_once_and_sends_nothing_more(log_in: Logins, provider: Provider) -> None:
    provider.requests.clear()

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    async def ainterrupted(_: float) -> None:
        raise KeyboardInterrupt

    sleep = interrupted if log_in.world == "blocking" else ainterrupted
    with pytest.raises(BaseException) as left:  # noqa: PT011  # trio wraps it
        log_in(provider.issuer_of("fast"), show=ignore, sleep=sleep)
    assert "KeyboardInterrupt" in repr(left.value)
    assert provider.token_requests == 0


def test_a_cancelled_login_leaves_at_once(provider: Provider) -> None:
    async def cancelled() -> bool:
        with anyio.CancelScope() as scope:
            await native.alogin_by_device(provider.issuer_of("fast"), TOOL, show=lambda _: scope.cancel())
        return scope.cancelled_caught

    for backend in ("asyncio", "trio"):
        assert anyio.run(cancelled, backend=backend)


def test_failures_of_the_network_and_of_the_server_are_typed(log_in: Logins, hostile: Hostile) -> None:
    issuer = hostile.url("")
    metadata = {"issuer": issuer, "token_endpoint": hostile.token_endpoint, "jwks_uri": hostile.url("/jwks")}
    hostile.on("/.well-known/openid-configuration", reply(json=metadata))
    with pytest.raises(UsageError, match="no device_authorization_endpoint"):
        log_in(issuer)
    described = {**metadata, "device_authorization_endpoint": hostile.url("/device")}
    hostile.on("/.well-known/openid-configuration", reply(json=described))
    for answer, error in ((reset, TransportError), (reply(json={"user_code": "x"}), InvalidResponse)):
        hostile.on("/device", answer)
        with pytest.raises(error):
            log_in(issuer)
    device = {"device_code": "d", "user_code": "u", "verification_uri": "https://as.example/d", "expires_in": 60}
    hostile.on("/device", reply(json=device))
    hostile.on("/token", reply(json={"access_token": "a", "token_type": "Bearer", "id_token": "a.b.c"}))
    hostile.on("/jwks", reply(json={"keys": []}))
    with pytest.raises(VerificationError):
        log_in(issuer, show=ignore)


def test_arguments_are_checked_before_any_request(log_in: Logins, hostile: Hostile) -> None:
    wrong: Any = "print"
    with pytest.raises(UsageError, match="show must be a callable"):
        log_in(hostile.url(""), show=wrong)
    with pytest.raises(UsageError, match="sleep must be a callable"):
        log_in(hostile.url(""), sleep=wrong)
    assert not hostile.to("/.well-known/openid-configuration")


# -- what the user sees ------------------------------------------------------------------------------------------------

URL = "https://as.example/device"


def device(complete: str | None = f"{URL}?user_code=WDJB-MJHT") -> DeviceAuthorization:
    return DeviceAuthorization(
        user_code="WDJB-MJHT",
        verification_uri=URL,
        expires_at=0.0,
        device_code=Secret("a-device-code"),
        verification_uri_complete=complete,
    )


class Terminal(io.TextIOWrapper):
    """A terminal that keeps what is written to it."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__(io.BytesIO(), encoding=encoding, errors="backslashreplace", write_through=True)

    def isatty(self) -> bool:
        return True

    def written(self) -> str:
        buffer: Any = self.buffer
        return str(buffer.getvalue().decode(self.encoding))


@pytest.fixture(autouse=True)
def colors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_a_terminal_shows_a_qr_code_of_the_complete_url_that_a_camera_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    show_device(device())
    text = terminal.written()
    assert f"  {URL}\n" in text
    assert "  WDJB-MJHT\n" in text
    assert "compare it after the scan" in text
    assert "a-device-code" not in text
    rows = [line for line in text.splitlines() if line.startswith("\x1b[97;40m")]
    assert rows
    assert all(row.endswith("\x1b[0m") for row in rows)
    assert modules_of(rows) == expected(f"{URL}?user_code=WDJB-MJHT")


def modules_of(rows: list[str]) -> list[list[bool]]:
    """Return the dark modules of a drawn code, of which each character is two."""
    halves = {"█": (False, False), "▀": (False, True), "▄": (True, False), " ": (True, True)}
    lines: list[list[bool]] = []
    for row in rows:
        pairs = [halves[one] for one in row.removeprefix("\x1b[97;40m").removesuffix("\x1b[0m")]
        lines += [[upper for upper, _ in pairs], [lower for _, lower in pairs]]
    return lines


def expected(url: str) -> list[list[bool]]:
    import segno

    matrix = [[bool(one) for one in row] for row in segno.make(url, error="l", micro=False).matrix_iter(border=2)]
    padding = [[True] * len(matrix[0])] if len(matrix) % 2 else []  # the lower half of the last line
    return [*matrix, *padding]


def test_without_the_complete_url_the_code_has_to_be_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    show_device(device(None))
    assert "enter this code there:\n  WDJB-MJHT\n" in terminal.written()


def test_the_url_and_the_code_are_in_the_last_lines_of_a_small_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    show_device(device())
    lines = terminal.written().splitlines()
    assert any(line.strip() == URL for line in lines[-6:])
    assert "and enter this code there, or compare it after the scan:" in lines[-4:]
    assert "  WDJB-MJHT" in lines[-3:]


def test_a_qr_code_has_no_colors_where_the_user_wants_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    drawn = qr_code(URL, Terminal())
    assert "█" in drawn
    assert "\x1b" not in drawn


@pytest.mark.parametrize(
    ("name", "value", "encoding"),
    [("TERM", "dumb", "utf-8"), ("COLUMNS", "20", "utf-8"), ("TERM", "xterm", "ascii")],
)
def test_where_it_cannot_be_shown_there_is_no_qr_code(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, encoding: str
) -> None:
    monkeypatch.setenv(name, value)
    terminal = Terminal(encoding)
    assert not qr_code(URL, terminal)
    monkeypatch.setattr("sys.stderr", terminal)
    show_device(device())
    assert "WDJB-MJHT" in terminal.written()


def test_a_file_gets_no_qr_code_and_a_program_without_a_console_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not qr_code(URL, io.StringIO())
    monkeypatch.setattr("sys.stderr", None)
    show_device(device())
    assert os.environ["TERM"]


def test_without_segno_there_is_no_qr_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "segno", None)
    assert not qr_code(URL, Terminal())
