"""The end of a login at its server: revocation (RFC 7009), the logout page (OpenID Connect RP-Initiated Logout), and
the deletion of a client that was registered for it (RFC 7592)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doorkey.cli.terminal import note, waiting

if TYPE_CHECKING:
    from doorkey.cli.accounts import Account, Book
    from doorkey.vault.entry import Entry

__all__: list[str] = []

DELETION_DEADLINE: Final = 5.0
"""Seconds for the deletion of a client. It is short because the user waits for it at the end of a logout."""


def revoke(account: Account, entry: Entry | None) -> bool:
    """Revoke the refresh token of the account, or its access token if it has no refresh token (RFC 7009 §2.1).

    entry: the token; None means that there is nothing to revoke.

    Return False if the server has no revocation endpoint.

    Raises the errors of the server and of the network.
    """
    from doorkey.integrations.httpx_client import OAuth2Client
    from doorkey.sources import Issuer

    if entry is None:
        return True
    with Issuer(account.issuer) as issuer:
        metadata = issuer.metadata()
    if metadata.revocation_endpoint is None:
        return False
    secret = account.client_secret.reveal() if account.client_secret else None
    with OAuth2Client(account.client_id, secret, metadata=metadata, token=entry.token.to_dict()) as client:
        client.revoke_token()
    return True


def logout_page(account: Account) -> str | None:
    """Return the URL of the logout page, which ends the user's session in the browser; None if the server has no page.

    The URL has the client ID, and no ID token because it is printed. So the server asks the user to confirm the logout
    (OpenID Connect RP-Initiated Logout §2).

    Raises the errors of the server and of the network.
    """
    from doorkey.protocol.logout import logout_url
    from doorkey.sources import Issuer

    with Issuer(account.issuer) as issuer:
        endpoint = issuer.metadata().end_session_endpoint
    return None if endpoint is None else logout_url(endpoint, (("client_id", account.client_id),))


def delete_registration(account: Account, left: Book) -> None:
    """Delete the client that a login registered for `account` at its server, unless another account uses it.

    left: the remaining accounts. The caller has already removed `account`, and with it the stored token that can delete
        the client.

    A failure is printed and not raised, because the login has ended on this machine in any case (RFC 7592 §2.3).
    """
    from doorkey.errors import OAuthError
    from doorkey.registration import RegisteredClient, delete_client
    from doorkey.wire.limits import ExchangePolicy

    client = (account.issuer, account.client_id)
    if account.registration_uri is None or client in {(one.issuer, one.client_id) for one in left.accounts.values()}:
        return
    try:
        registered = RegisteredClient(
            client_id=account.client_id,
            registration_client_uri=account.registration_uri,
            registration_access_token=account.registration_token,
            issuer=account.issuer,
        )
        with waiting("deleting the client that was registered for the login"):
            delete_client(registered, exchange=ExchangePolicy(deadline=DELETION_DEADLINE))
    except OAuthError as error:
        note(f"The client {account.client_id}, which the login registered, could not be deleted: {error}.")
    except KeyboardInterrupt:
        note(f"The client {account.client_id}, which the login registered, was not deleted.")
        raise
