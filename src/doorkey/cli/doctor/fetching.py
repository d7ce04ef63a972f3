"""The requests of an audit: documents, endpoints and the TLS connection. Each outcome is a value, a failure too."""

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
    """The outcome of one request: a `response`, or the `error` in place of one.

    url: of the request. at: when the response came, in seconds since the epoch.
    """

    url: str
    response: Response | None = None
    error: OAuthError | None = None

    @property
    def status(self) -> int | None:
        """The HTTP status, also of a response that was rejected; None if there is no response."""
        if self.response is not None:
            return self.response.status
        status: object = getattr(self.error, "status", None)
        return status if isinstance(status, int) else None

    @property
    def is_redirect(self) -> bool:
        """Whether the server redirects."""
        return self.status is not None and 300 <= self.status < 400


def fetched(request: Request) -> Flow[Fetched]:
    """Return the outcome of a request; an error of the exchange is an outcome too."""
    try:
        response = yield from request
    except OAuthError as error:
        return Fetched(request.url, error=error)
    return Fetched(request.url, response)


def document_of(outcome: Fetched, what: str) -> tuple[dict[str, Any] | None, str]:
    """Return the JSON object of an outcome, or None and why there is none. `what` names the document."""
    if outcome.response is None:
        return None, str(outcome.error)
    try:
        return json_answer(outcome.response, what), ""
    except OAuthError as error:
        return None, error.description or str(error)


def metadata_of(outcome: Fetched) -> tuple[dict[str, Any] | None, str]:
    """Return the metadata of an authorization server in an outcome, or None and why it is none."""
    members, problem = document_of(outcome, "metadata")
    if members is not None and not members.keys() & _METADATA:
        return None, "it is a JSON object without any member of metadata"
    return members, problem


@dataclass(frozen=True, slots=True)
class Connection:
    """What is known about the TLS connection to a server.

    version: of TLS; None if there is no connection.
    expires: when the certificate expires, in seconds since the epoch; None if it could not be read.
    names: the names that the certificate is for.
    problem: why the certificate was not accepted, or why there is no connection; empty if all is well.
    """

    version: str | None = None
    expires: float | None = None
    names: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Connect(Effect[Connection]):
    """The effect that returns the facts about a TLS connection to `host` and `port`."""

    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Place:
    """A well-known place, and what was found there: the members of the metadata, or why there are none."""

    outcome: Fetched
    members: Mapping[str, Any] | None = field(repr=False)
    problem: str = ""

    @property
    def is_absent(self) -> bool:
        """Whether the server has nothing at this place."""
        return self.outcome.status in (404, 405, 410)
