"""Logout that the client begins: the URL for the browser, and the callback (OpenID Connect RP-Initiated Logout 1.0)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from doorkey.errors import VerificationError
from doorkey.protocol.authorization import callback_pairs
from doorkey.protocol.state import check_state
from doorkey.values import hides_locals
from doorkey.wire.messages import Pairs
from doorkey.wire.parameters import merged, not_in_query, with_query
from doorkey.wire.urls import check_endpoint


@hides_locals
def logout_url(
    endpoint: str, ours: Pairs, extra: Iterable[tuple[str, str]] = (), http_hosts: Collection[str] = ()
) -> str:
    """Return the URL of a logout request (§2).

    endpoint: the URL of the end session endpoint.
    ours: the parameters of this library.
    extra: further parameters, which cannot override `ours`.
    http_hosts: hosts beside loopback that plain http may reach.

    Raises `UsageError` for an invalid endpoint, and for a parameter that has another value in `ours` or the endpoint.
    """
    check_endpoint(endpoint, "end session endpoint", http_hosts)
    return with_query(endpoint, not_in_query(endpoint, merged(ours, extra, "the logout request")))


@hides_locals
def check_logout_response(response: str | Mapping[str, Any], *, state: str | None) -> None:
    """Check the callback after a logout (§3).

    response: the URL of the callback, or its parameters.
    state: the state of the request; None: it had no state.

    Raises `MismatchingStateError` for another, a missing or an unexpected state, and `VerificationError` for a repeated
    state and a malformed response.
    """
    pairs = callback_pairs(response)
    if Counter(name for name, _ in pairs)["state"] > 1:
        raise VerificationError("state", "occurs in the callback more than once")
    check_state(dict(pairs).get("state"), state)


@hides_locals
def logout_parameters(response: str | Mapping[str, Any]) -> dict[str, str]:
    """Return the unchecked parameters of a front-channel logout request (Front-Channel Logout 1.0 §2).

    response: the URL of the request, or its parameters as a mapping.

    Raises `VerificationError` for a malformed request, and for a repeated `iss` or `sid`.
    """
    pairs = callback_pairs(response)
    repeated = [name for name, times in Counter(name for name, _ in pairs).items() if times > 1]
    if repeated and (found := {"iss", "sid"}.intersection(repeated)):
        raise VerificationError(min(found), "occurs in the request more than once")
    return dict(pairs)
