"""Compares ID tokens of the same login: a renewed one with the original, and those of both channels.

OpenID Connect Core §12.2 (refresh responses) and §3.3.3.6 (hybrid flow).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from doorkey.jose.claim_rules import LEEWAY, audiences, numeric_date
from doorkey.jose.errors import InvalidClaimError
from doorkey.oidc.core.user_info import UserInfo
from doorkey.values import Secret

_SAME_IN_BOTH_CHANNELS: Final = ("auth_time", "acr", "amr", "azp", *UserInfo.REGISTERED_CLAIMS)
_OTHER: Final = "of the renewed ID token is not that of the original"
_OTHER_LOGIN: Final = (
    f"{_OTHER}: the server names another authentication of the user, for instance a later one in another browser. "
    "If your server does that, allow_changed_auth_time=True accepts it"
)
_OTHER_USER: Final = f"{_OTHER}: the renewed token is another user's"


def check_renewed(
    original: Mapping[str, Any],
    renewed: Mapping[str, Any],
    leeway: float = LEEWAY,
    *,
    allow_changed_auth_time: bool = False,
) -> None:
    """Raise `VerificationError` unless the ID token of a refresh response is for the same login (§12.2).

    original, renewed: the claims of both ID tokens.
    leeway: seconds by which the renewed `iat` may be before the original one.
    allow_changed_auth_time: True to accept another `auth_time` than the original one.

    `iss`, `sub`, `aud` and `azp` must be the same, and so must an `auth_time` that is in both tokens. The renewed
    `nonce` may be absent; otherwise it must be the original one.
    """
    for name in ("iss", "sub"):
        if not original.get(name) or renewed.get(name) != original.get(name):
            raise InvalidClaimError(name, _OTHER_USER)
    if set(audiences(renewed)) != set(audiences(original)):
        raise InvalidClaimError("aud", _OTHER)
    if renewed.get("azp") != original.get("azp"):
        raise InvalidClaimError("azp", _OTHER)
    in_both = "auth_time" in renewed and "auth_time" in original
    if in_both and renewed["auth_time"] != original["auth_time"] and not allow_changed_auth_time:
        raise InvalidClaimError("auth_time", _OTHER_LOGIN)
    if "nonce" in renewed and Secret(str(renewed["nonce"])) != Secret(str(original.get("nonce", ""))):
        raise InvalidClaimError("nonce", _OTHER)
    before, now = numeric_date(original, "iat"), numeric_date(renewed, "iat")
    if before is not None and now is not None and now < before - leeway:
        raise InvalidClaimError("iat", f"of the renewed ID token is {before - now:.0f} seconds before the original one")


def check_channels(front: Mapping[str, Any], back: Mapping[str, Any]) -> None:
    """Raise `VerificationError` unless the ID tokens of both endpoints describe the same login (§3.3.3.6).

    front: the claims of the ID token of the authorization endpoint.
    back: the claims of the ID token of the token endpoint.

    `iss` and `sub` must be identical, and so must all claims about the user and the authentication that are in both.
    """
    for name in ("iss", "sub"):
        if front.get(name) != back.get(name):
            raise InvalidClaimError(name, "differs between the ID tokens of the authorization and the token endpoint")
    for name in _SAME_IN_BOTH_CHANNELS:
        if name in front and name in back and front[name] != back[name]:
            raise InvalidClaimError(name, "differs between the ID tokens of the authorization and the token endpoint")
