"""Assertions as RFC 7523 §3 shapes them: fresh, short-lived, for one audience, by whichever key."""

import hashlib
import hmac
import json
import warnings
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any

import pytest
from joserfc import jwk, jws
from joserfc.errors import SecurityWarning

from doorkey.errors import UsageError
from doorkey.protocol.client_assertion import ASSERTION_TYPE, LIFETIME, ClientSecretJWT, PrivateKeyJWT
from doorkey.protocol.client_identity import ClientIdentity
from doorkey.values import Secret
from doorkey.wire.parameters import parse_form

URL, NOW = "https://as.example/token", 1_800_000_000.7
SECRET = "a secret of at least 512 bits, as every one of the HMAC algorithms is content with"
RSA = jwk.generate_key("RSA", 2048, {"kid": "rsa-1"})
EC = {curve: jwk.generate_key("EC", curve) for curve in ("P-256", "P-384", "P-521")}
ED = jwk.generate_key("OKP", "Ed25519")
ALL_ALGORITHMS = ["HS256", "HS384", "HS512", "RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"]


def asserted(method: Any, credential: object = None, audience: str = "https://as.example") -> dict[str, str]:
    held = Secret(credential) if isinstance(credential, str) else credential
    uri, headers, body = method(
        ClientIdentity("client-1", held, audience, NOW), "POST", URL, {"X": "1"}, "grant_type=x"
    )
    assert (uri, dict(headers)) == (URL, {"X": "1"})
    assert isinstance(body, str)
    return dict(parse_form(body))


def opened(form: dict[str, str], key: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    registry = jws.JWSRegistry(algorithms=ALL_ALGORITHMS, strict_check_header=False)
    with warnings.catch_warnings(action="ignore", category=SecurityWarning):  # joserfc calls EdDSA by its newer names
        token = jws.deserialize_compact(form["client_assertion"], key, registry=registry)
    return dict(token.headers()), json.loads(token.payload)


def test_the_form_is_that_of_rfc_7523_section_2_2() -> None:
    form = asserted(PrivateKeyJWT(), RSA.as_pem(private=True).decode())
    assert form.keys() == {"grant_type", "client_id", "client_assertion_type", "client_assertion"}
    assert form["client_assertion_type"] == ASSERTION_TYPE == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def test_the_claims_are_those_of_rfc_7523_section_3_and_expire_in_a_minute() -> None:
    header, claims = opened(asserted(ClientSecretJWT(), SECRET), jwk.import_key(SECRET, "oct"))
    jti = claims.pop("jti")
    assert claims == {
        "iss": "client-1",
        "sub": "client-1",
        "aud": "https://as.example",
        "iat": 1_800_000_000,
        "exp": 1_800_000_000 + LIFETIME,
    }
    assert LIFETIME <= 60
    assert len(jti) >= 22
    assert header == {"alg": "HS256", "typ": "JWT"}


def test_every_assertion_has_its_own_jti() -> None:
    method, key = ClientSecretJWT(), jwk.import_key(SECRET, "oct")
    assert len({opened(asserted(method, SECRET), key)[1]["jti"] for _ in range(20)}) == 20


@pytest.mark.parametrize(
    "method",
    [ClientSecretJWT("https://as.example/token"), ClientSecretJWT(audience="https://as.example/token")],
)
def test_the_audience_is_chosen_by_the_method(method: ClientSecretJWT) -> None:
    assert opened(asserted(method, SECRET), jwk.import_key(SECRET, "oct"))[1]["aud"] == "https://as.example/token"


@pytest.mark.parametrize(
    "form_of_the_key",
    [
        lambda: RSA.as_pem(private=True).decode(),
        lambda: RSA.as_pem(private=True),
        lambda: RSA.as_dict(private=True),
        lambda: json.dumps(RSA.as_dict(private=True)),
        lambda: RSA,
        lambda: RSA.private_key,
    ],
    ids=["PEM text", "PEM bytes", "JWK", "JWK text", "a joserfc key", "a cryptography key"],
)
def test_a_private_key_may_be_given_in_any_form(form_of_the_key: Callable[[], object]) -> None:
    given = form_of_the_key()
    assert opened(asserted(PrivateKeyJWT(), given), RSA)[0]["alg"] == "RS256"
    assert opened(asserted(PrivateKeyJWT(key=given)), RSA)[0]["alg"] == "RS256"


def test_the_kid_of_a_jwk_is_named_and_can_be_replaced() -> None:
    key = RSA.as_dict(private=True)
    assert opened(asserted(PrivateKeyJWT(), key), RSA)[0]["kid"] == "rsa-1"
    assert opened(asserted(PrivateKeyJWT(headers={"kid": "mine", "x": 1}), key), RSA)[0] == {
        "alg": "RS256",
        "typ": "JWT",
        "kid": "mine",
        "x": 1,
    }


@pytest.mark.parametrize(("curve", "alg"), [("P-256", "ES256"), ("P-384", "ES384"), ("P-521", "ES512")])
def test_a_jwk_on_a_curve_says_which_algorithm_it_is_for(curve: str, alg: str) -> None:
    key = EC[curve]
    assert opened(asserted(PrivateKeyJWT(), key.as_dict(private=True)), key)[0]["alg"] == alg


def test_an_ed25519_jwk_signs_eddsa() -> None:
    assert opened(asserted(PrivateKeyJWT(), ED.as_dict(private=True)), ED)[0]["alg"] == "EdDSA"


def test_the_algorithm_is_that_of_the_method_then_of_its_headers_then_of_the_key() -> None:
    plain = RSA.as_dict(private=True)
    marked = {**plain, "alg": "PS256"}
    assert opened(asserted(PrivateKeyJWT(), marked), RSA)[0]["alg"] == "PS256"
    assert opened(asserted(PrivateKeyJWT(headers={"alg": "PS256"}), plain), RSA)[0]["alg"] == "PS256"
    assert opened(asserted(PrivateKeyJWT(alg="PS256"), plain), RSA)[0]["alg"] == "PS256"
    assert opened(asserted(ClientSecretJWT(alg="HS512"), SECRET), jwk.import_key(SECRET, "oct"))[0]["alg"] == "HS512"


def test_claims_are_added_and_cannot_override_ours() -> None:
    method = ClientSecretJWT(claims={"x": 1, "iss": "other", "sub": "other", "exp": 9e9, "jti": "same", "aud": "other"})
    claims = opened(asserted(method, SECRET), jwk.import_key(SECRET, "oct"))[1]
    assert claims["x"] == 1
    assert (claims["iss"], claims["sub"], claims["aud"]) == ("client-1", "client-1", "https://as.example")
    assert claims["jti"] != "same"
    assert claims["exp"] == 1_800_000_060


@pytest.mark.parametrize("method", [ClientSecretJWT(), PrivateKeyJWT()])
@pytest.mark.parametrize("key", [None, "", b"", {}])
def test_without_a_key_nothing_is_asserted(method: Any, key: object) -> None:
    with pytest.raises(UsageError, match="needs a key"):
        asserted(method, key)


@pytest.mark.parametrize(
    ("method", "key"),
    [
        (PrivateKeyJWT(), "hunter2 is no key"),
        (PrivateKeyJWT(), '{"kty": "RSA", "hunter2"'),
        (PrivateKeyJWT(), '{"kty": "hunter2"}'),
        (PrivateKeyJWT(), RSA.as_pem(private=False).decode()),
        (PrivateKeyJWT(alg="none"), RSA.as_pem(private=True).decode()),
        (PrivateKeyJWT(alg="hunter2"), RSA.as_pem(private=True).decode()),
        (PrivateKeyJWT(alg="ES256"), RSA.as_pem(private=True).decode()),
        (PrivateKeyJWT(alg="HS256"), RSA.as_pem(private=False).decode()),
        (ClientSecretJWT(), "hunter2"),
        (ClientSecretJWT(alg="none"), SECRET),
        (ClientSecretJWT(alg="RS256"), SECRET),
        (ClientSecretJWT(claims={"x": object()}), SECRET),
    ],
)
def test_a_key_that_does_not_fit_is_a_usage_error_that_does_not_show_it(method: Any, key: str) -> None:
    with pytest.raises(UsageError) as caught:
        asserted(method, key)
    assert key not in str(caught.value)


def test_an_assertion_travels_in_a_body() -> None:
    with pytest.raises(UsageError, match="POST"):
        ClientSecretJWT()(ClientIdentity("client-1", Secret(SECRET), URL, NOW), "GET", URL, {}, "")


def test_nothing_given_is_changed_later_and_nothing_is_shown() -> None:
    claims, headers = {"x": 1}, {"kid": "a"}
    method = ClientSecretJWT(claims=claims, headers=headers, key=SECRET)
    claims["x"], headers["kid"] = 2, "b"
    header, signed = opened(asserted(method), jwk.import_key(SECRET, "oct"))
    assert (header["kid"], signed["x"]) == ("a", 1)
    assert repr(method) == "<ClientSecretJWT HS256>"
    assert repr(PrivateKeyJWT(alg="ES256", key=SECRET)) == "<PrivateKeyJWT ES256>"
    assert (ClientSecretJWT.name, PrivateKeyJWT.name) == ("client_secret_jwt", "private_key_jwt")


def test_a_secret_that_a_server_chose_too_short_signs_where_that_is_allowed() -> None:
    def asked(method: ClientSecretJWT) -> str:
        client = ClientIdentity("c", Secret("short"), "https://as.example", 1_800_000_000.0)
        return str(method(client, "POST", "https://as.example/token", {}, "")[2])

    with pytest.raises(UsageError, match=r"at least 32 bytes.*allow_short_secret=True"):
        asked(ClientSecretJWT())
    assertion = dict(parse_form(asked(ClientSecretJWT(allow_short_secret=True))))["client_assertion"]
    signed, _, signature = assertion.rpartition(".")
    expected = urlsafe_b64encode(hmac.new(b"short", signed.encode(), hashlib.sha256).digest()).rstrip(b"=").decode()
    assert signature == expected
