"""The names that a registration may contain, and the messages about all others."""

import inspect
from enum import Enum

import httpx
import httpx2
import pytest
import requests

from doorkey.errors import UsageError
from doorkey.login.registry.names import (
    CLIENT_KWARGS,
    HTTP_OPTIONS,
    METADATA,
    OPTIONS,
    registration_name,
    unknown_client_kwargs,
    unknown_options,
)
from doorkey.sessions.options import OWN_OPTIONS


class Provider(str, Enum):  # noqa: UP042  # the form that programs have
    GOOGLE = "google"


class Numbered(Enum):
    GITHUB = 1


@pytest.mark.parametrize(
    ("given", "name"), [("google", "google"), (Provider.GOOGLE, "google"), (Numbered.GITHUB, "GITHUB")]
)
def test_a_registration_is_named_by_text_or_by_an_enum_member(given: object, name: str) -> None:
    assert registration_name(given) == name
    assert type(registration_name(given)) is str


@pytest.mark.parametrize("given", ["", None, 7, b"google", ["google"]])
def test_anything_else_names_no_registration(given: object) -> None:
    with pytest.raises(UsageError, match="the name of a registration must be text"):
        registration_name(given)


@pytest.mark.parametrize("name", sorted({*OPTIONS, *METADATA}))
def test_a_known_option_causes_no_message(name: str) -> None:
    assert [*unknown_options([name])] == []


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("redirect_uri", "give the redirect URI to authorize_redirect()"),
        ("callback_url", "give the redirect URI to authorize_redirect()"),
        ("scope", "give it in client_kwargs={'scope': …}"),
        ("scopes", "give it in client_kwargs={'scope': …}"),
        ("verify", "give it in client_kwargs={'verify': …}"),
        ("timeout", "give it in client_kwargs={'timeout': …}"),
        ("proxies", "give it in client_kwargs={'proxies': …}"),
        ("prompt", "give it in authorize_params={'prompt': …}, or to authorize_redirect()"),
        ("access_type", "give it in authorize_params={'access_type': …}, or to authorize_redirect()"),
        ("token_url", "did you mean 'access_token_url'?"),
        ("jwks_url", "did you mean 'jwks_uri'?"),
        ("acces_token_url", "did you mean 'access_token_url'?"),
        ("userinfo_endpont", "did you mean 'userinfo_endpoint'?"),
        ("server_metadata_uri", "did you mean 'server_metadata_url'?"),
    ],
)
def test_an_unknown_option_causes_a_message_that_states_where_it_belongs(name: str, hint: str) -> None:
    message = f"{name!r} is neither an option of register() nor server metadata: {hint}"
    assert [*unknown_options([name, "issuer"])] == [message]


def test_an_option_like_no_other_causes_a_message_without_a_hint() -> None:
    assert [*unknown_options(["zzzzzz"])] == ["'zzzzzz' is neither an option of register() nor server metadata"]


@pytest.mark.parametrize(
    "name", ["scope", "prompt", "timeout", "verify", "token_placement", "leeway", "proxies", "redirect_uri", "http2"]
)
def test_an_option_of_a_client_causes_no_message(name: str) -> None:
    assert [*unknown_client_kwargs([name])] == []


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("redirect_url", "did you mean 'redirect_uri'?"),
        ("scop", "did you mean 'scope'?"),
        ("client_id", "give it to register(client_id=…)"),
        ("update_token", "give it to register(update_token=…)"),
        ("access_token_url", "give it to register(access_token_url=…)"),
        ("token", "it belongs to one login or user, and a registration is shared by all of them"),
        ("state", "it belongs to one login or user, and a registration is shared by all of them"),
        ("nonce", "it belongs to one login or user, and a registration is shared by all of them"),
        ("access_type", "give it in authorize_params={'access_type': …}, or to authorize_redirect()"),
        ("jwks", "it is server metadata; give it to register(jwks=…)"),
    ],
)
def test_an_unknown_option_of_a_client_causes_a_message_that_states_where_it_belongs(name: str, hint: str) -> None:
    assert [*unknown_client_kwargs([name])] == [f"there is no option {name!r} in client_kwargs: {hint}"]


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_every_option_of_a_client_of_httpx_and_httpx2_is_known_except_auth(library: object) -> None:
    client: type = vars(library)["AsyncClient"]
    assert {*inspect.signature(client).parameters} - HTTP_OPTIONS == {"auth"}


def test_every_setting_of_a_requests_session_is_known_except_auth() -> None:
    assert {*requests.Session.__attrs__} - HTTP_OPTIONS == {"auth"}


def test_every_option_of_a_session_is_known_unless_it_belongs_to_the_registration_or_to_one_user() -> None:
    assert {"client_id", "client_secret", "update_token", "token", "state", "nonce"} == OWN_OPTIONS - CLIENT_KWARGS
