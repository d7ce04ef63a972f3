"""Convert the transaction of a login to the data in the browser session, and back.

The data must be small, because it may be stored in a cookie. So it contains neither members with default values nor the
URL of the authorization request, which is not needed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from doorkey.errors import UsageError
from doorkey.protocol.authorization import AuthorizationTransaction
from doorkey.values import hides_locals

REGISTRATION: Final = "registration"
"""The member with the ID of the registered client's set of values with which the login began."""

_DEFAULTS: Final[Mapping[str, Any]] = {"response_type": "code", "response_mode": "query"}
_NOT_STORED: Final = ("url", "state", "expires_at", "redirect_uri")
_ANY_URL: Final = "about:blank"  # a placeholder, because the request has already been sent


def data_of(transaction: AuthorizationTransaction, registration: str) -> dict[str, Any]:
    """Return the data that is needed to finish the login of `transaction`, without its state and redirect URI."""
    members = {name: value for name, value in transaction.to_dict().items() if name not in _NOT_STORED}
    stored = {name: value for name, value in members.items() if value and value != _DEFAULTS.get(name)}
    if transaction.max_age is not None:
        stored["max_age"] = transaction.max_age
    return {**stored, REGISTRATION: registration}


@hides_locals
def transaction_of(data: Mapping[str, Any], state: str, expires_at: float) -> AuthorizationTransaction | None:
    """Return the transaction from the result of `data_of`. It expires at `expires_at`, in seconds since the epoch.

    Return None for incomplete data. A program stores such data if it creates the authorization request itself.
    """
    try:
        return AuthorizationTransaction.from_dict(
            {**_DEFAULTS, **data, "url": _ANY_URL, "state": state, "expires_at": expires_at}
        )
    except UsageError:
        return None
