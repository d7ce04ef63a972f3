"""The declared options of login clients, providers and logins are the real ones."""

import inspect
from collections.abc import Callable
from typing import Any

import httpx
import httpx2
import pytest

from doorkey.errors import UsageError
from doorkey.integrations.requests_client.settings import SETTINGS
from doorkey.login import AsyncLoginClient, Login, LoginClient, LoginProvider, option_types
from doorkey.sessions.options import OWN_OPTIONS

NATIVE: list[Any] = [httpx2.Client, httpx2.AsyncClient, httpx.Client, httpx.AsyncClient]
HTTPX = {name for client in NATIVE for name in inspect.signature(client).parameters}
HTTP_OPTIONS = {*SETTINGS, "default_timeout", *HTTPX} - {"auth"}
OF_ONE_LOGIN = {"nonce", "state", "token"}


def parameters_of(function: Callable[..., Any], declared: Any) -> set[str]:
    """The parameters of a function, except `options`, which are declared as `declared`, and none of them twice."""
    parameters = dict(inspect.signature(function).parameters)
    assert parameters.pop("options").annotation == f"Unpack[{declared.__name__}]"
    assert not parameters.keys() & declared.__annotations__.keys(), "declared twice"
    return set(parameters)


def all_of(function: Callable[..., Any], declared: Any) -> set[str]:
    return parameters_of(function, declared) | set(declared.__annotations__)


@pytest.mark.parametrize("client", [LoginClient, AsyncLoginClient])
def test_the_options_of_a_login_client_are_those_of_a_session_and_of_its_http_client(client: Any) -> None:
    added = {"name", "fetch_userinfo", "userinfo_compliance_fix", "http_client", "client_cls"}
    found = all_of(client, option_types.LoginClientOptions)
    assert found == (OWN_OPTIONS | HTTP_OPTIONS | added) - OF_ONE_LOGIN


def test_the_options_of_a_provider_are_those_of_a_login_client() -> None:
    added = {"preset", "label", "revoke_at_logout"}
    found = all_of(LoginProvider, option_types.LoginProviderOptions)
    assert found == all_of(LoginClient, option_types.LoginClientOptions) | added


def test_the_options_of_a_login_are_those_of_a_provider() -> None:
    own = parameters_of(Login, option_types.LoginOptions)
    declared = set(option_types.LoginOptions.__annotations__)
    assert declared == all_of(LoginProvider, option_types.LoginProviderOptions) - own


@pytest.mark.parametrize("construct", [Login.from_env, Login.dev])
def test_the_options_of_a_login_from_the_environment_are_those_of_a_login(construct: Callable[..., Any]) -> None:
    parameters_of(construct, option_types.EnvironmentOptions)
    declared = set(option_types.EnvironmentOptions.__annotations__)
    assert declared == all_of(Login, option_types.LoginOptions) - {"providers"}


@pytest.mark.parametrize("name", sorted(OF_ONE_LOGIN))
def test_an_option_of_one_login_is_not_one_of_the_client(name: str) -> None:
    given: Any = {"issuer": "https://as.example", name: "given"}
    with pytest.raises(UsageError, match=f"{name} belongs to one user"):
        LoginClient("app", **given)
