"""Convert the responses of user APIs to OpenID Connect claims, for providers with their own names for the claims."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

from doorkey.jose.errors import InvalidClaimError
from doorkey.wire.flow import Flow, maybe_await
from doorkey.wire.strict_json import JSONProblem, parse_object

GITHUB_EMAILS: Final = "https://api.github.com/user/emails"
_TOO_LARGE: Final = 2**64
_MAX_SUB: Final = 255
"""The maximum characters of a `sub` (OpenID Connect Core §2)."""
DISCORD_AVATARS: Final = "https://cdn.discordapp.com/avatars"


def github_claims(client: Any, data: Mapping[str, Any]) -> Flow[dict[str, Any]]:
    """Return the claims of a GitHub user. The email address is the verified primary one, from a second request.

    data: the response of ``GET /user``. The ID of the account becomes `sub`, because a user can change the login.
    """
    claims = {
        **_renamed(data, {"login": "preferred_username", "avatar_url": "picture", "html_url": "profile"}),
        **_renamed(data, {"name": "name", "blog": "website"}),
        "sub": subject(data.get("id")),
    }
    response = yield from maybe_await(client.get(GITHUB_EMAILS))
    return {**claims, **_primary_email(response)}


def discord_claims(client: Any, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims of a Discord user; `data` is the response of ``GET /users/@me``."""
    claims = {
        **_renamed(data, {"username": "preferred_username", "email": "email", "locale": "locale"}),
        "sub": subject(data.get("id")),
    }
    name, avatar = data.get("global_name") or data.get("username"), data.get("avatar")
    if isinstance(name, str):
        claims["name"] = name
    if isinstance(avatar, str) and avatar.replace("_", "").isalnum():
        claims["picture"] = f"{DISCORD_AVATARS}/{claims['sub']}/{avatar}.png"
    if "email" in claims:
        claims["email_verified"] = data.get("verified") is True
    return claims


def linkedin_claims(client: Any, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the claims of a LinkedIn member, with `locale` as text (OpenID Connect Core §5.1)."""
    claims = dict(data)
    locale = claims.pop("locale", None)
    if isinstance(locale, Mapping):
        parts = cast("Mapping[str, object]", locale)
        locale = "-".join(part for name in ("language", "country") if isinstance(part := parts.get(name), str))
    if isinstance(locale, str) and locale:
        claims["locale"] = locale.replace("_", "-")
    return claims


def subject(value: object) -> str:
    """Return the ID of an account as `sub`. Raises `VerificationError` if it is missing or invalid."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _TOO_LARGE:
        return str(value)
    if isinstance(value, str) and 0 < len(value) <= _MAX_SUB:
        return value
    raise InvalidClaimError("sub", "is missing, because the user API returned no valid account ID")


def _renamed(data: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {ours: data[theirs] for theirs, ours in names.items() if isinstance(data.get(theirs), str) and data[theirs]}


def _primary_email(response: Any) -> dict[str, Any]:
    """Return `email` and `email_verified` of the primary address; {} without permission to read addresses."""
    if getattr(response, "status_code", 0) != 200:
        return {}
    try:
        # the response is a list, but the parser accepts only an object
        found = parse_object(b'{"emails":' + bytes(response.content) + b"}").get("emails")
    except JSONProblem:
        return {}
    several = cast("list[object]", found) if isinstance(found, list) else []
    for one in several:
        entry = cast("Mapping[str, object]", one if isinstance(one, Mapping) else {})
        address = entry.get("email")
        if entry.get("primary") is True and isinstance(address, str):
            return {"email": address, "email_verified": entry.get("verified") is True}
    return {}
