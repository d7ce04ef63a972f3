"""The grants of the token endpoint: one file and one line each.

A grant is a flow `(form, client, at) -> token response`. The endpoint has authenticated the client. The grant checks
whether that client may use it, because this error differs between grants.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from doorkey.protocol.grants import DEVICE_CODE, JWT_BEARER, TOKEN_EXCHANGE
from doorkey.server.context import At
from doorkey.server.grants.authorization_code import exchange_code
from doorkey.server.grants.client_credentials import grant_to_client
from doorkey.server.grants.device_code import grant_by_device
from doorkey.server.grants.jwt_bearer import grant_by_assertion
from doorkey.server.grants.password import grant_by_password
from doorkey.server.grants.refresh_token import refresh
from doorkey.server.grants.token_exchange import exchange_token
from doorkey.server.registrations import AUTHORIZATION_CODE, CLIENT_CREDENTIALS, PASSWORD, REFRESH_TOKEN, Client
from doorkey.server.responses.parameters import Parameters
from doorkey.wire.flow import Flow


class GrantHandler(Protocol):
    """The interface of a grant."""

    def __call__(self, form: Parameters, client: Client, at: At, /) -> Flow[dict[str, Any]]:
        """Return the members of the token response, or raise the `ServerError` for the client."""
        ...


GRANTS: Mapping[str, GrantHandler] = {
    AUTHORIZATION_CODE: exchange_code,
    REFRESH_TOKEN: refresh,
    PASSWORD: grant_by_password,
    CLIENT_CREDENTIALS: grant_to_client,
    TOKEN_EXCHANGE: exchange_token,
    JWT_BEARER: grant_by_assertion,
    DEVICE_CODE: grant_by_device,
}

WITHOUT_CONSENT_PAGE = frozenset({PASSWORD, TOKEN_EXCHANGE, JWT_BEARER})
"""The grants by which a client acts for a user without a page that could ask for consent."""

MAY_REPEAT: Mapping[str, tuple[str, ...]] = {TOKEN_EXCHANGE: ("audience", "resource")}
"""The parameters of a grant that may be sent more than once (RFC 8693 §2.1)."""
