"""Renewed tokens and the login that they belong to (OpenID Connect Core §12.2), for sessions, sources and vaults.

Theory of operation. When a server responds to a refresh request, the old refresh token may be invalid from then on. So
the new refresh token in the response must not be lost. If the ID token of the response is rejected, for instance
because it cannot be verified at the moment or names another authentication of the same user, the new refresh token is
kept, and nothing else of the response is used. If the ID token belongs to another login, the whole response is
discarded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from doorkey.errors import VerificationError
from doorkey.tokens import OAuthToken
from doorkey.values import Secret, hides_locals
from doorkey.wire.flow import Flow

__all__: list[str] = []

_IDENTITY: Final = frozenset({"iss", "sub", "aud", "azp", "tid", "nonce"})
"""Claims whose mismatch means that the token was issued for another login. Other failures may be temporary."""

# The JWT modules are imported only for a token that has an ID token, so that other programs do not wait for them.


def claims_of(token: OAuthToken) -> Mapping[str, Any] | None:
    """Return the claims of the ID token in `token`. None if there is no ID token, or if it is encrypted or not a JWT.

    A token that was loaded from a store has no verified claims. Its ID token was verified before it was stored, so it
    is read without another verification.
    """
    if token.id_token_claims is not None or token.id_token is None:
        return token.id_token_claims
    return _read(token.id_token)


def keeping_rotated(
    checked: Flow[OAuthToken],
    renewed: OAuthToken,
    original: OAuthToken | None,
    keep: Callable[[Secret], Flow[None]],
) -> Flow[OAuthToken]:
    """Run `checked`, the check of the ID token of `renewed`, and return its result.

    If the check fails or is interrupted, `keep` is called with the refresh token that replaced that of `original`,
    unless the ID token belongs to another login. Raises the error of the check.
    """
    try:
        return (yield from checked)
    except GeneratorExit:  # a closed flow can yield no further effects, so nothing can be saved
        raise
    except BaseException as error:
        rotated = renewed.refresh_token
        is_of_another = isinstance(error, VerificationError) and error.claim in _IDENTITY
        if not is_of_another and original is not None and rotated is not None and rotated != original.refresh_token:
            yield from keep(rotated)
        raise


def same_login(
    renewed: OAuthToken, original: OAuthToken | None, *, allow_changed_auth_time: bool = False
) -> Flow[OAuthToken]:
    """Return `renewed`. If it has no ID token, add that of `original`, because the login is the same.

    Raises `VerificationError` as `check_same_login`.
    """
    yield from ()  # a flow without effects
    if renewed.id_token is not None:
        check_same_login(renewed, original, allow_changed_auth_time=allow_changed_auth_time)
        return renewed
    if original is None or original.id_token is None:
        return renewed
    return replace(renewed, id_token=original.id_token, id_token_claims=original.id_token_claims)


def check_same_login(
    renewed: OAuthToken, original: OAuthToken | None, *, allow_changed_auth_time: bool = False
) -> None:
    """Raise `VerificationError` if the ID token in `renewed` is not for the same login as that in `original` (§12.2).

    Nothing is compared if one of them is missing or cannot be read. `allow_changed_auth_time` accepts another
    `auth_time`, for servers that report the user's last authentication in any browser.
    """
    if renewed.id_token is None or original is None or original.id_token is None:
        return
    before, now = claims_of(original), claims_of(renewed)
    if before is not None and now is not None:
        from doorkey.oidc.core.agreement import check_renewed

        check_renewed(before, now, allow_changed_auth_time=allow_changed_auth_time)


@hides_locals
def _read(token: Secret) -> Mapping[str, Any] | None:
    from doorkey.jose.compact import unsafe_claims

    text = token.reveal()
    if text.count(".") == 4:  # only its own client can decrypt it
        return None
    try:
        return unsafe_claims(f"{text}AA" if text.endswith(".") else text)
    except VerificationError:
        return None  # not a JWT, because a server without a known issuer may send any text as an ID token
