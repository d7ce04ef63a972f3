"""A validator of introspection responses (RFC 7662)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, cast

from doorkey.errors import UsageError, VerificationError
from doorkey.jose.claim_rules import LEEWAY, check_times
from doorkey.protocol.access_token import check_binding
from doorkey.resource.validators.bearer import Scopes, TokenValidator


class IntrospectTokenValidator(TokenValidator):
    """Checks introspection responses. A subclass defines `introspect_token`, which sends the request.

    The response itself is the token object. `AccessTokenVerifier` with `introspection=` also sends the request, with
    client authentication, deadlines and a cache.
    """

    def introspect_token(self, token_string: str) -> Mapping[str, Any]:
        """Return the members of the introspection response for an access token. A subclass defines it.

        token_string: the access token.
        """
        raise UsageError(f"{type(self).__name__} must define introspect_token(self, token_string)")

    def authenticate_token(self, token_string: str) -> Mapping[str, Any]:
        """Return the result of `introspect_token`.

        token_string: the access token.
        """
        return self.introspect_token(token_string)

    def validate_token(self, token: Any, scopes: Scopes, request: Any) -> None:
        """Check that the token is active, valid now and not bound to a key, and has the scopes.

        token: the introspection response. Without `active`, or with another value than true, it denies access
            (RFC 7662 §2.2).
        scopes: the required alternatives, as for `scope_insufficient`.
        request: the request.

        Raises `InvalidTokenError` or `InsufficientScopeError`.
        """
        if not isinstance(token, Mapping):
            raise self._invalid_token("the introspection response is not an object")
        members = cast("Mapping[str, Any]", token)
        if members.get("active") is not True:
            raise self._invalid_token()
        try:
            check_times(members, time.time(), LEEWAY)
            check_binding(members)
        except VerificationError as wrong:
            raise self._invalid_token(wrong.description) from None
        self._check_scopes(members.get("scope"), scopes)
