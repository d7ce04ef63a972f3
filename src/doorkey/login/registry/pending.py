"""A login of a registered client in the browser session: from the transaction to its data, and back.

The data is small, because it may be stored in a cookie: members with their usual values are not stored, and the URL of
the authorization request is not needed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from doorkey.errors import UsageError
from doorkey.protocol.authorization import AuthorizationTransaction
from doorkey.values import hides_locals

REGISTRATION: Final = "registration"
"""The member that names the values of the registered client with which the login began."""

_USUAL: Final[Mapping[str, Any]] = {"response_type": "code", "response_mode": "query"}
_NOT_STORED: Final = ("url", "state", "expires_at", "redirect_uri")
_ANY_URL: Final = "about:blank"  # of the request, which has been sent


def data_of(transaction: AuthorizationTransaction, registration: str) -> dict[str, Any]:
    """Return what finishing the login of `transaction` needs, without its state and its redirect URI."""
    members = {name: value for name, value in transaction.to_dict().items() if name not in _NOT_STORED}
    stored = {name: value for name, value in members.items() if value and value != _USUAL.get(name)}
    if transaction.max_age is not None:
        stored["max_age"] = transaction.max_age
    return {**stored, REGISTRATION: registration}


@hides_locals
def transaction_of(data: Mapping[str, Any], state: str, expires_at: float) -> AuthorizationTransaction | None:
    """Return the transaction that `data_of` described, which expires at `expires_at` in seconds since the epoch.

    None for data of a program that made the authorization request itself, with less in it than a transaction has.
    """
    try:
        return AuthorizationTransaction.from_dict(
            {**_USUAL, **data, "url": _ANY_URL, "state": state, "expires_at": expires_at}
        )
    except UsageError:
        return None
