"""Pending logins, each sealed in a cookie of its own."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import replace

import pytest

from doorkey.errors import UsageError
from doorkey.login import LoginClient, PendingLogin
from doorkey.login.errors import LoginSecretChanged
from doorkey.login.web.cookies import CookieRules
from doorkey.login.web.keys import sealer_of, secrets_of
from doorkey.login.web.messages import WebRequest
from doorkey.login.web.pending_logins import MAX_PENDING, PendingLogins

CLIENT = LoginClient(
    "app",
    authorization_endpoint="https://op.example/authorize",
    token_endpoint="https://op.example/token",
    redirect_uri="https://app.example/auth/callback",
    name="op",
)
LOGINS = PendingLogins(sealer_of(secrets_of("s" * 32), "cookies"), CookieRules("doorkey", secure=True))


def begun(**options: object) -> PendingLogin:
    return CLIENT.begin(**options).pending  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def with_cookies(cookies: dict[str, str]) -> WebRequest:
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return WebRequest("GET", "https", "app.example", "/auth/login", headers=(("Cookie", header),))


def kept(headers: list[tuple[str, str]], cookies: dict[str, str]) -> dict[str, str]:
    """The cookies after a response."""
    for _, value in headers:
        name, _, rest = value.partition("=")
        content, _, attributes = rest.partition(";")
        if "Max-Age=0" in attributes:
            cookies.pop(name)
        else:
            cookies[name] = content
    return cookies


def test_a_login_is_found_by_its_state_and_by_no_other() -> None:
    pending, other = begun(next="/orders"), begun()
    cookies = kept(LOGINS.added(with_cookies({}), pending), {})
    found = LOGINS.find(with_cookies(cookies), pending.state)
    assert found is not None
    assert found.next == "/orders"
    assert found.transaction == replace(pending.transaction, url="-")
    assert LOGINS.find(with_cookies(cookies), other.state) is None


def test_the_cookie_shows_neither_the_verifier_nor_the_nonce() -> None:
    pending = begun()
    ((name, value),) = kept(LOGINS.added(with_cookies({}), pending), {}).items()
    raw = urlsafe_b64decode(value + "=" * (-len(value) % 4))
    for secret in (pending.state, pending.transaction.nonce, pending.transaction.code_verifier.reveal()):
        assert secret not in name
        assert secret.encode() not in raw


@pytest.mark.parametrize("change", ["flip", "cut", "empty", "text", "other name"])
def test_a_cookie_that_was_changed_does_not_open(change: str) -> None:
    pending, other = begun(), begun()
    cookies = kept(LOGINS.added(with_cookies({}), pending), {})
    (name,) = cookies
    raw = bytearray(urlsafe_b64decode(cookies[name] + "=="))
    raw[-1] ^= 1
    cookies[name] = {
        "flip": urlsafe_b64encode(bytes(raw)).decode(),
        "cut": cookies[name][:20],
        "empty": "",
        "text": "not base64 ü",
        "other name": next(iter(kept(LOGINS.added(with_cookies({}), other), {}).values())),
    }[change]
    with pytest.raises(LoginSecretChanged):
        LOGINS.find(with_cookies(cookies), pending.state)


def test_a_browser_keeps_a_bounded_number_and_the_newest() -> None:
    cookies: dict[str, str] = {}
    logins = [begun() for _ in range(3 * MAX_PENDING)]
    logins = [
        replace(one, transaction=replace(one.transaction, expires_at=one.expires_at + number))
        for number, one in enumerate(logins)
    ]
    for one in logins:
        cookies = kept(LOGINS.added(with_cookies(cookies), one), cookies)
        assert len(cookies) <= MAX_PENDING
        assert sum(len(name) + len(value) for name, value in cookies.items()) <= 5_000
    found = [LOGINS.find(with_cookies(cookies), one.state) is not None for one in logins]
    assert found == sorted(found), "the oldest are gone"
    assert sum(found) >= 4


def test_cookies_that_do_not_open_go_first() -> None:
    pending = begun()
    broken = {LOGINS.rules.name(f"-login-{number:016x}"): "x" * 600 for number in range(8)}
    cookies = kept(LOGINS.added(with_cookies(dict(broken)), pending), dict(broken))
    assert LOGINS.find(with_cookies(cookies), pending.state) is not None
    newer = begun()
    cookies = kept(LOGINS.added(with_cookies(cookies), newer), cookies)
    assert LOGINS.find(with_cookies(cookies), pending.state) is not None


def test_a_target_that_is_too_long_is_not_kept() -> None:
    pending = begun(next="/" + "n" * 2000)
    cookies = kept(LOGINS.added(with_cookies({}), pending), {})
    found = LOGINS.find(with_cookies(cookies), pending.state)
    assert found is not None
    assert found.next == "/"


def test_a_login_that_no_cookie_can_hold_is_refused() -> None:
    with pytest.raises(UsageError, match="does not fit into a cookie"):
        LOGINS.added(with_cookies({}), begun(scope=" ".join(f"scope-{number:04}" for number in range(400))))
