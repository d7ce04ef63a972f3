"""The rules for the members of a metadata document (RFC 8414 §2, OpenID Connect Discovery 1.0 §3).

A rule is a function of the document and the member's name. It raises a `UsageError` with that name and the cause.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, cast
from urllib.parse import urlsplit

from doorkey.common.security import is_secure_transport
from doorkey.common.urls import is_valid_url
from doorkey.errors import UsageError

_LANGUAGE_TAG: Final = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")
"""The syntax of BCP 47 (RFC 5646 §2.1), without the registry."""

_SIGNED: Final = {"private_key_jwt", "client_secret_jwt"}
_IMPLIED_GRANTS: Final = ["authorization_code", "implicit"]
_IMPLIED_METHODS: Final = ["client_secret_basic"]


def required(
    rule: Callable[[Mapping[str, Any], str], None],
) -> Callable[[Mapping[str, Any], str], None]:
    """Return a rule that requires the member, and then applies `rule`."""

    def check(document: Mapping[str, Any], name: str) -> None:
        if document.get(name) in (None, ""):
            raise UsageError(f'"{name}" is required')
        rule(document, name)

    return check


def secure_url(document: Mapping[str, Any], name: str) -> None:
    """Accept an https URL, or an http URL at loopback."""
    url = document.get(name)
    if url is not None and not is_secure_transport(url):
        raise UsageError(f'"{name}" must be an https URL: plain http is for loopback only')


def page(document: Mapping[str, Any], name: str) -> None:
    """Accept the URL of a page for people."""
    url = document.get(name)
    if url is not None and not is_valid_url(url):
        raise UsageError(f'"{name}" must be an absolute URL')


def boolean(document: Mapping[str, Any], name: str) -> None:
    """Accept true and false."""
    if not isinstance(document.get(name, True), bool):
        raise UsageError(f'"{name}" must be true or false')


def array(document: Mapping[str, Any], name: str) -> None:
    """Accept an array of strings."""
    _strings(document, name)


def one_of(*allowed: str) -> Callable[[Mapping[str, Any], str], None]:
    """Return a rule that accepts an array of `allowed` values only."""

    def check(document: Mapping[str, Any], name: str) -> None:
        if not set(_strings(document, name)) <= set(allowed):
            raise UsageError(f'"{name}" may contain only {", ".join(allowed)}')

    return check


def language_tags(document: Mapping[str, Any], name: str) -> None:
    """Accept an array of language tags (BCP 47)."""
    if not all(_LANGUAGE_TAG.fullmatch(tag) for tag in _strings(document, name)):
        raise UsageError(f'"{name}" must contain language tags, for instance "en" or "fr-CA" (BCP 47)')


def issuer(document: Mapping[str, Any], name: str) -> None:
    """Accept an https URL without query and fragment."""
    required(secure_url)(document, name)
    parts = urlsplit(str(document[name]))
    if parts.query or parts.fragment:
        raise UsageError(f'"{name}" must not have a query or a fragment')


def authorization_endpoint(document: Mapping[str, Any], name: str) -> None:
    """Accept an https URL. It is required if a grant of the server uses this endpoint."""
    grants = _strings(document, "grant_types_supported", _IMPLIED_GRANTS)
    (required(secure_url) if {*grants} & {*_IMPLIED_GRANTS} else secure_url)(document, name)


def token_endpoint(document: Mapping[str, Any], name: str) -> None:
    """Accept an https URL. It is required unless the server's only grant is the implicit one."""
    grants = _strings(document, "grant_types_supported", _IMPLIED_GRANTS)
    (secure_url if grants == ["implicit"] else required(secure_url))(document, name)


def alg_values(document: Mapping[str, Any], name: str) -> None:
    """Accept the algorithms of client assertions, never `none`. They are required if an authentication method signs."""
    algorithms = _strings(document, name)
    methods = name.replace("_signing_alg_values_", "_methods_")
    if not algorithms and _SIGNED & {*_strings(document, methods, _IMPLIED_METHODS)}:
        raise UsageError(f'"{name}" is required, because "{methods}" contains a method that signs')
    if "none" in algorithms:
        raise UsageError(f'"{name}" must not contain "none"')


def id_token_algorithms(document: Mapping[str, Any], name: str) -> None:
    """Accept an array of algorithms that contains RS256."""
    if "RS256" not in _strings(document, name):
        raise UsageError(f'"{name}" must contain "RS256"')


def _strings(document: Mapping[str, Any], name: str, default: list[str] | None = None) -> list[str]:
    values: object = document.get(name)
    if values is None:
        return default or []
    if not isinstance(values, list) or not all(isinstance(one, str) for one in cast("list[object]", values)):
        raise UsageError(f'"{name}" must be an array of strings')
    return cast("list[str]", values)
