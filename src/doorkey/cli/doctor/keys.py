"""Checks the key set that an issuer publishes (RFC 7517)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from doorkey.cli.doctor.fetching import Fetched, document_of
from doorkey.cli.doctor.finding import Finding, failure, info, listed, ok, warning
from doorkey.errors import OAuthError, UsageError
from doorkey.jose.algorithms import ASYMMETRIC
from doorkey.jose.keys import Key, import_key
from doorkey.protocol.jwks import parse_jwks
from doorkey.wire.urls import shown_url

_PRIVATE: Final = ("d", "p", "q", "dp", "dq", "qi", "k")
_WHY: Final = "no token of this issuer can be verified"
_SECTION: Final = "RFC 7517 §5"


def check_keys(outcome: Fetched, members: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the findings about the key set in `outcome`. `members` are the members of the issuer's metadata."""
    where = shown_url(outcome.url)
    document, problem = document_of(outcome, "key set")
    if document is None or outcome.response is None:
        yield failure(
            "keys_unreachable",
            f"the key set cannot be fetched from {where}: {problem}",
            _WHY,
            "publish the key set there, or correct jwks_uri in the metadata",
            _SECTION,
        )
        return
    try:
        usable = parse_jwks(outcome.response)
    except OAuthError as error:
        fix = "publish a JWK Set there, or correct jwks_uri"
        yield failure("keys_unreadable", f"{where}: {error.description}", _WHY, fix, _SECTION)
        return
    listed_keys = [cast("dict[str, Any]", one) for one in document["keys"] if isinstance(one, dict)]
    yield from _private(listed_keys)
    yield from _identifiers(listed_keys)
    yield from _skipped(document["keys"])
    if not document["keys"]:
        yield failure("keys_empty", f"the key set at {where} is empty", _WHY, "publish the signing keys", _SECTION)
    elif not usable.keys:
        yield failure(
            "keys_unusable",
            f"the key set at {where} has no key that clients may use",
            _WHY,
            "publish public keys of 2048 bits or more for RSA, or on P-256 or Ed25519",
            _SECTION,
        )
    else:
        yield ok("keys", f"the public keys are {listed(map(_described, usable.keys))}", _SECTION)
        yield from _fitting(usable.keys, members)


def _described(key: Key) -> str:
    jwk = key.public_jwk()
    bits = f" {_bits(jwk)} bits" if key.kty == "RSA" else f" {jwk.get('crv', '')}"
    use = jwk.get("alg") or jwk.get("use") or "any use"
    return f"{key.kty}{bits} ({use}, kid {key.kid!r})" if key.kid else f"{key.kty}{bits} ({use}, no kid)"


def _bits(jwk: Mapping[str, Any]) -> int:
    """Return the length of an RSA modulus in bits, from its base64url text."""
    return len(str(jwk.get("n", ""))) * 3 // 4 * 8


def _private(keys: list[dict[str, Any]]) -> Iterator[Finding]:
    published = [_label(key) for key in keys if any(name in key for name in _PRIVATE)]
    if published:
        yield failure(
            "private_key_published",
            f"private or symmetric keys are published: {listed(published)}",
            "everyone who can read this document can sign tokens as this issuer",
            "replace these keys now, publish public keys only, and revoke the tokens that were issued",
            "RFC 7517 §9.2",
        )


def _identifiers(keys: list[dict[str, Any]]) -> Iterator[Finding]:
    counts = Counter((str(key.get("kid")), str(key.get("kty"))) for key in keys if key.get("kid") is not None)
    twice = [kid for (kid, _), count in counts.items() if count > 1]
    if twice:
        yield failure(
            "duplicate_kid",
            f"several keys have the same kid: {listed(map(repr, twice))}",
            "a token does not identify the key that signed it, and some clients try only the first key",
            "give each key a kid of its own",
            "RFC 7517 §4.5",
        )
    if len(keys) > 1 and (without := sum(1 for key in keys if key.get("kid") is None)):
        yield warning(
            "no_kid",
            f"{without} of {len(keys)} keys have no kid",
            "a client must try the keys one by one, and cannot detect a new key",
            "give each key a kid",
            "RFC 7517 §4.5",
        )


def _skipped(keys: list[Any]) -> Iterator[Finding]:
    for number, key in enumerate(keys):
        if not isinstance(key, dict):
            yield warning("key_malformed", f"key {number} is not an object", "clients skip it", "remove it", _SECTION)
            continue
        jwk = cast("dict[str, Any]", key)
        if any(name in jwk for name in _PRIVATE):
            continue
        try:
            import_key(jwk)
        except UsageError as error:
            yield warning(
                "key_unusable",
                f"{_label(jwk)} cannot be used: {error.description}",
                "clients skip it, so tokens that it signed cannot be verified",
                "replace it by a key that clients accept, or remove it",
                "RFC 7518 §3, RFC 8725 §3.5",
            )


def _fitting(keys: tuple[Key, ...], members: Mapping[str, Any]) -> Iterator[Finding]:
    advertised: object = members.get("id_token_signing_alg_values_supported")
    if not isinstance(advertised, list):
        return
    names = [name for name in ASYMMETRIC if name in cast("list[object]", advertised)]
    if names and not any(key.misfit(name) is None for key in keys for name in names):
        yield failure(
            "no_key_for_algorithms",
            f"no key fits an algorithm that the metadata lists: {listed(names)}",
            "no ID token of this issuer can be verified",
            "publish the key that signs, or list its algorithm in id_token_signing_alg_values_supported",
            "OpenID Connect Discovery §3",
        )
    for key in keys:
        jwk = key.public_jwk()
        if jwk.get("use") is None and jwk.get("key_ops") is None and len(keys) > 1:
            yield info("key_use", f"{_label(jwk)} has neither use nor key_ops", "clients use it for signatures")


def _label(key: Mapping[str, Any]) -> str:
    return f"key {listed([repr(key['kid'])])}" if isinstance(key.get("kid"), str) else f"a key of type {key.get('kty')}"
