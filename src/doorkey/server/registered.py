"""Clients that registered themselves: the accepted metadata, and the `Client` made from it (RFC 7591 §2).

A member that the server does not support is ignored (§2). Members that would cause requests of the server, such as
`jwks_uri` and `backchannel_logout_uri`, are not accepted, because the registering party has not been checked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import urlsplit

from doorkey.errors import UsageError, printable
from doorkey.protocol.grants import DEVICE_CODE
from doorkey.protocol.registration import (
    PRIVATE,
    InvalidClientMetadata,
    InvalidRedirectURI,
    UnapprovedSoftwareStatement,
)
from doorkey.server.checks import is_parsable
from doorkey.server.registrations import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    CLIENT_SECRET_BASIC,
    METHODS,
    NONE,
    PRIVATE_KEY_JWT,
    REFRESH_TOKEN,
    RESPONSE_TYPES,
    Client,
)
from doorkey.values import Secret
from doorkey.wire.urls import check_endpoint, is_loopback

IMPLICIT: Final = "implicit"
GRANT_TYPES: Final = (AUTHORIZATION_CODE, IMPLICIT, REFRESH_TOKEN, CLIENT_CREDENTIALS, DEVICE_CODE)
"""The grants that a client may register for itself. No grant for a user without a consent page is among them."""
MAX_METADATA: Final = 16 * 1024
"""The limit for the metadata of one client, in characters of JSON."""
MAX_LIST: Final = 20
MAX_URI: Final = 2048

DEFAULT_SCOPES: Final = ("profile", "email")
OPTIONAL_SCOPES: Final = ("openid", "offline_access", "address", "phone", "scope-1")
AUDIENCES: Final = {"scope-1": "resource-server"}

_URI: Final = re.compile(r"[\x21-\x7e]+")
_LISTS: Final = ("redirect_uris", "post_logout_redirect_uris", "grant_types", "response_types", "contacts")
_TEXTS: Final = ("client_name", "client_uri", "logo_uri", "tos_uri", "policy_uri", "software_id", "software_version")
_ALGS: Final = (
    *(f"{what}_signed_response_alg" for what in ("id_token", "userinfo", "introspection")),
    *(f"{what}_encrypted_response_{part}" for what in ("id_token", "userinfo") for part in ("alg", "enc")),
)
_OTHERS: Final = ("application_type", "token_endpoint_auth_method", "scope")
_REFUSED: Final = {
    "jwks_uri": "jwks_uri is not supported: send the public keys as jwks",
    "sector_identifier_uri": "sector_identifier_uri is not supported",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """A client that registered itself: its accepted metadata, and the credentials that the server issued.

    `token` is the SHA-256 of the registration access token. `issued_at` is POSIX seconds.
    """

    client_id: str
    metadata: Mapping[str, Any] = field(hash=False)
    token: str
    issued_at: int
    secret: Secret | None = None

    def encoded(self) -> str:
        """Return the registration as the text of a store record."""
        members = {"client_id": self.client_id, "metadata": self.metadata, "token": self.token}
        secret = None if self.secret is None else self.secret.reveal()
        return json.dumps({**members, "issued_at": self.issued_at, "secret": secret}, separators=(",", ":"))

    @classmethod
    def decoded(cls, text: str) -> Registration:
        """Return the registration from the text of a store record."""
        members: dict[str, Any] = json.loads(text)
        secret = members.pop("secret")
        return cls(**members, secret=None if secret is None else Secret(secret))

    @property
    def client(self) -> Client:
        """The `Client` that this registration defines."""
        return client_of(self.client_id, self.metadata, self.secret)


def accepted(members: Mapping[str, Any], default_method: str = CLIENT_SECRET_BASIC) -> dict[str, Any]:
    """Return the metadata to register for a client, with the defaults filled in (RFC 7591 §2).

    members: the metadata that the client sent.
    default_method: the default of `token_endpoint_auth_method`.

    Raises `InvalidRedirectURI`, `InvalidClientMetadata` and `UnapprovedSoftwareStatement`.
    """
    if "software_statement" in members:
        raise UnapprovedSoftwareStatement(
            description="no issuer of software statements is trusted: omit software_statement", status=400
        )
    for name, why in _REFUSED.items():
        if name in members:
            raise _invalid(why)
    known = (*_LISTS, *_TEXTS, *_ALGS, *_OTHERS, "jwks")
    found = {name: members[name] for name in known if members.get(name) is not None}
    if len(json.dumps(found)) > MAX_METADATA:
        raise _invalid(f"the metadata has more than {MAX_METADATA} characters")
    for name in _LISTS:
        _check_list(found.get(name, []), name)
    for name in (*_TEXTS, *_ALGS, *_OTHERS):
        if not isinstance(found.get(name, ""), str):
            raise _invalid(f"{name} is not a string")
    found.setdefault("token_endpoint_auth_method", default_method)
    found.setdefault("grant_types", [AUTHORIZATION_CODE])
    found.setdefault("response_types", ["code"] if AUTHORIZATION_CODE in found["grant_types"] else [])
    _check_uris(found)
    _check_grants(found)
    _check_method(found)
    _check_scope(found)
    try:
        client_of("client", found, None if found["token_endpoint_auth_method"] == NONE else Secret("placeholder"))
    except UsageError as wrong:
        raise _invalid(wrong.description) from None
    return found


def client_of(client_id: str, metadata: Mapping[str, Any], secret: Secret | None) -> Client:
    """Return the client that accepted `metadata` defines. It must use PKCE, and needs the consent of each user."""
    callbacks: list[str] = metadata.get("redirect_uris", [])
    origins = dict.fromkeys("{0.scheme}://{0.netloc}".format(urlsplit(uri)) for uri in callbacks if "://" in uri)
    scopes = metadata["scope"].split() if "scope" in metadata else [*DEFAULT_SCOPES, *OPTIONAL_SCOPES]
    return Client(
        client_id=client_id,
        client_name=metadata.get("client_name"),
        secret=secret,
        auth_methods=(metadata["token_endpoint_auth_method"],),
        jwks=metadata.get("jwks"),
        grants=frozenset(metadata["grant_types"]),
        response_types=tuple(metadata["response_types"]),
        redirect_uris=tuple(callbacks),
        post_logout_redirect_uris=tuple(metadata.get("post_logout_redirect_uris", ())),
        web_origins=tuple(origins),
        default_scopes=tuple(one for one in DEFAULT_SCOPES if one in scopes),
        optional_scopes=tuple(one for one in OPTIONAL_SCOPES if one in scopes),
        audiences=AUDIENCES,
        require_pkce=True,
        require_consent=True,
        **{name: metadata[name] for name in _ALGS if name in metadata},
    )


def redirect_uri_problem(uri: str) -> str | None:
    """Return why a client may not register `uri` for itself, or None if it may (RFC 6749 §3.1.2, RFC 8252 §7, §8.4)."""
    if len(uri) > MAX_URI or not _URI.fullmatch(uri):
        return "is too long, or has a character that a URI cannot contain"
    if "#" in uri or "*" in uri:
        return "has a fragment or a wildcard"
    if not is_parsable(uri):
        return "cannot be parsed as a URL"
    scheme, colon, _ = uri.partition(":")
    if not colon:
        return "is not absolute"
    if scheme.lower() not in ("http", "https"):
        return None if "." in scheme else "has a private scheme that is not a reversed domain, such as com.example.app"
    try:
        check_endpoint(uri, "redirect URI")
    except UsageError as wrong:
        return wrong.description.removeprefix("the redirect URI ")
    if scheme.lower() == "http" and not is_loopback(urlsplit(uri).hostname or ""):
        return "is plain http, which is allowed on loopback only"
    return None


def _check_list(value: object, name: str) -> None:
    several = cast("list[object]", value)
    if not isinstance(value, list) or len(several) > MAX_LIST or not all(isinstance(one, str) for one in several):
        kind = InvalidRedirectURI if name == "redirect_uris" else InvalidClientMetadata
        raise kind(description=f"{name} is not a list of at most {MAX_LIST} strings", status=400)


def _check_uris(found: Mapping[str, Any]) -> None:
    uris: list[str] = found.get("redirect_uris", [])
    for name in ("redirect_uris", "post_logout_redirect_uris"):
        for place, uri in enumerate(cast("list[str]", found.get(name, [])), 1):
            if (why := redirect_uri_problem(uri)) is not None:
                kind = InvalidRedirectURI if name == "redirect_uris" else InvalidClientMetadata
                raise kind(description=f"number {place} of {name} {why}", status=400)
    if not uris and {AUTHORIZATION_CODE, IMPLICIT} & set(found["grant_types"]):
        raise InvalidRedirectURI(description="redirect_uris is missing: the grant type needs one", status=400)


def _check_grants(found: Mapping[str, Any]) -> None:
    grants: list[str] = found["grant_types"]
    for name in grants:
        if name not in GRANT_TYPES:
            raise _invalid(f"grant_types: {printable(name, 80)} is not one of {', '.join(GRANT_TYPES)}")
    for name in cast("list[str]", found["response_types"]):
        if " ".join(sorted(name.split())) not in RESPONSE_TYPES:
            raise _invalid(f"response_types: {printable(name, 80)} is not one of {', '.join(RESPONSE_TYPES)}")
        needed = {AUTHORIZATION_CODE if one == "code" else IMPLICIT for one in name.split()}
        if not needed <= set(grants):
            missing = ", ".join(sorted(needed - set(grants)))
            raise _invalid(f"response type {name} needs the grant type {missing} (RFC 7591 §2.1)")


def _check_method(found: Mapping[str, Any]) -> None:
    method, keys = found["token_endpoint_auth_method"], found.get("jwks")
    if method not in METHODS:
        raise _invalid(f"token_endpoint_auth_method {printable(method, 80)} is not one of {', '.join(METHODS)}")
    if method == NONE and CLIENT_CREDENTIALS in found["grant_types"]:
        raise _invalid("client_credentials needs client authentication: use another token_endpoint_auth_method")
    if keys is None and method == PRIVATE_KEY_JWT:
        raise _invalid("private_key_jwt needs jwks")
    if keys is None:
        return
    several: object = cast("Mapping[str, Any]", keys).get("keys") if isinstance(keys, Mapping) else None
    if not isinstance(several, list) or len(cast("list[object]", several)) > MAX_LIST:
        raise _invalid("jwks is not a JWK Set")
    for key in cast("list[object]", several):
        if not isinstance(key, Mapping) or PRIVATE & set(cast("Mapping[str, Any]", key)):
            raise _invalid("jwks has a private or symmetric key: send only public keys")


def _check_scope(found: Mapping[str, Any]) -> None:
    known = (*DEFAULT_SCOPES, *OPTIONAL_SCOPES)
    for token in cast("str", found.get("scope", "")).split():
        if token not in known:
            raise _invalid(f"scope: {printable(token, 80)} is not one of {' '.join(known)}")


def _invalid(why: str) -> InvalidClientMetadata:
    return InvalidClientMetadata(description=why, status=400)
