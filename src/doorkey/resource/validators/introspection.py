"""A validator that asks the authorization server about each token (RFC 7662)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, cast

from doorkey.errors import UsageError, VerificationError
from doorkey.jose.claim_rules import LEEWAY, check_times
from doorkey.protocol.access_token import check_binding
from doorkey.resource.validators.bearer import Scopes, TokenValidator


class IntrospectTokenValidator(TokenValidator):
    """Checks introspection responses: a subclass defines `introspect_token`.

    The response itself is the token object. `AccessTokenVerifier` with `introspection=` does the request too, with
    client authentication, deadlines and a cache.
    """

    def introspect_token(self, token_string: str) -> Mapping[str, Any]:
        """Return the members of the introspection response for `token_string`. A subclass defines it."""
        raise UsageError(f"{type(self).__name__} must define introspect_token(self, token_string)")

    def authenticate_token(self, token_string: str) -> Mapping[str, Any]:
        """Return the result of `introspect_token`."""
        return self.introspect_token(token_string)

    def validate_token(self, token: Any, scopes: Scopes, request: Any) -> None:
        """Raise `InvalidTokenError` unless the token is active, valid now and not bound to a key; check the scopes.

        A response without `active`, or with another value than true, denies access (RFC 7662 §2.2).
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
