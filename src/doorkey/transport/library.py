"""The functions of an HTTP library that a session needs."""

from __future__ import annotations

import json
from typing import Any, Protocol

from doorkey.arguments import function
from doorkey.errors import UsageError
from doorkey.protocol.client_identity import ClientAuthMethod
from doorkey.wire.messages import Request, Response


class Library(Protocol):
    """One HTTP library, seen from the core.

    `call_options` are keyword arguments of a call that the library takes for token requests too; `refused_options` are
    those that would undo the bounds of the exchange.
    """

    call_options: frozenset[str]
    refused_options: frozenset[str]

    def native_response(self, response: Response, request: Request) -> Any:
        """Return the library's own response object, for a user's hook.

        response: as it was read.
        request: the one that it answers.
        """
        ...

    def plain_response(self, native: Any) -> Response:
        """Return the result of a hook that gets the library's own response object."""
        ...

    def client_auth(self, auth: object) -> ClientAuthMethod:
        """Return the client authentication method of an `auth=` value: the library's own, a pair, or a callable."""
        ...

    def share_pool(self, session: Any, other: Any) -> None:
        """Initialize `session` as a client with the settings and connections of `other`, and with its own cookies."""
        ...


def body_of(native: Any, content: bytes) -> bytes:
    """Return the body of a response after the hooks: `content`, or the result of a `json` that a hook has set.

    ``response.json = lambda: token`` is how hooks are written that mend an answer. Raises `UsageError` if it cannot be
    called, or returns a value that is not JSON.
    """
    mended: Any = native.__dict__.get("json")
    if mended is None:
        return content
    function(mended, "the json that a response hook sets is a callable")
    said: Any = mended()
    try:
        return json.dumps(said, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        raise UsageError("the json() that a response hook sets returns what JSON can hold") from None
