"""The keyword options of a vault's clients as types (PEP 692), for type checkers and editors.

They omit the options that the vault decides. A test keeps them equal to the real options.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from doorkey.integrations.httpx_client.option_types import ClientSettings
from doorkey.integrations.requests_client.option_types import RequestsSettings
from doorkey.protocol.client_identity import ClientAuthMethod
from doorkey.sessions.option_types import CommonOptions

if TYPE_CHECKING:
    import httpx2

AsyncTransport: TypeAlias = "httpx2.AsyncBaseTransport"


class SharedTokenOptions(CommonOptions, total=False):
    """The options of a session whose token belongs to a vault."""

    grant_type: str | None
    redirect_uri: str | None
    revocation_endpoint_auth_method: str | ClientAuthMethod | None
    state: str | None
    token_placement: str


class SessionOptions(SharedTokenOptions, RequestsSettings, total=False):
    """The options of an `OAuth2Session` of a `TokenVault`."""

    default_timeout: float | tuple[float, float] | None


class AsyncClientOptions(SharedTokenOptions, ClientSettings[AsyncTransport], total=False):
    """The options of an `AsyncOAuth2Client` of an `AsyncTokenVault`."""
