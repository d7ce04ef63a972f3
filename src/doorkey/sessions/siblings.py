"""Sessions of many users with one client registration. Each has its own token; all share connections and documents.

A new session validates its options, creates a connection pool, and fetches metadata and keys itself. A sibling takes
all of these from its origin, so it is cheap enough for each request of a web application.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from doorkey.errors import UsageError
from doorkey.sessions.client import OAuth2Client
from doorkey.sessions.options import OWN_OPTIONS, changed, refuse_unknown, token_given
from doorkey.sessions.shared_token import SharedToken, set_up

if TYPE_CHECKING:
    from doorkey.tokens import OAuthToken

SessionT = TypeVar("SessionT", bound=OAuth2Client)


def sibling_of(
    origin: SessionT,
    token: Mapping[str, Any] | OAuthToken | None = None,
    given: Mapping[str, Any] | None = None,
    shared: SharedToken | None = None,
) -> SessionT:
    """Return a session of the class and with the options of `origin`, and with its own token and cookies.

    It sends requests through the connections of `origin`. Closing it leaves them open. Both share the metadata and keys
    of the server, and the record of pending and finished logins.

    given: options that differ from those of `origin`.
    shared: the token of a vault, in place of `token`.

    Raises `UsageError` for the session of a vault, and for an invalid option.
    """
    core = origin._oauth
    if core.is_shared:
        raise UsageError("this session's token belongs to a vault: get another client from the vault")
    refuse_unknown(given or (), OWN_OPTIONS)
    options = changed(core.options, given, blocking=origin._blocking) if given else core.options
    session = object.__new__(type(origin))
    core.library.share_pool(session, origin)
    if shared is not None:
        session._shared = shared
    set_up(session, options, core.library, token_given(token, options), core)
    session._sign()
    return session
