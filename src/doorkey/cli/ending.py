"""The end of a login at its server: revocation (RFC 7009), and the logout page (OpenID Connect RP-Initiated Logout)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from doorkey.cli.accounts import Account
    from doorkey.vault.entry import Entry

__all__: list[str] = []


def revoke(account: Account, entry: Entry | None) -> bool:
    """Revoke the refresh token of the account, or its access token if it has none; whether the server offers that.

    entry: the token; None: there is nothing to revoke.

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
    """Return the URL that ends the session of the user in the browser; None if the server has no such page.

    It names the client and has no ID token, because it is printed: the server asks the user to confirm (§2).

    Raises the errors of the server and of the network.
    """
    from doorkey.protocol.logout import logout_url
    from doorkey.sources import Issuer

    with Issuer(account.issuer) as issuer:
        endpoint = issuer.metadata().end_session_endpoint
    return None if endpoint is None else logout_url(endpoint, (("client_id", account.client_id),))
