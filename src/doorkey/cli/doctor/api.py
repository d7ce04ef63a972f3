"""Checks an API: its challenge (RFC 6750 §3), and the metadata of the protected resource (RFC 9728)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, cast
from urllib.parse import urlsplit

from doorkey.cli.doctor.fetching import Fetched, document_of
from doorkey.cli.doctor.finding import Finding, failure, info, listed, ok, warning
from doorkey.protocol.challenge import Challenge, challenges_in
from doorkey.wire.urls import shown_url

WRONG_TOKEN: Final = "doorkey-doctor-sends-no-real-token"
_SECTION: Final = "RFC 6750 §3"
_SCHEMES: Final = frozenset({"bearer", "dpop"})
_ABSENT: Final = frozenset({401, 403, 404, 405, 410})
"""Statuses that mean "no metadata" at a URL that the challenge does not name. An API may protect all of its paths."""
_FIX_CHALLENGE: Final = 'respond with status 401 and WWW-Authenticate: Bearer resource_metadata="…"'


def challenge_of(outcome: Fetched) -> Challenge | None:
    """Return the first challenge of a response that requires an access token (Bearer or DPoP), or None."""
    if outcome.response is None:
        return None
    headers = outcome.response.headers
    value = ", ".join(value for name, value in headers if name.lower() == "www-authenticate")
    return next((one for one in challenges_in(value) if one.scheme in _SCHEMES), None)


def is_api(outcome: Fetched) -> bool:
    """Return whether the response to a request without a token shows that the URL is an API that requires a token."""
    return outcome.status == 401 or challenge_of(outcome) is not None


def check_without_token(outcome: Fetched) -> Iterator[Finding]:
    """Yield the findings about the response to a request without a token."""
    where, status = shown_url(outcome.url), outcome.status
    if status is None:
        why = "no client can call this API"
        yield failure(
            "unreachable", f"{where} cannot be reached: {outcome.error}", why, "check the URL and the network"
        )
        return
    if outcome.is_redirect:
        yield failure(
            "api_redirects",
            f"{where} redirects a request without a token (status {status})",
            "a client of an API cannot use a login page, and its token must not follow a redirect",
            _FIX_CHALLENGE,
            _SECTION,
        )
        return
    if status != 401:
        finding = warning if 200 <= status < 300 else failure
        yield finding(
            "api_not_401",
            f"{where} responds with status {status} to a request without a token, not with 401",
            "this URL needs no token" if status < 300 else "a client cannot see that it needs a token",
            f"if this URL needs a token, {_FIX_CHALLENGE}",
            _SECTION,
        )
        return
    yield from _check_challenge(outcome)


def _check_challenge(outcome: Fetched) -> Iterator[Finding]:
    challenge = challenge_of(outcome)
    if challenge is None:
        yield failure(
            "no_challenge",
            f"{shown_url(outcome.url)} responds with status 401, and without a challenge for an access token",
            "a client cannot see which kind of credentials the API requires",
            _FIX_CHALLENGE,
            _SECTION,
        )
        return
    yield ok(
        "challenge", f"a request without a token gets 401 and a challenge of the scheme {challenge.scheme}", _SECTION
    )
    if "error" in challenge.parameters:
        yield warning(
            "error_without_token",
            f"the challenge names the error {listed([challenge.parameters['error']])}, although no token was sent",
            "a client without a token concludes that its token was rejected",
            "leave error and error_description out if the request has no token",
            "RFC 6750 §3.1",
        )
    if "resource_metadata" not in challenge.parameters:
        yield warning(
            "no_resource_metadata",
            "the challenge does not name the metadata of this API (resource_metadata)",
            "a client cannot find the authorization server by itself, as MCP clients do",
            "add resource_metadata with the URL of the document of RFC 9728",
            "RFC 9728 §5.1",
        )


def check_wrong_token(outcome: Fetched) -> Iterator[Finding]:
    """Yield the findings about the response to a request with a token that no server issued."""
    challenge = challenge_of(outcome)
    status = outcome.status
    if status is not None and status < 300:
        yield failure(
            "any_token_accepted",
            f"a request with an invented token gets status {status}",
            "the API does not check the token, or this URL needs none",
            "verify the token of each request",
            "RFC 6750 §3.1",
        )
    elif status != 401 or challenge is None:
        yield warning(
            "wrong_token_status",
            f"a request with an invented token gets status {status}"
            + (", and not 401" if status != 401 else " without a challenge"),
            "a client does not see that it needs a new token",
            'respond with status 401 and WWW-Authenticate: Bearer error="invalid_token"',
            "RFC 6750 §3.1",
        )
    elif challenge.parameters.get("error") != "invalid_token":
        yield warning(
            "wrong_token_error",
            "the challenge for an invented token has no error invalid_token",
            "a client does not see that it needs a new token",
            'add error="invalid_token" to the challenge',
            "RFC 6750 §3.1",
        )
    else:
        yield ok("wrong_token", "an invented token is rejected with invalid_token", "RFC 6750 §3.1")


def check_resource(outcome: Fetched, api: str, *, named: bool) -> tuple[list[Finding], tuple[str, ...]]:
    """Return the findings about the metadata of the protected resource `api`, and its authorization servers.

    outcome: the request for the metadata.
    named: whether the challenge named the URL of the metadata.
    """
    where, section = shown_url(outcome.url), "RFC 9728 §3"
    document, problem = document_of(outcome, "protected resource metadata")
    if document is None:
        if not named and outcome.status in _ABSENT:
            what = f"there is no metadata of this API at {where}"
            return [info("resource_metadata_absent", what, "clients must be configured by hand", section)], ()
        finding = failure if named else warning
        why = "a client cannot find the authorization server of this API"
        fix = "publish the document there, or correct resource_metadata in the challenge"
        return [finding("resource_metadata", f"{where} has no metadata of this API: {problem}", why, fix, section)], ()
    findings = [ok("resource_metadata_found", f"the metadata of this API is at {where}", section)]
    findings += _resource(document, api)
    servers: object = document.get("authorization_servers")
    texts = [one for one in cast("list[object]", servers) if isinstance(one, str)] if isinstance(servers, list) else []
    if texts:
        names = listed(map(shown_url, texts))
        findings.append(ok("authorization_servers", f"its authorization servers are {names}"))
    else:
        findings.append(
            warning(
                "no_authorization_servers",
                "the metadata of this API names no authorization server",
                "a client cannot find the server that issues tokens for this API",
                'add "authorization_servers": ["https://…"]',
                "RFC 9728 §2",
            )
        )
    return findings, tuple(texts)


def _resource(document: dict[str, Any], api: str) -> list[Finding]:
    named: object = document.get("resource")
    section = "RFC 9728 §3.3"
    why = "a client must not use the metadata, because an attacker's API could name the metadata of another API"
    if named == api:
        return [ok("resource_matches", "the metadata names exactly this URL as the resource", section)]
    if isinstance(named, str) and _contains(named, api):
        what = f"the metadata names {shown_url(named)} as the resource, which contains {shown_url(api)}"
        return [
            info("resource_contains", what, "a client compares it with the URL that it was configured with", section)
        ]
    resource = shown_url(named) if isinstance(named, str) else "no URL"
    fix = f'name the URL that clients use as "resource", for instance {shown_url(api)}'
    return [
        failure(
            "resource_mismatch",
            f"the metadata names {resource} as the resource, not {shown_url(api)}",
            why,
            fix,
            section,
        )
    ]


def _contains(resource: str, api: str) -> bool:
    one, other = urlsplit(resource), urlsplit(api)
    path = one.path.rstrip("/") + "/"
    return (one.scheme, one.netloc) == (other.scheme, other.netloc) and (other.path + "/").startswith(path)
