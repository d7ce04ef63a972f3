"""How a token was asked for: kept, so that a renewal asks in the same way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from doorkey.errors import UsageError

if TYPE_CHECKING:
    from doorkey.protocol.grants import Grant
    from doorkey.transport.library import Library
    from doorkey.values import Scope, Secret
    from doorkey.wire.messages import Pairs

# What only a token request needs is imported where one is made: a program that brings its token never waits for it.

CallOptions: TypeAlias = "tuple[tuple[str, Any], ...]"
"""The HTTP library's own options of one call."""

REPLAYED: Final = frozenset({"audience", "resource"})
"""Parameters that a refresh repeats; its scope is what was granted (RFC 6749 §6, RFC 8707 §2.2)."""


@dataclass(frozen=True, slots=True, repr=False)
class CallOverrides:
    """What a call says of its request, in the shape of the protocol; what it leaves out is as usual."""

    extra: Pairs = ()
    headers: Pairs = ()
    auth: object = None
    options: CallOptions = ()
    method: str | None = None


@dataclass(frozen=True, slots=True, repr=False)
class TokenCall:
    """How a token was asked for: all that asking again takes."""

    endpoint: str
    grant: Grant
    extra: Pairs = ()
    method: str = "POST"
    headers: Pairs = ()
    auth: object = None
    options: CallOptions = ()
    promised: Scope | None = None
    """What the authorization request of a code asked for, where that is known."""

    def refreshing(self, endpoint: str, refresh_token: Secret) -> TokenCall:
        """Return how to use the `refresh_token` that came of this, at `endpoint`."""
        from doorkey.protocol.grants import RefreshTokenGrant

        kept = tuple(pair for pair in self.extra if pair[0] in REPLAYED)
        return replace(self, endpoint=endpoint, grant=RefreshTokenGrant(refresh_token), extra=kept, promised=None)

    def told(self, told: CallOverrides, endpoint: str | None = None) -> TokenCall:
        """Return a copy as a caller wants it; what it leaves out stays as it was."""
        said = {name for name, _ in told.extra}
        return replace(
            self,
            endpoint=endpoint or self.endpoint,
            extra=(*(pair for pair in self.extra if pair[0] not in said), *told.extra),
            method=told.method or self.method,
            headers=told.headers or self.headers,
            auth=self.auth if told.auth is None else told.auth,
            options=told.options or self.options,
        )


def extra_pairs(body: object, extra: Mapping[str, Any]) -> Pairs:
    """Return the parameters of a `body` (form-encoded text or a mapping) and of keyword arguments.

    What both say is said once, and an empty scope is none (RFC 6749 §3.2, §3.3). Raises `UsageError` where they
    disagree.
    """
    from doorkey.wire.parameters import merged, pairs_of, parse_form

    if not body:
        pairs: Pairs = ()
    elif isinstance(body, str | bytes):
        pairs = parse_form(body if isinstance(body, str) else body.decode("utf-8", "replace"))
    elif isinstance(body, Mapping):
        pairs = pairs_of(body)  # pyright: ignore[reportUnknownArgumentType]  # the user's own
    else:
        raise UsageError("body is form-encoded text or a mapping")
    return merged(pairs, (pair for pair in pairs_of(extra) if pair != ("scope", "")), "body=")


def call_options(library: Library, extra: dict[str, Any]) -> CallOptions:
    """Take the HTTP library's own options out of `extra` and return them. Raises `UsageError` for unsafe ones."""
    for name in sorted(library.refused_options & extra.keys()):
        if extra[name] is not None and extra[name] is not False:  # else it asks for what happens anyway
            raise UsageError(
                f"{name} does not apply to the exchange with an authorization server: "
                "it follows no redirects, keeps no cookies and is read within bounds"
            )
        del extra[name]
    return tuple((name, extra.pop(name)) for name in list(extra) if name in library.call_options)
