"""Claims of OpenID Connect, made of what the user APIs of GitHub, Discord and LinkedIn document."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest

from doorkey.errors import VerificationError
from doorkey.login.presets.claims import GITHUB_EMAILS, discord_claims, github_claims, linkedin_claims, subject
from doorkey.wire.flow import arun, run

# docs.github.com/en/rest/users/users, "Get the authenticated user" (written by hand from its example)
GITHUB_USER = {
    "login": "octocat",
    "id": 583231,
    "avatar_url": "https://avatars.githubusercontent.com/u/583231",
    "html_url": "https://github.com/octocat",
    "name": "The Octocat",
    "blog": "",
    "email": None,
}
# docs.discord.com/developers/resources/user, "User Object" (written by hand from its example)
DISCORD_USER = {
    "id": "80351110224678912",
    "username": "nelly",
    "discriminator": "0",
    "global_name": "Nelly",
    "avatar": "8342729096ea3675442027381ff50dfe",
    "verified": True,
    "email": "nelly@discord.example",
    "locale": "en-US",
}


class Answer(NamedTuple):
    status_code: int
    content: bytes


class Api:
    """An API of GitHub that answers the request for addresses."""

    def __init__(self, status: int, addresses: object) -> None:
        self.answer = Answer(status, addresses if isinstance(addresses, bytes) else json.dumps(addresses).encode())
        self.asked: list[str] = []

    def get(self, url: str) -> Answer:
        self.asked.append(url)
        return self.answer


class AsyncApi(Api):
    async def get(self, url: str) -> Answer:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        return super().get(url)


def refuse(effect: object) -> object:
    raise AssertionError(f"no effect is needed, and {effect} is one")


def github(status: int, addresses: object, user: dict[str, Any] | None = None) -> dict[str, Any]:
    return run(github_claims(Api(status, addresses), user or GITHUB_USER), refuse)


ADDRESSES = [
    {"email": "old@example.com", "primary": False, "verified": True, "visibility": None},
    {"email": "octocat@example.com", "primary": True, "verified": True, "visibility": "private"},
]


def test_a_github_user_has_the_id_as_subject_and_the_primary_address() -> None:
    assert github(200, ADDRESSES) == {
        "sub": "583231",
        "preferred_username": "octocat",
        "name": "The Octocat",
        "picture": "https://avatars.githubusercontent.com/u/583231",
        "profile": "https://github.com/octocat",
        "email": "octocat@example.com",
        "email_verified": True,
    }


@pytest.mark.anyio
async def test_the_second_request_is_awaited_where_the_client_awaits() -> None:
    api = AsyncApi(200, ADDRESSES)

    async def refused(effect: object) -> object:
        return refuse(effect)

    claims = await arun(github_claims(api, GITHUB_USER), refused)
    assert api.asked == [GITHUB_EMAILS]
    assert claims["email"] == "octocat@example.com"


def test_an_unverified_address_is_marked() -> None:
    found = github(200, [{"email": "octocat@example.com", "primary": True, "verified": False}])
    assert found["email_verified"] is False


@pytest.mark.parametrize(
    ("status", "addresses"),
    [
        (404, {"message": "Not Found"}),
        (200, b"<html>"),
        (200, {"email": "a@example.com"}),
        (200, ["a@example.com", {"email": 7, "primary": True}, {"email": "b@example.com", "primary": "true"}]),
        (200, b'[], "emails": [{"email": "x@example.com", "primary": true}]'),
    ],
)
def test_without_a_readable_address_the_login_has_none(status: int, addresses: object) -> None:
    found = github(status, addresses, {**GITHUB_USER, "email": "public@example.com"})
    assert "email" not in found
    assert found["sub"] == "583231"


@pytest.mark.parametrize("identifier", [None, "", True, 1.5, [], {}, -1, 2**64, "x" * 256])
def test_an_account_without_an_id_is_no_identity(identifier: object) -> None:
    with pytest.raises(VerificationError) as caught:
        subject(identifier)
    assert caught.value.claim == "sub"
    with pytest.raises(VerificationError):
        discord_claims(None, {**DISCORD_USER, "id": identifier})
    with pytest.raises(VerificationError):
        github(200, [], {**GITHUB_USER, "id": identifier})


def test_a_discord_user_becomes_claims() -> None:
    assert discord_claims(None, DISCORD_USER) == {
        "sub": "80351110224678912",
        "preferred_username": "nelly",
        "name": "Nelly",
        "picture": "https://cdn.discordapp.com/avatars/80351110224678912/8342729096ea3675442027381ff50dfe.png",
        "email": "nelly@discord.example",
        "email_verified": True,
        "locale": "en-US",
    }


def test_a_discord_user_without_a_display_name_or_address_has_neither() -> None:
    found = discord_claims(None, {"id": "1", "username": "nelly", "avatar": "../../x", "verified": True})
    assert found == {"sub": "1", "preferred_username": "nelly", "name": "nelly"}


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ({"country": "US", "language": "en"}, "en-US"),
        ("en_US", "en-US"),
        ({"language": "en"}, "en"),
        (None, None),
        ({"country": 1}, None),
    ],
)
def test_the_locale_of_linkedin_is_text(locale: object, expected: str | None) -> None:
    data = {"sub": "782bbtaQ", "name": "John Doe", "email_verified": True, "locale": locale}
    found = linkedin_claims(None, data)
    assert found.get("locale") == expected
    assert {name: value for name, value in found.items() if name != "locale"} == {
        "sub": "782bbtaQ",
        "name": "John Doe",
        "email_verified": True,
    }
