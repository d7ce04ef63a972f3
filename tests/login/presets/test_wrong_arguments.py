"""Wrong arguments of a preset, and wrong claims of a provider, raise no exception but an `OAuthError`."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from doorkey.login.presets import PRESETS, AppleClientSecret, preset
from doorkey.login.presets.apple import apple_callback_claims
from doorkey.login.presets.claims import discord_claims, linkedin_claims
from tests.login.presets.test_table import PARAMETERS
from tests.support.wrong_values import failures, refused


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset(name: str) -> None:
    given = {"name": name, **PARAMETERS[name]}
    refused(failures(preset, given, [*given, "tenants", "domain", "no_such"]))


def test_a_client_secret_of_apple() -> None:
    refused(failures(AppleClientSecret, PARAMETERS["apple"], list(PARAMETERS["apple"])))


@pytest.mark.parametrize("member", ["id", "username", "global_name", "avatar", "email", "locale", "verified"])
def test_the_response_of_a_user_api(member: str) -> None:
    def claims(**data: Any) -> None:
        discord_claims(None, data)
        linkedin_claims(None, data)
        apple_callback_claims(data)

    given = {"id": "1", "username": "nelly"}
    refused(failures(partial(claims), given, [member, "user"]))
