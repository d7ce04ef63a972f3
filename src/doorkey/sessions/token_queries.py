"""The operations of a session that send a token to the server: revocation and introspection, as flows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doorkey.protocol.introspection import Introspection
    from doorkey.sessions.core import SessionCore
    from doorkey.wire.flow import Flow

HeaderItems = Mapping[str, str] | Iterable[tuple[str, str]]


class TokenQueries:
    """Revocation and introspection of a session's tokens. `OAuth2Client` copies these operations."""

    _oauth: SessionCore

    def _revoke_token(
        self,
        /,
        url: str | None = None,
        token: str | None = None,
        token_type_hint: str | None = None,
        body: str | Mapping[str, Any] | None = None,
        auth: Any = None,
        headers: HeaderItems | None = None,
        **extra: Any,
    ) -> Flow[Any]:
        """Revoke a token at the server, and return the HTTP library's response (RFC 7009).

        url: the revocation endpoint; None: the session's.
        token: the token to revoke; None: the session's refresh token, else its access token.
        token_type_hint: "access_token" or "refresh_token".
        body, auth, headers, extra: as for `fetch_token`.

        Raises `ServerError` for an error response, `MissingTokenError` without a token, and `UsageError`.
        """
        from doorkey.protocol.revocation import check_revocation, revocation_request

        core = self._oauth
        method = core.options.revocation_endpoint_auth_method or core.options.token_endpoint_auth_method
        overrides = core.overrides_of(body, extra, auth, headers)
        request, response, _ = yield from core.present(
            "revocation", revocation_request, check_revocation, token, token_type_hint, url, overrides, method
        )
        return core.library.native_response(response, request)

    def _introspect_token(
        self,
        /,
        url: str | None = None,
        token: str | None = None,
        token_type_hint: str | None = None,
        body: str | Mapping[str, Any] | None = None,
        auth: Any = None,
        headers: HeaderItems | None = None,
        **extra: Any,
    ) -> Flow[Introspection]:
        """Introspect a token at the server, and return a mapping with at least `active` (RFC 7662).

        url: the introspection endpoint; None: the session's.
        token: the token to introspect; None: the session's refresh token, else its access token.
        token_type_hint: "access_token" or "refresh_token".
        body, auth, headers, extra: as for `fetch_token`.

        Raises `ServerError` for an error response, `InvalidResponse` for a response without `active`,
        `MissingTokenError` without a token, and `UsageError`.
        """
        from doorkey.protocol.introspection import introspection_request, parse_introspection

        core = self._oauth
        method, overrides = core.options.token_endpoint_auth_method, core.overrides_of(body, extra, auth, headers)
        presented = core.present(
            "introspection", introspection_request, parse_introspection, token, token_type_hint, url, overrides, method
        )
        found: Introspection = (yield from presented)[2]
        return found
