"""Sessions of many users at one registration: each has its own token, and all share connections, metadata and keys.

Constructing a session validates its options, builds a connection pool and forgets what other sessions have fetched.
A sibling takes over all of that, so it is cheap enough for each request of a web application.
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

    It sends requests through the connections of `origin`, which closing it leaves open. The two share the metadata and
    keys of the server, and know the same finished logins. `given` are options that differ. With `shared`, its token is
    that of a vault. Raises `UsageError` for the session of a vault, and for an invalid option.
    """
    core = origin._oauth
    if core.is_shared:
        raise UsageError("the token of a vault's session is the vault's: ask the vault for another client")
    refuse_unknown(given or (), OWN_OPTIONS)
    options = changed(core.options, given, blocking=origin._blocking) if given else core.options
    session = object.__new__(type(origin))
    core.library.share_pool(session, origin)
    if shared is not None:
        session._shared = shared
    set_up(session, options, core.library, token_given(token, options), core)
    session._sign()
    return session
