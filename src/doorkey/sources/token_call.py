"""A token request as a value, which is kept so that a renewal can request the next token in the same way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

from doorkey.arguments import mapping
from doorkey.errors import UsageError
from doorkey.protocol.grants import Grant, RefreshTokenGrant
from doorkey.protocol.refresh_scope import refresh_scope
from doorkey.values import Scope, Secret
from doorkey.wire.messages import Pairs, header_pairs
from doorkey.wire.parameters import pairs_of

__all__: list[str] = []

HeaderItems: TypeAlias = "Mapping[str, str] | Iterable[tuple[str, str]]"
"""Headers in the forms that a user may pass."""

CallOptions: TypeAlias = "tuple[tuple[str, Any], ...]"
"""Options of the HTTP library for one call, as (name, value) pairs."""

REPLAYED: Final = frozenset({"audience", "resource"})
"""Parameters that a refresh request repeats, in addition to the scope (RFC 8693 §2.1, RFC 8707 §2.2)."""


@dataclass(frozen=True, slots=True, repr=False)
class CallOverrides:
    """The options of one call. An empty field or None changes nothing."""

    extra: Pairs = ()
    headers: Pairs = ()
    auth: object = None
    options: CallOptions = ()
    method: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class TokenCall:
    """One token request.

    endpoint: the URL of the token endpoint.
    grant: the grant that is sent there.
    extra: further parameters, as pairs.
    method: POST or GET.
    headers: further headers, as pairs.
    auth: the client authentication method of this call; None: that of the client.
    options: the options of the HTTP library for this call.
    promised: the scope of the earlier authorization request, if it is known.
    repeats: True if the call has all parameters of an extension grant, and so can be repeated without a user.
    """

    endpoint: str
    grant: Grant
    extra: Pairs = ()
    method: str = "POST"
    headers: Pairs = ()
    auth: object = None
    options: CallOptions = ()
    promised: Scope | None = None
    repeats: bool = False

    @property
    def repeatable(self) -> bool:
        """Whether the same call can be made again without a user and without harm."""
        return self.repeats or self.grant.repeatable

    def requested_scope(self) -> Scope | None:
        """Return the scope that was requested by this call, otherwise by the authorization request before it."""
        requested = " ".join(value for name, value in self.extra if name == "scope")
        return Scope(tuple(dict.fromkeys(requested.split()))) if requested else self.promised

    def refreshing(
        self, endpoint: str, refresh_token: Secret, granted: Scope | None, default: Scope | None = None
    ) -> TokenCall:
        """Return the call that presents the `refresh_token` of this call's token at `endpoint`.

        `granted` is the scope of the token. `default` is the requested scope if this call has no scope.
        """
        kept = tuple(pair for pair in self.extra if pair[0] in REPLAYED)
        scope = refresh_scope(self.requested_scope() or default, granted)
        extra = (("scope", str(scope)), *kept) if scope else kept
        grant = RefreshTokenGrant(refresh_token)
        return replace(self, endpoint=endpoint, grant=grant, extra=extra, promised=None, repeats=False)

    def overridden(self, overrides: CallOverrides, endpoint: str | None = None) -> TokenCall:
        """Return a copy with the caller's `overrides` and, unless it is None, the caller's `endpoint`."""
        same = endpoint in (None, self.endpoint) and overrides.method in (None, self.method)
        if same and overrides.auth is None and not (overrides.extra or overrides.headers or overrides.options):
            return self
        given = {name for name, _ in overrides.extra}
        return replace(
            self,
            endpoint=endpoint or self.endpoint,
            extra=(*(pair for pair in self.extra if pair[0] not in given), *overrides.extra),
            method=overrides.method or self.method,
            headers=overrides.headers or self.headers,
            auth=self.auth if overrides.auth is None else overrides.auth,
            options=overrides.options or self.options,
        )


def token_params(given: Mapping[str, Any] | None) -> Pairs:
    """Return the user's parameters of every token request, as pairs. Raises `UsageError`."""
    return pairs_of(mapping(given or {}, "token_params"))


def token_request_headers(given: object) -> Pairs:
    """Return the user's headers of every token request, as pairs.

    Raises `UsageError` for an `Authorization` header, which client authentication sets (RFC 6749 §2.3.1).
    """
    pairs = header_pairs(given, "token_request_headers=")
    if any(name.lower() == "authorization" for name, _ in pairs):
        raise UsageError(
            "token_request_headers= contains an Authorization header, which client authentication sets: give "
            "client_secret and a client authentication method"
        )
    return pairs
