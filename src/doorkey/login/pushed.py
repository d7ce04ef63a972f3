"""The URL to which a login sends the browser: the extension point for pushed authorization requests (RFC 9126)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from doorkey.errors import UsageError
from doorkey.wire.flow import Flow

if TYPE_CHECKING:
    from doorkey.protocol.authorization import AuthorizationTransaction
    from doorkey.sessions.core import SessionCore

_PUSHED: Final = "require_pushed_authorization_requests"


def request_url(core: SessionCore, transaction: AuthorizationTransaction) -> Flow[str]:
    """Return the URL of the authorization request of `transaction`, at the server of the session's `core`.

    A server may require a pushed authorization request first. Sending it will be part of this flow. Until then, the
    flow raises `UsageError` for such a server.
    """
    yield from ()
    if core.options.metadata.extra.get(_PUSHED) is True:
        raise UsageError(
            "this server accepts only pushed authorization requests (RFC 9126), which doorkey does not send yet: "
            f"turn off {_PUSHED} for this client at the server"
        )
    return transaction.url
