"""The audit as a flow: the requests in their order, and the module that checks each outcome.

An audit never needs more than twenty requests. If the server does not respond at the first well-known URL, the others
are not requested.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from doorkey.cli.doctor.api import (
    WRONG_TOKEN,
    challenge_of,
    check_resource,
    check_without_token,
    check_wrong_token,
    is_api,
)
from doorkey.cli.doctor.capabilities import check_capabilities
from doorkey.cli.doctor.connection import check_clock, check_connection
from doorkey.cli.doctor.cors import check_cors, script_request
from doorkey.cli.doctor.discovery import check_metadata, check_places
from doorkey.cli.doctor.endpoints import check_endpoint_response, endpoint_requests
from doorkey.cli.doctor.fetching import Connect, Fetched, Place, fetched, metadata_of
from doorkey.cli.doctor.finding import Finding, Severity, failure, has_failure, ok
from doorkey.cli.doctor.keys import check_keys
from doorkey.errors import UsageError
from doorkey.protocol.discovery import well_known_urls
from doorkey.protocol.jwks import jwks_request
from doorkey.protocol.protected_resource import well_known_url
from doorkey.wire.flow import Flow
from doorkey.wire.messages import Request
from doorkey.wire.urls import check_endpoint, shown_url

ISSUER: Final = "issuer"
API: Final = "api"
_SERVERS: Final = 3
_JSON: Final = (("Accept", "application/json"),)


@dataclass(frozen=True, slots=True)
class Audit:
    """The result of an audit.

    target: the audited URL.
    kind: `issuer` or `api`.
    findings: all findings.
    """

    target: str
    kind: str
    findings: tuple[Finding, ...]

    def count(self, severity: Severity) -> int:
        """Return the number of findings of this severity."""
        return sum(one.severity is severity for one in self.findings)

    def as_json(self) -> dict[str, Any]:
        """Return the audit as a JSON object."""
        return {
            "target": self.target,
            "kind": self.kind,
            "failures": self.count(Severity.FAILURE),
            "warnings": self.count(Severity.WARNING),
            "findings": [one.as_json() for one in self.findings],
        }


def audit(url: str, clock: Callable[[], float], kind: str | None = None) -> Flow[Audit]:
    """Return the audit of the server at `url`.

    clock: returns seconds since the epoch.
    kind: `issuer` or `api`; None: `api` if the URL has no issuer metadata, and responds with 401 or with a challenge.

    Raises `UsageError` for an invalid URL, and for plain http to another machine.
    """
    check_endpoint(url, "URL")
    findings = yield from _connected(url, clock)
    if has_failure(findings):
        return Audit(url, kind or ISSUER, tuple(findings))
    if kind == API:
        return Audit(url, API, (*findings, *(yield from _api(url, (yield from _called(url)), clock))))
    places = yield from _places(url)
    if kind is None and all(place.members is None for place in places):
        called = yield from _called(url)
        if is_api(called):
            return Audit(url, API, (*findings, *(yield from _api(url, called, clock))))
    return Audit(url, ISSUER, (*findings, *(yield from _issuer(url, places, clock))))


def _connected(url: str, clock: Callable[[], float]) -> Flow[list[Finding]]:
    parts = urlsplit(url)
    connection = None
    if parts.scheme == "https":
        connection = yield from Connect(parts.hostname or "", parts.port or 443)
    return list(check_connection(url, connection, clock()))


def _places(issuer: str) -> Flow[list[Place]]:
    places: list[Place] = []
    for url in well_known_urls(issuer):
        outcome = yield from fetched(Request("GET", url, _JSON))
        members, problem = metadata_of(outcome)
        places.append(Place(outcome, members, problem))
        if outcome.status is None:
            break  # the other places are on the same server
    return places


def _issuer(issuer: str, places: list[Place], clock: Callable[[], float]) -> Flow[list[Finding]]:
    findings = list(check_places(places))
    found = next((place for place in places if place.members is not None), None)
    if found is None or found.members is None or found.outcome.response is None:
        return findings
    members = found.members
    findings += check_metadata(members, issuer, found.outcome.url)
    findings += check_capabilities(members)
    findings += yield from _keys(members)
    for name, request in endpoint_requests(members).items():
        outcome = yield from fetched(request)
        findings += check_endpoint_response(name, outcome)
    findings += yield from _as_script(found.outcome.url, members, clock)
    return findings


def _as_script(url: str, members: Mapping[str, Any], clock: Callable[[], float]) -> Flow[list[Finding]]:
    """Return the findings about CORS and about the server's clock.

    The clock is compared here, because this response has just arrived.
    """
    outcomes = {"the metadata": (yield from fetched(script_request(url)))}
    response = outcomes["the metadata"].response
    findings = [] if response is None else list(check_clock(response, clock()))
    uri = _keys_url(members)
    if uri is not None:
        outcomes["the keys"] = yield from fetched(script_request(uri))
    return [*findings, *check_cors(outcomes)]


def _keys(members: Mapping[str, Any]) -> Flow[list[Finding]]:
    uri = _keys_url(members)
    if uri is None:
        return []
    outcome = yield from fetched(jwks_request(uri))
    return list(check_keys(outcome, members))


def _keys_url(members: Mapping[str, Any]) -> str | None:
    """Return the URL of the keys, or None if it is missing or invalid."""
    uri = members.get("jwks_uri")
    if not isinstance(uri, str):
        return None
    try:
        return check_endpoint(uri, "jwks_uri")
    except UsageError:
        return None  # reported with the metadata


def _called(url: str) -> Flow[Fetched]:
    return (yield from fetched(Request("GET", url, _JSON)))


def _api(url: str, called: Fetched, clock: Callable[[], float]) -> Flow[list[Finding]]:
    findings = list(check_without_token(called))
    if called.response is None:
        return findings
    if called.status == 401:
        wrong = yield from fetched(Request("GET", url, (*_JSON, ("Authorization", f"Bearer {WRONG_TOKEN}"))))
        findings += check_wrong_token(wrong)
    challenge = challenge_of(called)
    named = None if challenge is None else challenge.parameters.get("resource_metadata")
    try:
        request = Request("GET", check_endpoint(named or well_known_url(url), "resource_metadata"), _JSON)
    except UsageError as unusable:
        what = f"resource_metadata in the challenge cannot be used: {unusable.description}"
        fix = "name the https URL of the document of RFC 9728"
        why = "a client cannot find the authorization server of this API"
        return [*findings, failure("resource_metadata", what, why, fix, "RFC 9728 §5.1")]
    outcome = yield from fetched(request)
    found, servers = check_resource(outcome, url, named=named is not None)
    findings += found
    for server in servers[:_SERVERS]:
        findings += yield from _server_of_api(server)
    findings += check_clock(called.response, clock())
    return findings


def _server_of_api(issuer: str) -> Flow[list[Finding]]:
    try:
        places = yield from _places(check_endpoint(issuer, "authorization server"))
    except UsageError as wrong:
        why, fix = "a client does not use it", "name the https URL of the issuer"
        return [failure("authorization_server", f"{shown_url(issuer)}: {wrong.description}", why, fix, "RFC 9728 §2")]
    findings = [one for one in check_places(places) if one.severity is not Severity.INFO]
    found = next((place for place in places if place.members is not None), None)
    if found is not None and (found.members or {}).get("issuer") == issuer:
        advice = f"doorkey doctor {shown_url(issuer)} audits it"
        return [ok("authorization_server", f"{shown_url(issuer)} has metadata; {advice}")]
    if found is not None and found.members is not None:
        checked = check_metadata(found.members, issuer, found.outcome.url)
        findings += [one for one in checked if one.code == "issuer_mismatch"]
    return findings
