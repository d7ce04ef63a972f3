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

from doorkey.errors import TransportError, UsageError
from doorkey.protocol.client_assertion import ASSERTION_TYPE, LIFETIME, ClientSecretJWT, PrivateKeyJWT
from doorkey.protocol.client_auth import authenticate
from doorkey.protocol.client_identity import ClientIdentity
from doorkey.values import Secret
from doorkey.wire.flow import arun, run
from doorkey.wire.messages import Request
from doorkey.wire.parameters import parse_form
from tests.support.tracebacks import local_variables

URL, NOW = "https://as.example/token", 1_800_000_000.7
SECRET = "a secret of at least 512 bits, as every one of the HMAC algorithms is content with"
RSA = jwk.generate_key("RSA", 2048, {"kid": "rsa-1"})
EC = {curve: jwk.generate_key("EC", curve) for curve in ("P-256", "P-384", "P-521")}
ED = jwk.generate_key("OKP", "Ed25519")
ALL_ALGORITHMS = ["HS256", "HS384", "HS512", "RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"]


def asserted(
    method: Any, credential: object = None, audience: str = "https://as.example", listed: object = None
) -> dict[str, str]:
    held = Secret(credential) if isinstance(credential, str) else credential
    request = Request("POST", URL, (("X", "1"),), (("grant_type", "x"),))
    identity = ClientIdentity("client-1", held, audience, NOW, listed)
    signed = run(authenticate(request, identity, method), pytest.fail)
    assert (signed.url, signed.header("X")) == (URL, "1")
    return dict(parse_form(signed.content.decode()))


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


FORMS: dict[str, Callable[[Any], object]] = {
    "PEM": lambda key: key.as_pem(private=True).decode(),
    "JWK": lambda key: key.as_dict(private=True),
    "key object": lambda key: key.private_key,
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("key", "alg"),
    [(EC["P-256"], "ES256"), (EC["P-384"], "ES384"), (EC["P-521"], "ES512"), (ED, "EdDSA"), (RSA, "RS256")],
    ids=["P-256", "P-384", "P-521", "Ed25519", "RSA"],
)
def test_the_algorithm_fits_the_key_in_whatever_form_it_is_given(key: Any, alg: str, form: str) -> None:
    assert opened(asserted(PrivateKeyJWT(), FORMS[form](key)), key)[0]["alg"] == alg


@pytest.mark.parametrize(
    ("listed", "alg"),
    [(["PS256", "ES256"], "PS256"), (["RS256", "PS256"], "RS256"), (["ES256"], "RS256"), ("PS256", "RS256")],
    ids=str,
)
def test_the_algorithm_is_one_that_the_server_lists_if_one_of_them_fits_the_key(listed: object, alg: str) -> None:
    assert opened(asserted(PrivateKeyJWT(), RSA, listed=listed), RSA)[0]["alg"] == alg


def test_the_kid_is_that_of_the_method_or_of_the_key_and_a_thumbprint_only_on_request() -> None:
    key = EC["P-256"]
    plain, named = key.as_dict(private=True), {**key.as_dict(private=True), "kid": "of-the-key"}
    plain.pop("kid", None)
    assert "kid" not in opened(asserted(PrivateKeyJWT(), plain), key)[0]
    assert opened(asserted(PrivateKeyJWT(kid="mine"), named), key)[0]["kid"] == "mine"
    assert opened(asserted(PrivateKeyJWT(thumbprint_kid=True), named), key)[0]["kid"] == "of-the-key"
    assert opened(asserted(PrivateKeyJWT(thumbprint_kid=True), plain), key)[0]["kid"] == key.thumbprint()


def test_a_signer_signs_in_place_of_a_key() -> None:
    key, seen = ED, list[bytes]()
    private: Any = key.private_key

    def signer(data: bytes) -> bytes:
        seen.append(data)
        return bytes(private.sign(data))

    form = asserted(PrivateKeyJWT(signer=signer, alg="EdDSA", kid="kms-1"), None)
    header, claims = opened(form, key)
    assert header == {"alg": "EdDSA", "typ": "JWT", "kid": "kms-1"}
    assert claims["sub"] == "client-1"
    assert form["client_assertion"].startswith(seen[0].decode())


@pytest.mark.anyio
async def test_a_signer_may_be_asynchronous_and_its_error_shows_neither_the_form_nor_its_frames() -> None:
    async def signer(_: bytes) -> bytes:
        raise OSError("the KMS is away")

    request = Request("POST", URL, (("Authorization", "do-not-show"),), (("refresh_token", "do-not-show"),))
    identity = ClientIdentity("client-1", None, "https://as.example", NOW)
    with pytest.raises(TransportError, match="the signer failed with OSError") as caught:
        await arun(authenticate(request, identity, PrivateKeyJWT(signer=signer, alg="ES256")), pytest.fail)
    assert "do-not-show" not in local_variables(caught.value)
    assert isinstance(caught.value.__cause__, OSError)


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
        (PrivateKeyJWT(alg="HS256"), SECRET),
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
    assert repr(method) == "<ClientSecretJWT>"
    assert repr(PrivateKeyJWT(alg="ES256", key=SECRET)) == "<PrivateKeyJWT ES256>"
    assert (ClientSecretJWT.name, PrivateKeyJWT.name) == ("client_secret_jwt", "private_key_jwt")


def test_a_secret_that_a_server_chose_too_short_signs_where_that_is_allowed() -> None:
    def asked(method: ClientSecretJWT) -> str:
        client = ClientIdentity("c", Secret("short"), "https://as.example", 1_800_000_000.0)
        request = Request("POST", "https://as.example/token", ())
        return run(authenticate(request, client, method), pytest.fail).content.decode()

    with pytest.raises(UsageError, match=r"at least 32 bytes.*allow_short_secret=True"):
        asked(ClientSecretJWT())
    assertion = dict(parse_form(asked(ClientSecretJWT(allow_short_secret=True))))["client_assertion"]
    signed, _, signature = assertion.rpartition(".")
    expected = urlsafe_b64encode(hmac.new(b"short", signed.encode(), hashlib.sha256).digest()).rstrip(b"=").decode()
    assert signature == expected


@pytest.mark.parametrize("kind", [PrivateKeyJWT, ClientSecretJWT])
@pytest.mark.parametrize(
    "wrong", [{"claims": 7}, {"claims": "x"}, {"headers": 7}, {"audience": 7}, {"token_endpoint": ["x"]}, {"alg": 7}]
)
def test_an_argument_of_the_wrong_type_is_a_usage_error_at_construction(kind: Any, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        kind(**wrong)
