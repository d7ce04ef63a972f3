"""Checks the endpoints of a server. Each of them gets a request without effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from doorkey.cli.doctor.fetching import Fetched
from doorkey.cli.doctor.finding import Finding, failure, ok, warning
from doorkey.errors import UsageError
from doorkey.wire.messages import FORM, Request
from doorkey.wire.urls import check_endpoint, shown_url

_POSTED: Final = (
    "token_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "device_authorization_endpoint",
    "pushed_authorization_request_endpoint",
)
_PAGES: Final = ("authorization_endpoint", "end_session_endpoint", "userinfo_endpoint")
_GONE: Final = frozenset({404, 410})
_DOWN: Final = frozenset({502, 503, 504})


def endpoint_requests(members: Mapping[str, Any]) -> dict[str, Request]:
    """Return a request without effect for each endpoint in the metadata, by the name of the endpoint.

    Endpoints that expect a form get an empty form, which they must reject. The registration endpoint gets no request,
    because an empty request might register a client.
    """
    requests: dict[str, Request] = {}
    for name in (*_PAGES, *_POSTED):
        url = members.get(name)
        if not isinstance(url, str):
            continue
        try:
            check_endpoint(url, name)
        except UsageError:
            continue  # reported with the metadata
        if name in _POSTED:
            headers = (("Accept", "application/json"), ("Content-Type", FORM))
            requests[name] = Request("POST", url, headers)
        else:
            requests[name] = Request("GET", url, (("Accept", "text/html, application/json"),))
    return requests


def check_endpoint_response(name: str, outcome: Fetched) -> Iterator[Finding]:
    """Yield the findings about the endpoint `name`. `outcome` is the outcome of its request of `endpoint_requests`."""
    where, status = shown_url(outcome.url), outcome.status
    if outcome.is_redirect:
        if name in _POSTED or name == "userinfo_endpoint":
            yield warning(
                "endpoint_redirects",
                f"{name} at {where} redirects (status {status})",
                "clients do not follow it, because the request holds secrets",
                f"name the final URL as {name} in the metadata",
                "RFC 9700 §4.12",
            )
        else:
            yield ok("endpoint", f"{name} responds")
    elif status is None:
        yield failure(
            "endpoint_unreachable",
            f"{name} at {where} cannot be reached: {outcome.error}",
            "every use of this endpoint fails",
            f"start the service there, or correct {name} in the metadata",
        )
    elif status in _GONE:
        yield failure(
            "endpoint_missing",
            f"{name} at {where} responds with status {status}: there is nothing at this URL",
            "every use of this endpoint fails",
            f"correct {name} in the metadata",
            "RFC 8414 §2",
        )
    elif status in _DOWN:
        yield failure(
            "endpoint_down",
            f"{name} at {where} responds with status {status}",
            "the service behind it does not run",
            "look at the logs of the proxy and of the server",
        )
    elif status >= 500:
        yield warning(
            "endpoint_error",
            f"{name} at {where} responds with status {status} to a request without parameters",
            "it should reject the request with status 400; clients treat 500 as a failure of the server",
            "look at the log of the server",
            "RFC 6749 §5.2",
        )
    elif name in _POSTED and 200 <= status < 300 and name != "revocation_endpoint":
        yield warning(
            "endpoint_accepts_anything",
            f"{name} at {where} responds with status {status} to a request without parameters",
            "it should reject the request with status 400 or 401; is this really the endpoint?",
            f"check {name} in the metadata",
            "RFC 6749 §5.2",
        )
    else:
        yield ok("endpoint", f"{name} responds")
