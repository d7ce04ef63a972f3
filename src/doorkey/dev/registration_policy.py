"""The settings for clients that register themselves, from the arguments of a provider."""

from __future__ import annotations

from doorkey.arguments import flag, nonempty_text
from doorkey.dev.client_documents import ClientDocuments
from doorkey.errors import UsageError
from doorkey.server.context import RegistrationPolicy
from doorkey.values import Secret, hides_locals


@hides_locals
def registration_policy(
    enabled: bool | None, token: str | Secret | None, *, by_default: bool
) -> RegistrationPolicy | None:
    """Return the settings for clients that register themselves, or None if they cannot.

    enabled: True, False, or None for the default.
    token: the initial access token, or None. With a token, the default is True.
    by_default: the default without a token.

    Raises `UsageError` for a value of the wrong type, and for a token if `enabled` is False.
    """
    if enabled is not None:
        flag(enabled, "registration")
    if token is not None and enabled is False:
        raise UsageError("initial_access_token has no effect with registration=False: remove one of them")
    if enabled is False or (enabled is None and token is None and not by_default):
        return None
    secret = None
    if token is not None:
        secret = Secret(nonempty_text(token.reveal() if isinstance(token, Secret) else token, "initial_access_token"))
    return RegistrationPolicy(secret, has_documents=ClientDocuments.can_be_fetched())
