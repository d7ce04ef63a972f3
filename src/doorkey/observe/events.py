"""`TokenEvent`: an event of a token's life, without secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias
from urllib.parse import urlsplit

from doorkey.errors import OAuthError, printable

Kind: TypeAlias = Literal["requested", "renewed", "waited", "rejected", "failed"]

MAX_LABEL: Final = 256
"""The maximum number of characters of a client ID, a server or a grant type in an event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEvent:
    """One event of a token's life.

    kind: `requested` (a token request is about to be made), `renewed` (the request returned a token), `failed` (the
        request failed or could not be made), `waited` (a caller waited for another caller's request) or `rejected` (an
        API rejected the current token).
    client_id: the client ID, printable and at most 256 characters.
    server: the issuer, else the token endpoint, without its query; at most 256 characters.
    grant_type: the grant type of the token request; None for the other events.
    duration: duration of the request or the wait in seconds; None for the other events, and if the timer failed.
    error: the stable code of an `OAuthError`, the class name of another exception, or `cancelled`; None without an
        error. A wait that was given up has an error too.
    """

    kind: Kind
    client_id: str
    server: str
    grant_type: str | None = None
    duration: float | None = None
    error: str | None = None

    @property
    def source(self) -> str:
        """The client and the authorization server of the token, as text."""
        return f"{self.client_id} at {self.server}"


def place_of(url: str | None) -> str:
    """Return the scheme, host, port and path of `url`, without the parts that may contain a secret."""
    try:
        parts = urlsplit(url or "")
        _ = parts.port  # Python validates the port when this property is read
    except ValueError:
        return "an unknown server"
    host = parts.netloc.rpartition("@")[2]
    return printable(f"{parts.scheme}://{host}{parts.path}", MAX_LABEL) if host else "an unknown server"


def code_of(error: BaseException) -> str:
    """Return a stable word for `error`, which is never a text of a server or a program."""
    if isinstance(error, OAuthError):
        return error.code
    return type(error).__name__ if isinstance(error, Exception) else "cancelled"
