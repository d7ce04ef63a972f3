"""Renewed tokens and the login that they belong to (OpenID Connect Core §12.2), for sessions, sources and vaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from doorkey.errors import VerificationError
from doorkey.tokens import OAuthToken
from doorkey.values import Secret, hides_locals

__all__: list[str] = []

# What reads tokens is imported for a token that has an ID token: a program that only gets access tokens never waits.


def claims_of(token: OAuthToken) -> Mapping[str, Any] | None:
    """Return the claims of the ID token of a login; None without one, and for one that is encrypted.

    A stored token has no verified claims any more. Its ID token was verified before it was stored, and it is read as it
    is, as the program's own data.
    """
    if token.id_token_claims is not None or token.id_token is None:
        return token.id_token_claims
    return _read(token.id_token)


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


def with_id_token_of(renewed: OAuthToken, original: OAuthToken | None) -> OAuthToken:
    """Return `renewed` with the ID token of the `original` if the response had none: the login is the same."""
    if renewed.id_token is not None or original is None or original.id_token is None:
        return renewed
    return replace(renewed, id_token=original.id_token, id_token_claims=original.id_token_claims)


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
