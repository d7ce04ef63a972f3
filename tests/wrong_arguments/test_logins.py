"""Arguments of every kind for a login client: they raise an `OAuthError` or nothing."""

from functools import partial
from typing import Any

import pytest
from anyio.from_thread import BlockingPortal

from doorkey.login import AsyncLoginClient, LoginClient, PendingLogin
from doorkey.login.errors import LoginError
from doorkey.native import errors as native_errors
from tests.support.wrong_values import failures, parameters_of, refused

GOOD: dict[str, Any] = {
    "client_id": "c",
    "client_secret": "s",
    "metadata": {
        "issuer": "https://as.example",
        "authorization_endpoint": "https://as.example/authorize",
        "token_endpoint": "https://as.example/token",
        "end_session_endpoint": "https://as.example/logout",
    },
    "redirect_uri": "https://rp.example/cb",
}
PENDING = LoginClient(**GOOD).begin().pending


@pytest.mark.parametrize("kind", [LoginClient, AsyncLoginClient])
def test_construction(kind: Any) -> None:
    refused(failures(partial(_shown, kind), GOOD, [*parameters_of(kind), "update_token", "no_such"]))


def _shown(kind: Any, **given: Any) -> str:
    return repr(kind(**given))


def _called(method: Any, **given: Any) -> Any:
    return method(**given)


def _read(**members: Any) -> PendingLogin:
    return PendingLogin.from_dict(members)


def test_methods(portal: BlockingPortal) -> None:
    client, other = LoginClient(**GOOD), AsyncLoginClient(**GOOD)

    def awaited(method: Any, **given: Any) -> Any:
        return portal.call(partial(method, **given))

    finish = {"params": f"https://rp.example/cb?state={PENDING.state}&error=access_denied", "pending": PENDING}
    worlds: list[tuple[Any, Any]] = [(_called, client), (awaited, other)]
    for call, on in worlds:
        refused(
            failures(partial(call, on.begin), {}, ["redirect_uri", "next", "scope", "prompt", "max_age", "nonce"]),
            failures(partial(call, on.finish), finish, ["params", "pending", "audience"]),
            failures(partial(call, on.logout_url), {}, ["id_token_hint", "post_logout_redirect_uri", "state"]),
        )
    refused(
        failures(client.session, {}, ["token", "update_token", "no_such"]),
        failures(other.session, {}, ["token", "update_token", "no_such"]),
        failures(client.userinfo, {"token": {"access_token": "at", "token_type": "Bearer"}}, ["token", "sub"]),
    )


def test_pending_logins() -> None:
    stored = PENDING.to_dict()
    refused(
        failures(PendingLogin.from_dict, {"members": stored}),
        failures(_read, stored, ["provider", "transaction", "next"]),
    )


NATIVE = [vars(native_errors)[name] for name in native_errors.__all__]


@pytest.mark.parametrize("kind", [*dict.fromkeys([LoginError, *LoginError.__subclasses__(), *NATIVE])])
def test_errors_say_what_they_are_whatever_they_are_given(kind: Any) -> None:
    for text in ("", "\x1b[31m", "x" * 10_000, "\ud800"):
        error = kind(text)
        assert str(error)
        assert len(error.problem) < 2000
