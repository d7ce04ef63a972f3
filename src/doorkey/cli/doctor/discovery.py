"""Checks the metadata of an issuer: its well-known URLs, its issuer, and its form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, cast

from doorkey.cli.doctor.fetching import Place
from doorkey.cli.doctor.finding import Finding, Severity, failure, info, listed, ok, warning
from doorkey.errors import InvalidResponse, UsageError, VerificationError
from doorkey.oidc.discovery.models import AuthorizationServerMetadata, OpenIDProviderMetadata
from doorkey.oidc.discovery.rules import secure_url
from doorkey.protocol.discovery import OPENID
from doorkey.protocol.metadata import ENDPOINTS, parse_metadata
from doorkey.wire.urls import shown_url

_SECTION: Final = "RFC 8414 §3, OpenID Connect Discovery §4"
_STOPS: Final = frozenset({"issuer", *ENDPOINTS})


def check_places(places: Sequence[Place]) -> Iterator[Finding]:
    """Yield the findings about the metadata at the well-known URLs of an issuer."""
    found = [place for place in places if place.members is not None]
    for place in places:
        yield from _place(place, has_other=bool(found))
    if not found:
        if all(place.is_absent for place in places):
            names = listed(shown_url(place.outcome.url) for place in places)
            yield failure(
                "no_metadata",
                f"there is no metadata at {names}",
                "clients cannot find the endpoints and the keys of this issuer",
                "give the issuer exactly as the server names it, with its path, or publish the document",
                _SECTION,
            )
        return
    first = found[0].members or {}
    for other in found[1:]:
        if differing := _differing(first, other.members or {}):
            yield warning(
                "places_disagree",
                f"the documents at the well-known URLs differ in {listed(differing)}",
                "the document that a client gets depends on the URL that it requests first",
                "publish the same document at each URL",
                "RFC 8414 §5",
            )


def _place(place: Place, *, has_other: bool) -> Iterator[Finding]:
    where = shown_url(place.outcome.url)
    if place.members is not None:
        yield ok("metadata_found", f"metadata is at {where}", _SECTION)
    elif place.is_absent:
        if has_other:
            yield info("place_absent", f"there is no metadata at {where}", "clients find it at another URL")
    elif place.outcome.response is None and place.outcome.status is None:
        yield failure(
            "unreachable",
            f"{where} cannot be fetched: {place.problem}",
            "clients cannot find the endpoints and the keys of this issuer",
            "check the host name, the port and the network, and whether the server responds in time",
        )
    else:
        finding = warning if has_other else failure
        status = place.outcome.status
        yield finding(
            "metadata_unreadable",
            f"{where} responds with status {status}, and not with metadata: {place.problem}",
            "a client that requests the metadata here fails",
            "respond with the JSON document, or with status 404",
            _SECTION,
        )


def _differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    names = one.keys() & other.keys()
    return sorted(name for name in names if _comparable(one[name]) != _comparable(other[name]))


def _comparable(value: object) -> object:
    return sorted(cast("list[object]", value), key=str) if isinstance(value, list) else value


def check_metadata(members: Mapping[str, Any], issuer: str, url: str) -> Iterator[Finding]:
    """Yield the findings about the metadata document of `issuer`.

    members: the members of the document.
    url: the well-known URL of the document.
    """
    try:
        parse_metadata(members, issuer)
    except VerificationError as wrong:
        yield failure(
            "issuer_mismatch",
            f"issuer {wrong.reason}",
            "clients compare both exactly, and reject the metadata and every token of this issuer",
            f"name the issuer {shown_url(issuer)} in the metadata, or give clients the issuer that the metadata names",
            "RFC 8414 §3.3, OpenID Connect Discovery §4.3",
        )
    except InvalidResponse:
        pass  # one of the rules below reports the member
    else:
        yield ok("issuer_matches", "the metadata names exactly this issuer", "RFC 8414 §3.3")
    kind = OpenIDProviderMetadata if OPENID in url else AuthorizationServerMetadata
    yield from _rules(kind(members))
    for name in ENDPOINTS:
        if name not in kind.REGISTRY_KEYS:
            yield from _insecure(members, name)


def _rules(document: AuthorizationServerMetadata) -> Iterator[Finding]:
    section = "OpenID Connect Discovery §3" if isinstance(document, OpenIDProviderMetadata) else "RFC 8414 §2"
    for name in document.REGISTRY_KEYS:
        try:
            getattr(document, f"validate_{name}")()
        except UsageError as wrong:
            stops = name in _STOPS
            yield Finding(
                severity=Severity.FAILURE if stops else Severity.WARNING,
                code=f"metadata_{name}",
                what=f"in the metadata, {wrong.description}",
                why="clients cannot use this server without it" if stops else "some clients reject such a document",
                fix=f'correct "{name}" in the metadata',
                section=section,
            )


def _insecure(members: Mapping[str, Any], name: str) -> Iterator[Finding]:
    try:
        secure_url(members, name)
    except UsageError as wrong:
        yield failure(
            f"metadata_{name}",
            f"in the metadata, {wrong.description}",
            "requests to it can be read and changed on the network",
            f"name the https URL of {name}",
            "RFC 9700 §2.6",
        )
