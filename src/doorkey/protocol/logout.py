"""Logout that the client begins: the URL for the browser, and its return (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from doorkey.errors import VerificationError
from doorkey.protocol.authorization import callback_pairs
from doorkey.protocol.state import check_state
from doorkey.values import hides_locals
from doorkey.wire.messages import Pairs
from doorkey.wire.parameters import beside_query, merged, with_query
from doorkey.wire.urls import check_endpoint


@hides_locals
def logout_url(
    endpoint: str, ours: Pairs, extra: Iterable[tuple[str, str]] = (), http_hosts: Collection[str] = ()
) -> str:
    """Return the URL of a logout request; `extra` pairs cannot override `ours` (§2).

    endpoint: its URL.
    http_hosts: hosts beside loopback that plain http may reach.

    Raises `UsageError` for an endpoint or a parameter that cannot be.
    """
    check_endpoint(endpoint, "end session endpoint", http_hosts)
    return with_query(endpoint, beside_query(endpoint, merged(ours, extra, "the logout request")))


@hides_locals
def check_logout_response(response: str | Mapping[str, Any], *, state: str | None) -> None:
    """Check the URL at which the browser came back after a logout, or its parameters (§3).

    `state` is the state that the request sent; None: it sent none. Raises `MismatchingStateError` for another state or
    none, and `VerificationError` for a repeated one.
    """
    pairs = callback_pairs(response)
    if Counter(name for name, _ in pairs)["state"] > 1:
        raise VerificationError("state", "occurs in the callback more than once")
    check_state(dict(pairs).get("state"), state)


@hides_locals
def logout_parameters(response: str | Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters of a front-channel logout request, as a URL or a mapping (Front-Channel Logout 1.0 §2).

    Raises `VerificationError` for a repeated parameter.
    """
    pairs = callback_pairs(response)
    repeated = [name for name, times in Counter(name for name, _ in pairs).items() if times > 1]
    if repeated and (found := {"iss", "sid"}.intersection(repeated)):
        raise VerificationError(min(found), "occurs in the request more than once")
    return dict(pairs)
