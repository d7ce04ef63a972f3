"""The fuzz targets: each passes bytes to one group of parsers. An exception that is not an `OAuthError` is a fault."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

from doorkey.errors import OAuthError
from doorkey.jose import JsonWebToken, JWTClaims
from doorkey.jose.encrypted_claims import decrypt_claims
from doorkey.jose.encryption import decrypt, decrypt_nested, encrypt, unsafe_encrypted_header
from doorkey.jose.encryption_algorithms import MANAGEMENT
from doorkey.jose.json_web_encryption import EncryptionAlgorithms
from doorkey.jose.keys import import_key, import_key_set, import_keys, import_own_keys
from doorkey.jose.verification import unsafe_claims, unsafe_header, verify
from doorkey.oidc.core import CodeIDToken, HybridIDToken, UserInfo
from doorkey.oidc.core.agreement import check_channels, check_renewed
from doorkey.oidc.core.claim_sources import claim_sources
from doorkey.oidc.core.unsigned import read_unsigned
from doorkey.oidc.logout import FrontChannelLogout, LogoutToken
from doorkey.protocol.access_token import check_binding, check_introspected, check_jwt, client_of, scopes_of
from doorkey.protocol.authorization import AuthorizationTransaction, parse_callback
from doorkey.protocol.challenge import is_invalid_token
from doorkey.protocol.discovery import fetch_metadata
from doorkey.protocol.http_caching import freshness_lifetime
from doorkey.protocol.introspection import parse_introspection, parse_signed, signed_response
from doorkey.protocol.jwks import parse_jwks
from doorkey.protocol.logout import check_logout_response, logout_parameters
from doorkey.protocol.metadata import ServerMetadata, parse_metadata
from doorkey.protocol.presented_token import presented_token
from doorkey.protocol.protected_resource import parse_protected_resource
from doorkey.protocol.revocation import check_revocation
from doorkey.protocol.token_endpoint import parse_token, token_of
from doorkey.protocol.token_profiles import KEYCLOAK, RFC9068
from doorkey.protocol.userinfo import parse_userinfo
from doorkey.protocol.webfinger import parse_issuer, resource_of
from doorkey.tokens import OAuth2Token
from doorkey.values import Secret
from doorkey.wire.flow import run
from doorkey.wire.responses import retry_after
from tools.fuzz.messages import ISSUER, NOW, as_json, members_of, pairs_of, response_of, text_of
from tools.fuzz.seeds import CLAIMS, DECRYPTS, SECRET, SIGNS


@contextmanager
def only_ours() -> Generator[None]:
    """Suppress an `OAuthError` whose text is bounded and printable. Every other exception is a fault."""
    try:
        yield
    except OAuthError as error:
        shown = str(error) + repr(error)
        assert len(shown) < 16_384, "the error is not bounded"
        assert shown.isprintable(), "the error is not printable"


def token_response(data: bytes) -> None:
    """Parse a response of the token endpoint, and store the token (RFC 6749 §5)."""
    answer = response_of(data)
    several: tuple[dict[str, Any], ...] = ({}, {"openid": True, "refresh_token": Secret("old")}, {"bound": True})
    for options in several:
        with only_ours():
            token = parse_token(answer, requested_at=NOW, **options)
            as_json(dict(OAuth2Token(token))).decode()
    with only_ours():
        token_of(members_of(answer.body), requested_at=NOW)
    with only_ours():
        check_revocation(answer, NOW)
    with only_ours():
        OAuth2Token(members_of(answer.body))


def callback(data: bytes) -> None:
    """Parse an authorization response as a URL, a fragment and a posted form (RFC 6749 §4.1.2, RFC 9207)."""
    text = text_of(data)
    for fragment in (False, True):
        with only_ours():
            parse_callback(text, state="state", issuer=ISSUER, iss_required=fragment, fragment=fragment)
    with only_ours():
        parse_callback(dict(pairs_of(text)), state="state")
    with only_ours():
        parse_callback(members_of(data), state="state")
    with only_ours():
        AuthorizationTransaction.from_json(data)


def jwt(data: bytes) -> None:
    """Read a signed token in every way (RFC 7515, RFC 7519)."""
    text = text_of(data)
    for keys, algorithms in (
        (SIGNS, ["ES256"]),
        ({"keys": [SIGNS.as_dict()]}, ["ES256", "RS256"]),
        (SECRET, ["HS256"]),
    ):
        with only_ours():
            verify(text, keys, algorithms=algorithms, typ=["JWT", "at+jwt"])
        with only_ours():
            JsonWebToken(algorithms).decode(text, keys).validate(NOW)
    for read in (unsafe_header, unsafe_claims, read_unsigned):
        with only_ours():
            read(text)


def id_token(data: bytes) -> None:
    """Check claims whose signature was verified (OpenID Connect Core §3.1.3.7, §12.2)."""
    claims = members_of(data)
    header = {"alg": claims.get("alg", "ES256"), "typ": claims.get("typ", "JWT")}
    params = {"issuer": ISSUER, "client_id": "client-1", "nonce": "nonce", "max_age": 60, "access_token": "at"}
    checks: tuple[Callable[[], object], ...] = (
        lambda: CodeIDToken(claims, header, None, params).validate(NOW),
        lambda: HybridIDToken(claims, header, {"acr": {"values": ["2"]}}, {**params, "code": "code"}).validate(NOW),
        lambda: JWTClaims(claims, header).validate(NOW),
        lambda: check_renewed(CLAIMS, claims),
        lambda: check_channels(CLAIMS, claims),
    )
    for check in checks:
        with only_ours():
            check()


def logout(data: bytes) -> None:
    """Read logout tokens, logout requests and logout responses (Back- and Front-Channel Logout 1.0)."""
    claims, text = members_of(data), text_of(data)
    with only_ours():
        LogoutToken(claims, {"typ": claims.get("typ", "logout+jwt")}, None, {"issuer": ISSUER}).validate(NOW)
    with only_ours():
        LogoutToken(unsafe_claims(text), unsafe_header(text)).validate(NOW)
    for given in (text, claims):
        with only_ours():
            check_logout_response(given, state="state")
        with only_ours():
            FrontChannelLogout.of(logout_parameters(given), ISSUER)


def jwe(data: bytes) -> None:
    """Decrypt a token, and read the header and the contents of encrypted tokens (RFC 7516)."""
    text = text_of(data)
    for keys in (DECRYPTS, SECRET):
        with only_ours():
            decrypt(text, keys, algorithms=(*MANAGEMENT, "DEF"))
        with only_ours():
            decrypt_nested(text, keys, algorithms=tuple(MANAGEMENT))
    with only_ours():
        unsafe_encrypted_header(text)
    header = members_of(data)
    with only_ours():
        own = {name: value for name, value in header.items() if name not in ("alg", "enc")}
        token = encrypt(data, SECRET, alg="dir", enc="A128CBC-HS256", header=own)
        decrypt_claims(token, SECRET, EncryptionAlgorithms(["dir"]))


def jwks(data: bytes) -> None:
    """Read a key set as a server publishes it, and keys as programs pass them (RFC 7517)."""
    answer = response_of(data)
    with only_ours():
        parse_jwks(answer, NOW)
    for read in (import_key_set, import_keys, import_own_keys, import_key):
        for given in (answer.body, text_of(answer.body), members_of(answer.body)):
            with only_ours():
                read(given)


def metadata(data: bytes) -> None:
    """Read metadata of authorization servers and protected resources, and WebFinger (RFC 8414, 9728, 7033)."""
    answer = response_of(data)
    members = members_of(answer.body)
    with only_ours():
        run(fetch_metadata(ISSUER, NOW), lambda _: answer)
    with only_ours():
        parse_metadata(members, ISSUER)
    with only_ours():
        ServerMetadata.from_mapping(members)
    with only_ours():
        parse_protected_resource(answer, "https://api.example", NOW)
    with only_ours():
        parse_issuer(answer, now=NOW)
    with only_ours():
        resource_of(text_of(data))


def challenge(data: bytes) -> None:
    """Read headers: challenges, waiting and caching times, and the token of a request (RFC 6750, RFC 9110)."""
    text = data.decode("latin-1")
    answer = response_of(data)
    with only_ours():
        is_invalid_token(text)
    with only_ours():
        retry_after(answer, NOW)
    with only_ours():
        freshness_lifetime(answer, NOW)
    for headers in (
        answer.headers,
        (("Authorization", text),),
        (("Authorization", text), ("authorization", "Bearer t")),
    ):
        with only_ours():
            presented_token(headers, text, pairs_of(text), in_query=True)


def introspection(data: bytes) -> None:
    """Read an introspection response, and check it and the claims of an access token (RFC 7662, RFC 9701, RFC 9068)."""
    answer = response_of(data)
    claims = members_of(answer.body)
    header = {"typ": claims.get("typ", "at+jwt")}
    with only_ours():
        parse_introspection(answer, NOW)
    with only_ours():
        signed_response(answer, NOW)
    for check in (
        lambda: parse_signed(claims, issuer=ISSUER, recipients=["api"], now=NOW, leeway=60),
        lambda: check_jwt(header, claims, RFC9068, issuer=ISSUER, audience=["api"], now=NOW, leeway=60),
        lambda: check_jwt(header, claims, KEYCLOAK, issuer=ISSUER, audience=["api"], now=NOW, leeway=60),
        lambda: check_introspected(claims, RFC9068),
        lambda: check_binding(claims, certificate="A" * 43, proven_key="B" * 43),
        lambda: scopes_of(claims, ("scope", "scp")),
        lambda: client_of(claims),
    ):
        with only_ours():
            check()


def userinfo(data: bytes) -> None:
    """Read a UserInfo response and the sources of its claims (OpenID Connect Core §5.3, §5.6)."""
    answer = response_of(data)
    with only_ours():
        claims = parse_userinfo(answer, NOW)
        if isinstance(claims, Mapping):
            UserInfo(claims).check_sub("alice")
            claim_sources(claims)
    with only_ours():
        claim_sources(members_of(answer.body))


TARGETS: dict[str, Callable[[bytes], None]] = {
    target.__name__: target
    for target in (
        *(token_response, callback, jwt, id_token, logout, jwe),
        *(jwks, metadata, challenge, introspection, userinfo),
    )
}
