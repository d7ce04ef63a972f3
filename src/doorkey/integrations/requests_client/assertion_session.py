"""`AssertionSession`: a `requests.Session` for a service account, which gets its token by signed assertions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from doorkey.integrations.requests_client.oauth2_session import OAuth2Session
from doorkey.sessions.assertion import AssertionClient


class AssertionSession(AssertionClient, OAuth2Session):
    """The session on requests."""

    __doc__ = AssertionClient.__doc__

    def __init__(  # `default_timeout` stands where the programs of users have it
        self,
        token_endpoint: str | None = None,
        issuer: str | None = None,
        subject: str | None = None,
        audience: str | None = None,
        grant_type: str | None = None,
        claims: Mapping[str, Any] | None = None,
        token_placement: str = "header",
        scope: str | Iterable[str] | None = None,
        default_timeout: float | tuple[float, float] | None = None,
        leeway: float | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            *(token_endpoint, issuer, subject, audience, grant_type, claims, token_placement, scope, leeway),
            default_timeout=default_timeout,
            **options,
        )
