"""The scope that goes with a refresh token (RFC 6749 §6)."""

from dataclasses import replace

import pytest

from doorkey.protocol.refresh_scope import refresh_scope, with_unchanged_scope
from doorkey.tokens import OAuthToken
from doorkey.values import Scope, Secret


@pytest.mark.parametrize(
    ("requested", "granted", "sent"),
    [
        (None, "a", None),
        ("", "a", None),
        ("a b", None, "a b"),
        ("a b", "a", "a"),
        ("a b", "b a c", "a b"),
        ("openid offline_access a b", "a", "openid offline_access a"),
        ("openid profile email", "openid https://as.example/email", "openid profile email"),
        ("openid api://x/.default", "api://x/read", "openid api://x/.default"),
        ("a", "", "a"),
    ],
)
def test_a_refresh_asks_for_what_was_requested_and_granted(
    requested: str | None, granted: str | None, sent: str | None
) -> None:
    scope = refresh_scope(
        None if requested is None else Scope.of(requested), None if granted is None else Scope.of(granted)
    )
    assert (None if scope is None else str(scope)) == sent


def test_a_renewed_token_without_a_scope_has_the_scope_of_the_previous_token() -> None:
    renewed = OAuthToken(Secret("at-2"))
    for scope in (None, Scope.of("a b")):
        assert with_unchanged_scope(renewed, OAuthToken(Secret("at-1"), scope=scope)).scope == scope
    assert with_unchanged_scope(renewed, None) is renewed
    narrower = replace(renewed, scope=Scope.of("a"))
    assert with_unchanged_scope(narrower, OAuthToken(Secret("at-1"), scope=Scope.of("a b"))) is narrower
