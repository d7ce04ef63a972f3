"""`AssertionSession`: a `requests.Session` for a service account, which gets its token by signed assertions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from doorkey.integrations.requests_client.oauth2_session import OAuth2Session


class AssertionSession(OAuth2Session):
    """An `OAuth2Session` that gets its token by itself, with a fresh signed assertion each time (RFC 7523 §2.1).

    `token_endpoint` (or `token_url`) is where it asks; `issuer`, `subject`, `audience` (else the token endpoint) and
    `claims` are the assertion's claims; `key` (PEM, JWK or key object) signs it, with the `alg` and `kid` of `header`.
    `client_id` and `client_secret` authenticate the client where the server wants that too. The other options are those
    of `OAuth2Session`. Raises `UsageError`.
    """

    JWT_BEARER_GRANT_TYPE: ClassVar[str] = "urn:ietf:params:oauth:grant-type:jwt-bearer"

    def __init__(
        self,
        token_endpoint: str | None = None,
        issuer: str | None = None,
        subject: str | None = None,
        audience: str | None = None,
        grant_type: str | None = None,
        claims: Mapping[str, Any] | None = None,
        token_placement: str = "header",
        scope: str | list[str] | tuple[str, ...] | None = None,
        default_timeout: float | tuple[float, float] | None = None,
        leeway: float | None = None,
        **options: Any,
    ) -> None:
        given = {name: value for name, value in locals().items() if name not in ("self", "options", "__class__")}
        from doorkey.oauth2.assertion import maker_of

        given.update(options)
        maker = maker_of(given)
        super().__init__(**given)
        self._oauth.first = lambda: maker.asking(self._oauth.options.clock)
