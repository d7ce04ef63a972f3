"""The presets and how a program makes its own."""

from dataclasses import replace
from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.protocol.token_profiles import AUTH0, ENTRA, KEYCLOAK, PROFILES, RFC9068, TokenProfile, profile_named


def test_the_presets_have_names() -> None:
    assert [profile_named(name) for name in PROFILES] == [RFC9068, KEYCLOAK, ENTRA, AUTH0]
    assert profile_named(KEYCLOAK) is KEYCLOAK


@pytest.mark.parametrize("given", ["keycloack", "", None, 1])
def test_another_value_is_an_error_that_names_the_presets(given: Any) -> None:
    with pytest.raises(UsageError, match="profile"):
        profile_named(given)
    with pytest.raises(UsageError, match="did you mean 'keycloak'"):
        profile_named("keycloack")


def test_a_variant_is_a_copy() -> None:
    variant = replace(KEYCLOAK, required=("iss", "exp", "aud", "sub"))
    assert variant.types == KEYCLOAK.types
    assert TokenProfile(name="own", types="JWT").types == ("JWT",)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    "given",
    [
        {"types": ()},
        {"types": 5},
        {"name": 5},
        {"required": 5},
        {"required_any": "scp"},
        {"required_any": (5,)},
        {"values": ("typ",)},
        {"values": (("typ", "Bearer", "DPoP"),)},
        {"values": ((5, "Bearer"),)},
    ],
)
def test_a_profile_of_another_shape_is_an_error(given: Any) -> None:
    options: dict[str, Any] = {"name": "own", "types": ("JWT",), **given}
    with pytest.raises(UsageError, match="TokenProfile"):
        TokenProfile(**options)
