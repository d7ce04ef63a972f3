"""Converts `auth=` of a token request into a client authentication method."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, cast

from doorkey.errors import UsageError
from doorkey.protocol.client_auth import client_secret_basic
from doorkey.protocol.client_identity import ClientAuthMethod, ClientIdentity, Headers, Signed
from doorkey.values import Secret


def basic_pair(user: str, password: str) -> ClientAuthMethod:
    """Return the method that sends HTTP Basic with this name and password instead of the session's.

    user, password: text. Both are form-encoded, like a client's ID and secret (RFC 6749 §2.3.1).
    """
    secret = Secret(password)

    def pair(client: ClientIdentity, method: str, uri: str, headers: Headers, body: str) -> Signed:
        other = ClientIdentity(user, secret, client.audience, client.now)
        return client_secret_basic(other, method, uri, headers, body)

    return pair


def client_auth_of(
    auth: object, is_native: Callable[[object], bool], wrap: Callable[[Any], ClientAuthMethod]
) -> ClientAuthMethod:
    """Return the client authentication method for an `auth=` value. Raises `UsageError` for an invalid value.

    auth: a (name, password) pair, an auth object of the HTTP library, or a callable. A callable of one argument counts
        as an auth object of the library, as in requests and httpx; any other is the method itself.
    is_native: returns whether a value is an auth object of the library.
    wrap: converts such an object to a method.
    """
    match auth:
        case (str(user), str(password)):
            return basic_pair(user, password)
        case _ if is_native(auth) or (callable(auth) and _takes_one(auth)):
            return wrap(auth)
        case _ if callable(auth):
            return cast("ClientAuthMethod", auth)
        case _:
            raise UsageError(
                f"auth is a {type(auth).__name__}: give the name of a client authentication method, a (name, password) "
                "pair, the HTTP library's own auth, or a callable (client, method, uri, headers, body)"
            )


def _takes_one(auth: Callable[..., Any]) -> bool:
    try:
        parameters = inspect.signature(auth).parameters.values()
    except (TypeError, ValueError):
        return False
    needed = [p for p in parameters if p.default is p.empty and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    return len(needed) == 1
