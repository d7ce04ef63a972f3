"""Settings and registrations of a wrong type or value: a `UsageError` that names the field, and never a later crash."""

from dataclasses import replace
from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.protocol.grants import TOKEN_EXCHANGE
from doorkey.server.model import Settings
from doorkey.server.registrations import Client, TrustedIssuer
from tests.server.world import ALICE, APP

EXCHANGER = replace(APP, grants=APP.grants | {TOKEN_EXCHANGE}, audiences={"profile": "api"})
REALM = Settings(access_token_claims={"resource_access": {"api": {"roles": ["read"]}, "other": {"roles": ["all"]}}})

WRONG_CLAIMS: list[tuple[dict[str, Any], str]] = [
    ({"resource_access": 5}, "resource_access in access_token_claims must be a mapping, not int"),
    ({"resource_access": None}, "resource_access in access_token_claims must be a mapping, not NoneType"),
    ({"resource_access": ["api"]}, "resource_access in access_token_claims must be a mapping, not list"),
    ({"aud": 5}, "aud in access_token_claims must be text, or a list of texts, not int"),
    ({"aud": ["api", 5]}, "aud in access_token_claims must be text, or a list of texts, not int"),
    ({"aud": []}, "aud in access_token_claims must name an audience: add one, or omit aud"),
    ({"exp": "soon"}, "access_token_claims cannot contain 'exp', because the server sets it"),
    ({"jti": "one"}, "access_token_claims cannot contain 'jti', because the server sets it"),
]


@pytest.mark.parametrize(("claims", "cause"), WRONG_CLAIMS)
@pytest.mark.parametrize("owner", [REALM, EXCHANGER, ALICE])
def test_a_wrong_added_claim_is_refused_at_once(owner: Any, claims: dict[str, Any], cause: str) -> None:
    with pytest.raises(UsageError, match=cause):
        replace(owner, access_token_claims=claims)


@pytest.mark.parametrize("jwks", [{"keys": 5}, {"keys": None}, {"keys": "x"}, {"keys": ["x"]}, {"keys": {"kty": "EC"}}])
def test_a_key_set_without_a_list_of_keys_is_refused_at_once(jwks: dict[str, Any]) -> None:
    for make in (lambda: Client(client_id="one", jwks=jwks), lambda: TrustedIssuer(issuer="https://i", jwks=jwks)):
        with pytest.raises(UsageError, match="jwks must be a JWK Set: a mapping whose member `keys` is a list of JWKs"):
            make()


@pytest.mark.parametrize("name", ["redirect_uris", "post_logout_redirect_uris"])
@pytest.mark.parametrize("uri", ["http://[", "http://[::1/cb", "com.example.app://[x]/cb"])
def test_a_uri_that_cannot_be_parsed_is_refused_at_once(name: str, uri: str) -> None:
    wrong: Any = {name: (uri,)}
    with pytest.raises(UsageError, match=f"{name} contains a URI with an invalid host"):
        Client(client_id="one", **wrong)
