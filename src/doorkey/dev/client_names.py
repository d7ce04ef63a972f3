"""The names of clients on pages (RFC 7591 §2, `client_name`).

A client that registered itself chose its own name, so a name alone proves nothing. A page always shows the ID too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from doorkey.errors import printable
from doorkey.pages.markup import Html, fill
from doorkey.server.endpoints.account import Account
from doorkey.server.endpoints.consent import ConsentNeeded
from doorkey.server.endpoints.device_question import DeviceQuestion
from doorkey.server.endpoints.login import LoginNeeded
from doorkey.server.storage.effects import FindClient
from doorkey.wire.flow import Flow

MAX_NAME = 60
"""The limit for a name on a page, in characters."""


class ClientNames:
    """The names of the clients of a page, by client ID. A client without a name is shown by its ID."""

    def __init__(self, names: Mapping[str, str] | None = None) -> None:
        self._names = names or {}

    def title(self, client_id: str) -> str:
        """Return the name of a client, or its ID, for a heading. The page must show the ID elsewhere."""
        return self._names.get(client_id, client_id)

    def marked(self, client_id: str) -> Html:
        """Return the name and the ID of a client as HTML."""
        name = self._names.get(client_id)
        if name is None:
            return fill("<strong>{id}</strong>", id=client_id)
        return fill("<strong>{name}</strong> (client ID <code>{id}</code>)", name=name, id=client_id)

    def text(self, client_id: str) -> str:
        """Return the name and the ID of a client as text."""
        name = self._names.get(client_id)
        return client_id if name is None else f"{name} ({client_id})"


def names_on(outcome: object) -> Flow[ClientNames]:
    """Return the names of the clients that the page for `outcome` shows."""
    names: dict[str, str] = {}
    for client_id in dict.fromkeys(_clients_on(outcome)):
        client = yield from FindClient(client_id)
        if client is not None and (name := shown_name(client.client_name)):
            names[client_id] = name
    return ClientNames(names)


def shown_name(name: str | None) -> str:
    """Return `name` on one line, with at most `MAX_NAME` characters and with invisible characters escaped."""
    return printable(" ".join((name or "").split()), MAX_NAME)


def _clients_on(outcome: object) -> Iterable[str]:
    match outcome:
        case LoginNeeded(client_id=str(client_id)) | ConsentNeeded(client_id=client_id):
            yield client_id
        case DeviceQuestion(client_id=client_id):
            yield client_id
        case Account(current=current, others=others, consents=consents):
            yield from (grant.client_id for session in (current, *others) for grant in session.grants)
            yield from (consent.client_id for consent in consents)
        case _:
            pass
