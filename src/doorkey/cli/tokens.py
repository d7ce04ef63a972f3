"""The token of an account in the formats that commands print: alone, as JSON, or for kubectl."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from doorkey.cli.errors import CommandError, ExitStatus
from doorkey.cli.terminal import waiting
from doorkey.errors import VerificationError
from doorkey.runtime.clock import wall_time
from doorkey.wire.strict_json import JSONProblem, parse_object

if TYPE_CHECKING:
    from doorkey.cli.accounts import Account, Accounts
    from doorkey.tokens import OAuthToken
    from doorkey.values import Secret

__all__: list[str] = []

_API: Final = "client.authentication.k8s.io"
_VERSIONS: Final = (f"{_API}/v1", f"{_API}/v1beta1")


def current_token(accounts: Accounts, account: Account) -> OAuthToken:
    """Return a fresh token of the account. Show progress during a renewal. Raises the errors of `fresh_token`."""
    with waiting("renewing the token"):
        return accounts.fresh_token(account)


def with_id_token(accounts: Accounts, account: Account) -> tuple[OAuthToken, Secret, float | None]:
    """Return the token of the account, its ID token, and the expiry of the ID token in seconds since the epoch.

    The expiry is None if the ID token does not state it or is encrypted. The token is renewed if its ID token has
    expired. Raises `CommandError` if the account has no ID token, or the ID token has expired even after the renewal.
    """
    token = current_token(accounts, account)
    expires_at = _id_token_expiry(token)
    if token.id_token is not None and expires_at is not None and expires_at <= wall_time():
        with waiting("renewing the ID token"):
            token = accounts.fresh_token(account, instead_of=token)
        expires_at = _id_token_expiry(token)
    if token.id_token is None:
        raise CommandError(
            f"the account {account.name!r} has no ID token: log in again with --scope 'openid …'",
            ExitStatus.NOT_LOGGED_IN,
        )
    if expires_at is not None and expires_at <= wall_time():
        raise CommandError(
            f"the ID token of the account {account.name!r} has expired, and this server does not renew ID tokens: "
            "log in again",
            ExitStatus.NOT_LOGGED_IN,
        )
    return token, token.id_token, expires_at


def _id_token_expiry(token: OAuthToken) -> float | None:
    from doorkey.jose.compact import unsafe_claims

    if token.id_token is None:
        return None
    try:
        # the ID token was verified at the login or the renewal; only its expiry is read here
        claims = unsafe_claims(token.id_token.reveal())
    except VerificationError:  # an encrypted ID token
        return None
    expires_at = claims.get("exp")
    return expires_at if isinstance(expires_at, int | float) else None


def as_json(token: OAuthToken) -> str:
    """Return the token as JSON for programs, without the refresh token, which must stay in the store."""
    members: dict[str, Any] = {"access_token": token.access_token.reveal(), "token_type": token.token_type}
    if token.expires_at is not None:
        members |= {"expires_at": round(token.expires_at), "expires": timestamp(token.expires_at)}
    if token.scope is not None:
        members["scope"] = str(token.scope)
    if token.id_token is not None:
        members["id_token"] = token.id_token.reveal()
    return json.dumps(members, indent=2)


def exec_credential(token: Secret, expires_at: float | None, environ: Mapping[str, str]) -> str:
    """Return the JSON object that kubectl reads from a credential plugin (client.authentication.k8s.io).

    token: the access token or the ID token, whichever the cluster requires.
    expires_at: when the token expires, in seconds since the epoch. kubectl caches the token until then; None: until
        kubectl ends.
    environ: the environment variables. `KUBERNETES_EXEC_INFO` has the API version, which the response must repeat.
    """
    status = {"token": token.reveal()}
    if expires_at is not None:
        status["expirationTimestamp"] = timestamp(expires_at)
    return json.dumps({"apiVersion": _requested_version(environ), "kind": "ExecCredential", "status": status})


def _requested_version(environ: Mapping[str, str]) -> str:
    try:
        version = parse_object(environ.get("KUBERNETES_EXEC_INFO", "{}").encode("utf-8", "surrogateescape")).get(
            "apiVersion"
        )
    except JSONProblem:
        version = None
    return next((known for known in _VERSIONS if known == version), _VERSIONS[0])


def timestamp(moment: float) -> str:
    """Return the time `moment`, in seconds since the epoch, in the format of RFC 3339, in UTC and rounded down."""
    return datetime.fromtimestamp(moment // 1, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
