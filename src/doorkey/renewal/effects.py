"""The effects that a single flight performs for a flow, and the flow that saves a token."""

from __future__ import annotations

from dataclasses import dataclass

from doorkey.renewal.state import Renew, TokenState
from doorkey.runtime.deadlock import entered
from doorkey.tokens import OAuthToken
from doorkey.wire.flow import Effect, Flow

__all__: list[str] = []


@dataclass(frozen=True, slots=True)
class Renewed(Effect[OAuthToken]):
    """The effect that returns the token of a renewal by `renew`, or of the renewal in progress."""

    renew: Renew


@dataclass(frozen=True, slots=True)
class Active(Effect[OAuthToken]):
    """The effect that returns a token that may be sent now."""


def saving(state: TokenState, token: OAuthToken, save: Flow[None]) -> Flow[None]:
    """Run the flow `save`. Code within it gets `token`, because a callback that calls an API would wait for itself."""
    state.drop_fast_path()  # a callback must get the new token, not the one that it replaces
    yield from entered(state, save, token)
