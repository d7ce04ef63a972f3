"""Checks the capabilities of a server in its metadata: PKCE, `iss`, algorithms, grants, client authentication."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from doorkey.cli.doctor.finding import Finding, failure, info, listed, ok, warning

_BROKEN: Final = "RSA1_5"
_IMPLICIT: Final = frozenset({"token", "id_token token", "token id_token", "code token", "code id_token token"})


def check_capabilities(members: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the findings about the capabilities in a metadata document."""
    if members.get("authorization_endpoint"):
        yield from _pkce(members)
        yield from _iss(members)
        yield from _response_types(members)
    yield from _id_token_algorithms(members)
    yield from _client_assertions(members)
    yield from _encryption(members)
    yield from _grants(members)
    yield from _client_authentication(members)


def _pkce(members: Mapping[str, Any]) -> Iterator[Finding]:
    section = "RFC 9700 §2.1.1, RFC 7636 §4.2"
    if "code_challenge_methods_supported" not in members:
        yield warning(
            "pkce_unknown",
            "the metadata does not say whether the server supports PKCE",
            "a client cannot know whether its codes are protected; a client that requires PKCE rejects this server",
            'add "code_challenge_methods_supported": ["S256"]',
            section,
        )
        return
    methods = _list(members, "code_challenge_methods_supported")
    if "S256" not in methods:
        yield failure(
            "pkce_no_s256",
            f"PKCE with S256 is not supported: the metadata lists {listed(methods)}",
            "an attacker who reads the authorization request can use a stolen code",
            "support S256 and list it in code_challenge_methods_supported",
            section,
        )
        return
    yield ok("pkce", "PKCE with S256 is supported", section)
    if "plain" in methods:
        yield info("pkce_plain", "PKCE with plain is accepted too", "plain protects only against some attacks")


def _iss(members: Mapping[str, Any]) -> Iterator[Finding]:
    if members.get("authorization_response_iss_parameter_supported") is True:
        yield ok("iss_parameter", "authorization responses name their issuer (iss)", "RFC 9207 §2")
    else:
        yield warning(
            "no_iss_parameter",
            "authorization responses do not name their issuer (iss)",
            "a client of several servers cannot tell which server issued a code (mix-up attack)",
            'send iss, and add "authorization_response_iss_parameter_supported": true',
            "RFC 9207 §3, RFC 9700 §2.1",
        )


def _response_types(members: Mapping[str, Any]) -> Iterator[Finding]:
    if found := _front_channel_tokens(members):
        yield warning(
            "implicit_response_types",
            f"access tokens are issued in the front channel: response types {listed(found)}",
            "such a token is in the URL of the browser, where history, logs and scripts can read it",
            "turn these response types off, and use the code flow with PKCE",
            "RFC 9700 §2.1.2",
        )


def _front_channel_tokens(members: Mapping[str, Any]) -> list[str]:
    return [one for one in _list(members, "response_types_supported") if one in _IMPLICIT]


def _id_token_algorithms(members: Mapping[str, Any]) -> Iterator[Finding]:
    names = _list(members, "id_token_signing_alg_values_supported")
    if "none" in names:
        yield failure(
            "id_token_alg_none",
            "ID tokens without a signature are supported: the metadata lists the algorithm none",
            "a client that accepts such tokens also accepts forged tokens",
            "remove none from id_token_signing_alg_values_supported",
            "RFC 8725 §3.2",
        )
    if symmetric := [name for name in names if name.startswith("HS")]:
        yield info(
            "id_token_hmac",
            f"ID tokens can be signed with the client's secret: {listed(symmetric)}",
            "this works only for clients that can keep a secret; an asymmetric algorithm works for all",
        )


def _client_assertions(members: Mapping[str, Any]) -> Iterator[Finding]:
    for name in sorted(members):
        if name.endswith("_auth_signing_alg_values_supported") and "none" in _list(members, name):
            yield failure(
                "client_auth_alg_none",
                f"{name} lists the algorithm none",
                "a client assertion without a signature proves no identity",
                f"remove none from {name}",
                "RFC 8414 §2",
            )


def _encryption(members: Mapping[str, Any]) -> Iterator[Finding]:
    names = [name for name in sorted(members) if name.endswith("_encryption_alg_values_supported")]
    if found := [name for name in names if _BROKEN in _list(members, name)]:
        yield info(
            "weak_encryption",
            f"the encryption algorithm {_BROKEN} is listed in {listed(found)}",
            "error messages can leak what it encrypts; register clients for RSA-OAEP or ECDH-ES",
            "RFC 8725 §3.2",
        )


def _grants(members: Mapping[str, Any]) -> Iterator[Finding]:
    grants = _list(members, "grant_types_supported")
    if "grant_types_supported" not in members:
        yield info(
            "grants_default",
            "the metadata lists no grant types, so clients assume authorization_code and implicit",
            "RFC 8414 §2 defines this default",
        )
    if "password" in grants:
        yield warning(
            "password_grant",
            "the password grant is supported",
            "it gives the user's password to the client, and works with neither a second factor nor a login page",
            "turn it off, and use the code flow or the device flow",
            "RFC 9700 §2.4",
        )
    if "implicit" in grants and not _front_channel_tokens(members):
        yield info(
            "implicit_grant",
            "the implicit grant is supported, but only without access tokens in its responses",
            "ID tokens are then in URLs; the code flow avoids that",
            "RFC 9700 §2.1.2",
        )


def _client_authentication(members: Mapping[str, Any]) -> Iterator[Finding]:
    name = "token_endpoint_auth_methods_supported"
    if not members.get("token_endpoint"):
        return
    if name not in members:
        yield info(
            "auth_methods_default",
            f"the metadata has no {name}, so clients assume client_secret_basic",
            "RFC 8414 §2 defines this default",
        )
        return
    yield ok("auth_methods", f"clients authenticate by {listed(_list(members, name))}", "RFC 8414 §2")


def _list(members: Mapping[str, Any], name: str) -> list[str]:
    values: object = members.get(name)
    several = cast("list[object]", values) if isinstance(values, list) else []
    return [one for one in several if isinstance(one, str)]
