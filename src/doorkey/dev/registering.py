"""Whether clients may register themselves at a provider, from its arguments."""

from __future__ import annotations

from doorkey.arguments import flag, named
from doorkey.dev.client_documents import ClientDocuments
from doorkey.errors import UsageError
from doorkey.server.context import Registering
from doorkey.values import Secret, hides_locals


@hides_locals
def registering(asked: bool | None, token: str | Secret | None, *, by_default: bool) -> Registering | None:
    """Return how clients register themselves, or None where they do not.

    asked: True, False, or None for the default. token: the initial access token, or None.

    Raises `UsageError` for a value of another type, and for a token where registration is off.
    """
    if asked is not None:
        flag(asked, "registration")
    if token is not None and asked is False:
        raise UsageError("initial_access_token is for clients that register themselves: registration is False")
    if asked is False or (asked is None and token is None and not by_default):
        return None
    secret = None
    if token is not None:
        secret = Secret(named(token.reveal() if isinstance(token, Secret) else token, "initial_access_token"))
    return Registering(secret, has_documents=ClientDocuments.can_be_fetched())
