"""The place of `./dev demo`: the provider that comes with doorkey, on a free port of this machine."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from demo.place import Place
from doorkey.dev import Provider

LIFETIME = 60
"""Seconds an access token lives, as with Keycloak."""


@contextmanager
def embedded() -> Generator[Place, None, None]:
    """Run the provider; its clock is also the sessions', and is advanced, so that no step waits a minute."""
    with Provider(access_token_lifetime=LIFETIME) as provider:
        yield Place(
            name="the embedded provider",
            origin=provider.origin,
            echo=provider.echo,
            clock=provider.clock,
            let_tokens_expire=lambda: provider.advance(LIFETIME + 1),
            refreshes=lambda: sum(one.grant_type == "refresh_token" for one in provider.requests.to("/token")),
        )
