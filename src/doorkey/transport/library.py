"""The functions of an HTTP library that a session needs."""

from __future__ import annotations

import json
from typing import Any, Protocol

from doorkey.arguments import function
from doorkey.errors import UsageError
from doorkey.protocol.client_identity import ClientAuthMethod
from doorkey.wire.messages import Request, Response


class Library(Protocol):
    """The functions of one HTTP library that the session core needs.

    `call_options` are the keyword arguments of the library's calls that token requests accept too. `refused_options`
    are those that would break the bounds of the exchange.
    """

    call_options: frozenset[str]
    refused_options: frozenset[str]

    def native_response(self, response: Response, request: Request) -> Any:
        """Return the library's own response object, for a user's hook.

        response: the response that was read.
        request: the request of this response.
        """
        ...

    def plain_response(self, native: Any) -> Response:
        """Convert the library's own response object, which a hook returned."""
        ...

    def client_auth(self, auth: object) -> ClientAuthMethod:
        """Return the method for an `auth=` value: the library's auth object, a (name, password) pair, or a callable."""
        ...

    def share_pool(self, session: Any, other: Any) -> None:
        """Initialize `session` as a client with the settings and connections of `other`, and with its own cookies."""
        ...


def body_of(native: Any, content: bytes) -> bytes:
    """Return the body of a response after the hooks: `content`, or the result of a `json` method that a hook has set.

    Hooks that repair a response set ``response.json = lambda: token``. Raises `UsageError` if that is not callable, or
    returns a value that cannot be encoded as JSON.
    """
    json_method: Any = native.__dict__.get("json")
    if json_method is None:
        return content
    function(json_method, "the json that a response hook sets must be a callable")
    value: Any = json_method()
    try:
        return json.dumps(value, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        raise UsageError("the json() that a response hook sets must return a value that JSON can encode") from None
