"""A token request as a value: kept, so that a renewal requests the next token in the same way."""

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
"""Headers, as a user gives them."""

CallOptions: TypeAlias = "tuple[tuple[str, Any], ...]"
"""The HTTP library's own options of one call."""

REPLAYED: Final = frozenset({"audience", "resource"})
"""Parameters that a refresh repeats beside its scope (RFC 8693 §2.1, RFC 8707 §2.2)."""


@dataclass(frozen=True, slots=True, repr=False)
class CallOverrides:
    """The options of one call; a field that is empty or None changes nothing."""

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
    auth: the client authentication method of this call; None for that of the client.
    options: the HTTP library's own options of this call.
    promised: the scope of the authorization request that brought a code, where it is known.
    repeats: whether the parameters of an extension grant are complete, so that it can be repeated without a user.
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
        """Whether the same call can be made again without a user, and does no harm."""
        return self.repeats or self.grant.repeatable

    def requested_scope(self) -> Scope | None:
        """Return the scope that was requested with this call, or with the authorization request before it."""
        asked = " ".join(value for name, value in self.extra if name == "scope")
        return Scope(tuple(dict.fromkeys(asked.split()))) if asked else self.promised

    def refreshing(
        self, endpoint: str, refresh_token: Secret, granted: Scope | None, usual: Scope | None = None
    ) -> TokenCall:
        """Return the call that presents the `refresh_token` of this call's token at `endpoint`.

        `granted` is the token's scope, `usual` the scope that counts as requested where this call names none.
        """
        kept = tuple(pair for pair in self.extra if pair[0] in REPLAYED)
        scope = refresh_scope(self.requested_scope() or usual, granted)
        extra = (("scope", str(scope)), *kept) if scope else kept
        grant = RefreshTokenGrant(refresh_token)
        return replace(self, endpoint=endpoint, grant=grant, extra=extra, promised=None, repeats=False)

    def overridden(self, overrides: CallOverrides, endpoint: str | None = None) -> TokenCall:
        """Return a copy with the `overrides` of a caller, and its `endpoint` where it names one."""
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
    """Return the parameters that a user adds to every token request, as pairs. Raises `UsageError`."""
    return pairs_of(mapping(given or {}, "token_params"))


def token_request_headers(given: object) -> Pairs:
    """Return the headers that a user adds to every token request, as pairs.

    Raises `UsageError` for an `Authorization` header, which belongs to client authentication (RFC 6749 §2.3.1).
    """
    pairs = header_pairs(given, "token_request_headers=")
    if any(name.lower() == "authorization" for name, _ in pairs):
        raise UsageError(
            "token_request_headers= holds an Authorization header, which client authentication sets: give "
            "client_secret and a client authentication method"
        )
    return pairs
