"""The client credentials grant (RFC 6749 §4.4)."""

from __future__ import annotations

from typing import Any

from doorkey.errors import UnauthorizedClient
from doorkey.server.clients.scopes import granted_scope
from doorkey.server.context import At
from doorkey.server.registrations import CLIENT_CREDENTIALS, Client
from doorkey.server.responses.parameters import Parameters
from doorkey.server.tokens.claims import service_account
from doorkey.server.tokens.id_tokens import id_token_for
from doorkey.server.tokens.issuing import access_token_for, bare_answer
from doorkey.wire.flow import Flow


def grant_to_client(form: Parameters, client: Client, at: At) -> Flow[dict[str, Any]]:
    """Return the token response for a client's own account. Raises `UnauthorizedClient` or `InvalidScope`."""
    yield from ()  # a flow like the others, although it has no storage effect
    if client.is_public:
        raise UnauthorizedClient(description="Public client not allowed to retrieve service account", status=401)
    if CLIENT_CREDENTIALS not in client.grants:
        raise UnauthorizedClient(description="Client not enabled to retrieve service account", status=401)
    scope = granted_scope(client, form.get("scope"))
    account = service_account(client)
    about: dict[str, Any] = {**account, "client_id": client.client_id, "realm_access": {"roles": []}}
    token = access_token_for(at, client, scope, about)
    id_token = id_token_for(at, client, account, access_token=token) if "openid" in scope else None
    return bare_answer(at, token, scope, id_token=id_token)
