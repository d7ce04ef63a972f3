"""The requests of an audit: documents, endpoints and the TLS connection. Every outcome is a value, even a failure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from doorkey.errors import OAuthError
from doorkey.wire.flow import Effect, Flow
from doorkey.wire.messages import Request, Response
from doorkey.wire.responses import json_answer

_METADATA: Final = frozenset({"issuer", "authorization_endpoint", "token_endpoint", "jwks_uri"})


@dataclass(frozen=True, slots=True)
class Fetched:
    """The outcome of one request.

    url: the URL of the request.
    response: the response; None if there was an error.
    error: the error; None if there is a response.
    """

    url: str
    response: Response | None = None
    error: OAuthError | None = None

    @property
    def status(self) -> int | None:
        """The HTTP status; None if there is no response. An error about a rejected response also has its status."""
        if self.response is not None:
            return self.response.status
        status: object = getattr(self.error, "status", None)
        return status if isinstance(status, int) else None

    @property
    def is_redirect(self) -> bool:
        """Whether the response is a redirect."""
        return self.status is not None and 300 <= self.status < 400


def fetched(request: Request) -> Flow[Fetched]:
    """Send `request`, and return its outcome. An error of the exchange is not raised, but returned."""
    try:
        response = yield from request
    except OAuthError as error:
        return Fetched(request.url, error=error)
    return Fetched(request.url, response)


def document_of(outcome: Fetched, what: str) -> tuple[dict[str, Any] | None, str]:
    """Return the JSON object of a response, or None and the problem. `what` names the document in the problem."""
    if outcome.response is None:
        return None, str(outcome.error)
    try:
        return json_answer(outcome.response, what), ""
    except OAuthError as error:
        return None, error.description or str(error)


def metadata_of(outcome: Fetched) -> tuple[dict[str, Any] | None, str]:
    """Return the metadata of an authorization server in a response, or None and the problem."""
    members, problem = document_of(outcome, "metadata")
    if members is not None and not members.keys() & _METADATA:
        return None, "it is a JSON object without any member of metadata"
    return members, problem


@dataclass(frozen=True, slots=True)
class Connection:
    """The facts about the TLS connection to a server.

    version: the TLS version; None if there is no connection.
    expires: when the certificate expires, in seconds since the epoch; None if it could not be read.
    problem: why the certificate was rejected, or why there is no connection; empty without a problem.
    """

    version: str | None = None
    expires: float | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Connect(Effect[Connection]):
    """The effect that returns the facts about a TLS connection to `host` and `port`."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Place:
    """The result of a request to a well-known URL.

    outcome: the outcome of the request.
    members: the members of the metadata, or None.
    problem: the reason if there are no members.
    """

    outcome: Fetched
    members: Mapping[str, Any] | None = field(repr=False)
    problem: str = ""

    @property
    def is_absent(self) -> bool:
        """Whether the server has no document at this URL."""
        return self.outcome.status in (404, 405, 410)
