"""Renewed tokens and the login that they belong to (OpenID Connect Core §12.2), for sessions, sources and vaults.

Theory of operation. The server that answers a renewal may have used up the refresh token that was presented, and so the
one that it returns must not be lost. If the ID token of the response is refused, for instance because it cannot be
verified now or because it names another authentication of the same user, the new refresh token is kept, and nothing
else of the response is used. If it is another login's, nothing of the response is kept.
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
"""Claims whose failure means that a token was issued for another login, not that it cannot be verified now."""

# What reads tokens is imported for a token that has an ID token: a program that only gets access tokens never waits.


def claims_of(token: OAuthToken) -> Mapping[str, Any] | None:
    """Return the claims of the ID token of a login; None without one, and for one that is encrypted.

    A stored token has no verified claims any more. Its ID token was verified before it was stored, and it is read as it
    is, as the program's own data.
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
    """Return what `checked`, the check of the ID token of `renewed`, returns.

    If the check fails or is interrupted, `keep` is given the refresh token that replaced that of `original`. Raises the
    error of the check.
    """
    try:
        return (yield from checked)
    except GeneratorExit:  # a flow that is closed cannot have anything saved
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
    """Return `renewed`, with the ID token of the `original` if the response had none: the login is the same.

    Raises `VerificationError` as `check_same_login`.
    """
    yield from ()  # a check that asks for nothing
    if renewed.id_token is not None:
        check_same_login(renewed, original, allow_changed_auth_time=allow_changed_auth_time)
        return renewed
    if original is None or original.id_token is None:
        return renewed
    return replace(renewed, id_token=original.id_token, id_token_claims=original.id_token_claims)


def check_same_login(
    renewed: OAuthToken, original: OAuthToken | None, *, allow_changed_auth_time: bool = False
) -> None:
    """Raise `VerificationError` if a `renewed` ID token differs from that of the `original` token (§12.2).

    If one of them is not known, there is nothing to compare. `allow_changed_auth_time` is for servers that state the
    last authentication of the user in any browser.
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
        return None  # not a JWT: an issuer that is not known may call anything an ID token
