"""`AssertionClient` and `AsyncAssertionClient`: httpx2 or httpx clients for a service account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from doorkey.integrations.httpx_client.family import AsyncFamily, SyncFamily
from doorkey.oauth2.client import OAuth2Client


class _Assertion(OAuth2Client):
    """A client that gets its token by itself, with a fresh signed assertion each time (RFC 7523 §2.1).

    `token_endpoint` (or `token_url`) is where it asks; `issuer`, `subject`, `audience` (else the token endpoint) and
    `claims` are the assertion's claims; `key` (PEM, JWK or key object) signs it, with the `alg` and `kid` of `header`.
    `client_id` and `client_secret` authenticate the client where the server wants that too. The other options are those
    of `OAuth2Client`. Raises `UsageError`.
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
        leeway: float | None = None,
        **options: Any,
    ) -> None:
        given = {name: value for name, value in locals().items() if name not in ("self", "options", "__class__")}
        from doorkey.oauth2.assertion import maker_of

        given.update(options)
        maker = maker_of(given)
        family: Any = super()
        family.__init__(**given)
        self._oauth.first = lambda: maker.asking(self._oauth.options.clock)


class SyncAssertion(_Assertion, SyncFamily):
    """The blocking client."""

    __doc__ = _Assertion.__doc__


class AsyncAssertion(_Assertion, AsyncFamily):
    """The awaiting client."""

    __doc__ = _Assertion.__doc__
