"""The operations of a session that present a token: revocation and introspection, as flows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doorkey.protocol.introspection import Introspection
    from doorkey.sessions.core import SessionCore
    from doorkey.wire.flow import Flow

HeaderItems = Mapping[str, str] | Iterable[tuple[str, str]]


class TokenQueries:
    """Revocation and introspection of a session's tokens, which `OAuth2Client` takes over."""

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
        token: None: the session's refresh token, or its access token if it has none.
        token_type_hint: "access_token" or "refresh_token".
        body, auth, headers, extra: as for `fetch_token`.

        Raises `ServerError` for an error response.
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
        """Ask the server about a token, and return a mapping with at least `active` (RFC 7662).

        url: the introspection endpoint; None: the session's.
        token: None: the session's own.
        token_type_hint: "access_token" or "refresh_token".
        body, auth, headers, extra: as for `fetch_token`.

        Raises `ServerError` for an error response, and `InvalidResponse` for a response without `active`.
        """
        from doorkey.protocol.introspection import introspection_request, parse_introspection

        core = self._oauth
        method, overrides = core.options.token_endpoint_auth_method, core.overrides_of(body, extra, auth, headers)
        presented = core.present(
            "introspection", introspection_request, parse_introspection, token, token_type_hint, url, overrides, method
        )
        found: Introspection = (yield from presented)[2]
        return found
