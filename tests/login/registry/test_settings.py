"""Options of a registration in the settings of Flask, Starlette and Django."""

from types import SimpleNamespace
from typing import Any

import pytest
from starlette.config import Config

from doorkey.errors import UsageError
from doorkey.login.registry.settings import config_settings, django_settings, prefixed_settings

FLAT = {"GOOGLE_CLIENT_ID": "app", "GOOGLE_CLIENT_KWARGS": {"scope": "openid"}, "GITHUB_CLIENT_ID": "other"}


def test_flat_settings_have_the_name_of_the_registration_in_front() -> None:
    assert prefixed_settings("google", FLAT.get) == {"client_id": "app", "client_kwargs": {"scope": "openid"}}
    assert prefixed_settings("gitlab", FLAT.get) == {}


def test_flat_settings_contain_every_option_that_is_no_callable() -> None:
    asked: list[str] = []
    prefixed_settings("google", asked.append)
    assert {"GOOGLE_SERVER_METADATA_URL", "GOOGLE_TOKEN_ENDPOINT_AUTH_METHOD", "GOOGLE_CODE_CHALLENGE_METHOD"} < {
        *asked
    }
    assert "GOOGLE_UPDATE_TOKEN" not in asked


def test_starlette_reads_a_mapping() -> None:
    assert config_settings("google", FLAT) == {"client_id": "app", "client_kwargs": {"scope": "openid"}}


def test_starlette_reads_its_config() -> None:
    config = Config(environ={"GOOGLE_CLIENT_ID": "app", "GOOGLE_CLIENT_SECRET": "s"})
    assert config_settings("google", config) == {"client_id": "app", "client_secret": "s"}
    assert config_settings("github", config) == {}


def test_no_config_has_no_settings() -> None:
    assert config_settings("google", None) == {}


def test_a_config_is_a_mapping_or_that_of_starlette() -> None:
    with pytest.raises(UsageError, match="config must be a mapping or Starlette's Config, not int"):
        config_settings("google", 7)


def test_django_has_a_mapping_of_registrations() -> None:
    settings = SimpleNamespace(DOORKEY_OAUTH_CLIENTS={"google": {"client_id": "app"}})
    assert django_settings("google", settings) == {"client_id": "app"}
    assert django_settings("github", settings) == {}
    assert django_settings("google", SimpleNamespace()) == {}


def test_django_reads_the_setting_of_authlib_only_if_ours_is_not_defined() -> None:
    theirs = {"google": {"client_id": "theirs"}, "github": {"client_id": "theirs"}}
    assert django_settings("google", SimpleNamespace(AUTHLIB_OAUTH_CLIENTS=theirs)) == {"client_id": "theirs"}
    both = SimpleNamespace(AUTHLIB_OAUTH_CLIENTS=theirs, DOORKEY_OAUTH_CLIENTS={"google": {"client_id": "ours"}})
    assert django_settings("google", both) == {"client_id": "ours"}
    assert django_settings("github", both) == {}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "DOORKEY_OAUTH_CLIENTS must be a mapping, not list"),
        ({"google": "app"}, r"DOORKEY_OAUTH_CLIENTS\['google'\] must be a mapping, not str"),
    ],
)
def test_the_registrations_of_django_are_mappings(value: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        django_settings("google", SimpleNamespace(DOORKEY_OAUTH_CLIENTS=value))
