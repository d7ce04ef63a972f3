"""The place of `./dev demo`: the embedded provider, on a free port of this machine."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from demo.place import Place
from doorkey.dev import Provider

LIFETIME = 60
"""The lifetime of an access token in seconds, which is that of Keycloak."""


@contextmanager
def embedded() -> Generator[Place, None, None]:
    """Run the provider. The sessions use its clock too, and the steps advance it instead of waiting for a minute."""
    with Provider(access_token_lifetime=LIFETIME) as provider:
        yield Place(
            name="the embedded provider",
            origin=provider.origin,
            echo=provider.echo,
            clock=provider.clock,
            let_tokens_expire=lambda: provider.advance(LIFETIME + 1),
            refreshes=lambda: sum(one.grant_type == "refresh_token" for one in provider.requests.to("/token")),
        )
