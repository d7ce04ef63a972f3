"""The session from which the sessions of all users get their options, connections, metadata and keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from doorkey.arguments import instance
from doorkey.errors import UsageError
from doorkey.integrations.base_client.session_classes import default_session_class, session_class_of
from doorkey.sessions.options import OWN_OPTIONS
from doorkey.transport.forked_pools import empty_in_children
from doorkey.transport.httpx_or_httpx2 import library
from doorkey.transport.shared_pool import NO_TRANSPORT, wide_pool, widen_adapters

_KINDS: Final = "client_cls must be a session class, or the class of requests.Session or of a client of httpx2 or httpx"


def origin_session(options: Mapping[str, Any], client_cls: Any, http_client: Any, *, blocking: bool) -> Any:
    """Return a session without a token, with these `options`, through the connections of `http_client` if it is given.

    client_cls: a session class, or the class of a plain HTTP client.

    Raises `UsageError`.
    """
    kind = _class_of(client_cls, http_client, blocking=blocking)
    is_httpx = hasattr(kind, "_transport_for_url")
    if http_client is None:
        session = kind(**wide_pool(kind._lib, options)) if is_httpx else kind(**options)
        if not is_httpx:
            widen_adapters(session)
        return session
    if foreign := sorted(options.keys() - OWN_OPTIONS):
        raise UsageError(f"{foreign[0]} is an option of the HTTP client: set it when you create http_client")
    session = kind(**options, transport=NO_TRANSPORT) if is_httpx else kind(**options)
    session._oauth.library.share_pool(session, http_client)
    empty_in_children(http_client)
    session._sign()
    return session


def _class_of(client_cls: Any, http_client: Any, *, blocking: bool) -> Any:
    """Return the session class. Raises `UsageError` for an unsupported class, and for a class of the other kind.

    blocking: whether the login client is synchronous, so that the session class must be, too.
    """
    given = client_cls
    if given is None and http_client is None:
        given = default_session_class() if blocking else library().AsyncClient
    bases: tuple[type, ...] = type(http_client).__mro__ if given is None else (instance(given, type, _KINDS),)
    found: Any = next((one for base in bases if (one := session_class_of(base)) is not None), None)
    if found is None:
        name = type(http_client).__name__ if given is None else given.__name__
        raise UsageError(f"{_KINDS}, not {name}")
    if found._blocking is not blocking:
        raise UsageError(
            "LoginClient needs a synchronous HTTP client, and AsyncLoginClient an asynchronous HTTP client"
        )
    return found
