"""The examples of RFC 7515, 7516, 7517, 7519, 7520, 7638, 8037, 9068 and 9278; those of other forms are refused."""

import json
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest

from doorkey.errors import UsageError, VerificationError
from doorkey.jose import JsonWebKey, JsonWebToken, KeySet
from doorkey.jose.encryption import decrypt, decrypt_nested
from doorkey.jose.encryption_algorithms import MANAGEMENT
from doorkey.jose.errors import BadSignatureError, DecodeError, ExpiredTokenError, UnsupportedAlgorithmError
from doorkey.jose.generation import generate_key
from doorkey.jose.keys import import_key, import_key_set, import_own_keys
from doorkey.jose.signing import sign, sign_bytes
from doorkey.jose.verification import verify, verify_bytes
from doorkey.oidc.core import IDToken

VECTORS = Path(__file__).parents[1] / "vectors"
RFC: dict[str, dict[str, Any]] = json.loads((VECTORS / "rfc" / "examples.json").read_text("utf-8"))
JWS, JWE, JWK, JWT, OKP = (RFC[f"RFC {number}"] for number in (7515, 7516, 7517, 7519, 8037))
CLAIMS = {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True}
EVERY = (*MANAGEMENT, "DEF")


@pytest.mark.parametrize("example", ["A.1", "A.2", "A.3"])
def test_rfc_7515_signed_claims_are_verified(example: str) -> None:
    given = JWS[example]
    assert verify(given["token"], given["key"], algorithms=[given["alg"]]).claims == CLAIMS


def test_rfc_7515_a_4_a_payload_that_is_not_claims_is_verified() -> None:
    given = JWS["A.4"]
    _, payload = verify_bytes(given["token"], given["key"], algorithms=["ES512"])
    assert payload == b"Payload"


@pytest.mark.parametrize("example", ["A.1", "A.2"])
def test_rfc_7515_a_deterministic_signature_is_that_of_the_example(example: str) -> None:
    given = JWS[example]
    header, payload = verify_bytes(given["token"], given["key"], algorithms=[given["alg"]])
    made = sign_bytes(payload, given["key"], alg=given["alg"], header=dict(header))
    assert verify_bytes(made, given["key"], algorithms=[given["alg"]]) == (header, payload)
    if example == "A.2":  # the header of A.1 has a line break
        assert made == given["token"]


@pytest.mark.parametrize("token", [JWS["A.5"]["token"], JWT["6.1"]["token"]])
def test_rfc_7515_a_5_rfc_7519_6_1_an_unsecured_token_is_refused(token: str) -> None:
    with pytest.raises(DecodeError):
        verify(token, JWS["A.1"]["key"], algorithms=["HS256"])


@pytest.mark.parametrize("example", ["A.6", "A.7"])
def test_rfc_7515_the_json_serializations_are_refused(example: str) -> None:
    with pytest.raises(DecodeError):
        verify(JWS[example]["token"], JWS["A.3"]["key"], algorithms=["RS256", "ES256"])


@pytest.mark.parametrize("example", ["A.1", "A.3"])
def test_rfc_7516_a_message_is_decrypted(example: str) -> None:
    given = JWE[example]
    assert decrypt(given["token"], given["key"], algorithms=EVERY) == given["plaintext"].encode()


@pytest.mark.parametrize("token", [JWE["A.2"]["token"], JWT["A.1"]["token"], JWT["A.2"]["token"]])
def test_rfc_7516_a_2_rfc_7519_appendix_a_the_padding_of_rsa1_5_is_refused(token: str) -> None:
    with pytest.raises(UnsupportedAlgorithmError):
        decrypt(token, JWE["A.2"]["key"], algorithms=EVERY)


@pytest.mark.parametrize("example", ["A.4", "A.5"])
def test_rfc_7516_the_json_serializations_are_refused(example: str) -> None:
    with pytest.raises(DecodeError):
        decrypt(JWE[example]["token"], JWE["A.3"]["key"], algorithms=EVERY)


def test_rfc_7517_a_1_a_published_set_is_read() -> None:
    keys = import_key_set(JWK["A.1"])
    assert [(key.kty, key.kid) for key in keys] == [("EC", "1"), ("RSA", "2011-04-29")]
    assert [{**key.public_jwk()} for key in keys] == JWK["A.1"]["keys"]


def test_rfc_7517_a_2_private_keys_are_skipped_in_a_published_set_and_read_as_ones_own() -> None:
    assert import_key_set(JWK["A.2"]) == ()
    own = import_own_keys(JWK["A.2"])
    assert [key.is_private for key in own] == [True, True]
    assert KeySet(own).as_dict() == JWK["A.1"]
    assert KeySet(own).as_dict(is_private=True) == JWK["A.2"]


def test_rfc_7517_a_3_secrets_are_skipped_in_a_published_set_and_read_as_ones_own() -> None:
    assert import_key_set(JWK["A.3"]) == ()
    wraps, signs = import_own_keys(JWK["A.3"])
    assert verify(JWS["A.1"]["token"], signs, algorithms=["HS256"]).claims == CLAIMS
    assert decrypt(JWE["A.3"]["token"], wraps, algorithms=["A128KW"]) == b"Live long and prosper."


def test_rfc_7517_b_the_certificate_of_a_key_is_not_the_key() -> None:
    key = import_key(JWK["B"])
    assert key.thumbprint() == import_key({name: JWK["B"][name] for name in ("kty", "n", "e")}).thumbprint()


def test_rfc_7517_c_1_a_key_for_encryption_does_not_sign() -> None:
    with pytest.raises(UsageError, match="`use` is not `sig`"):
        sign({}, JWK["C.1"], alg="RS256")


def test_rfc_7519_3_1_the_claims_have_expired_in_2011() -> None:
    claims = JsonWebToken(["HS256"]).decode(JWS["A.1"]["token"], JWS["A.1"]["key"])
    claims.validate(now=1300819379, leeway=0)
    with pytest.raises(ExpiredTokenError, match="1 seconds ago"):
        claims.validate(now=1300819381, leeway=0)


def of_wycheproof(file: str, comment: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    groups = json.loads((VECTORS / "wycheproof" / f"json_web_{file}_test.json").read_text())["testGroups"]
    return [(group, test) for group in groups if group["comment"] == comment for test in group["tests"]]


def test_rfc_7520_4_1_to_4_4_are_verified() -> None:
    found = {test["tcId"]: (group, test) for group, test in of_wycheproof("signature", "rfc7520")}
    for number, alg in ((345, "RS256"), (346, "PS384"), (347, "ES512"), (348, "HS256")):
        group, test = found[number]
        key = {name: value for name, value in (group.get("public") or group["private"]).items() if name != "alg"}
        header, payload = verify_bytes(test["jws"], key, algorithms=[alg])
        assert header["kid"] == key["kid"]
        assert b"s a dangerous business, Frodo, going out your door." in payload


def test_rfc_7520_5_2_to_5_9_are_decrypted() -> None:
    opened = [
        decrypt(test["jwe"], group["private"], algorithms=EVERY)
        for group, test in of_wycheproof("encryption", "rfc_7520")
        if test["comment"] != "Figure81"
    ]
    assert len(opened) == 7
    assert all(plaintext.startswith(b"You can trust us to stick with you") for plaintext in opened)


def test_rfc_7520_4_5_detached_content_is_refused() -> None:
    given = RFC["RFC 7520"]["4.5"]
    with pytest.raises(DecodeError):
        verify(given["compact"], given["key"], algorithms=["HS256"])
    with pytest.raises(BadSignatureError):  # a payload may be empty there, and this signature is of another one
        verify_bytes(given["compact"], given["key"], algorithms=["HS256"])
    attached = given["compact"].replace("..", f".{given['payload']}.")
    assert verify_bytes(attached, given["key"], algorithms=["HS256"])[0]["kid"] == given["key"]["kid"]


@pytest.mark.parametrize("example", ["4.6", "4.7", "4.8"])
def test_rfc_7520_the_json_serializations_of_signatures_are_refused(example: str) -> None:
    given = RFC["RFC 7520"][example]
    text = json.dumps(given["json"])
    for check in (verify, verify_bytes):
        with pytest.raises(DecodeError):
            check(text, given["key"], algorithms=["HS256"])
    with pytest.raises(VerificationError):
        JsonWebToken(["HS256"]).decode(text, given["key"])


@pytest.mark.parametrize("example", ["5.10", "5.11", "5.12", "5.13"])
def test_rfc_7520_the_json_serializations_of_encryption_are_refused(example: str) -> None:
    given = RFC["RFC 7520"][example]
    with pytest.raises(DecodeError):
        decrypt(json.dumps(given["json"]), given["key"], algorithms=EVERY)


def test_rfc_7520_5_3_a_password_is_refused() -> None:
    """A header would choose how often it is hashed (CVE-2023-6681)."""
    given = RFC["RFC 7520"]["5.3"]
    password = {"kty": "oct", "k": urlsafe_b64encode(given["password"].encode()).rstrip(b"=").decode()}
    with pytest.raises(UnsupportedAlgorithmError):
        decrypt(given["compact"], password, algorithms=EVERY)
    with pytest.raises(UsageError):
        decrypt(given["compact"], password, algorithms=["PBES2-HS512+A256KW"])


def test_rfc_7520_5_1_a_padding_oracle_is_refused() -> None:
    group, test = next(
        (group, test) for group, test in of_wycheproof("encryption", "rfc_7520") if test["comment"] == "Figure81"
    )
    with pytest.raises(VerificationError):
        decrypt(test["jwe"], group["private"], algorithms=EVERY)


def test_rfc_7520_6_a_signed_token_within_an_encrypted_one_is_verified() -> None:
    given = RFC["RFC 7520"]["6"]
    samwise = next(
        group["private"] for group, test in of_wycheproof("encryption", "rfc_7520") if test["comment"] == "Figure92"
    )
    inner = decrypt_nested(given["token"], samwise, algorithms=["RSA-OAEP"])
    assert verify(inner, given["signer"], algorithms=["PS256"], typ="JWT").claims == given["claims"]
    with pytest.raises(VerificationError):
        verify(given["token"], given["signer"], algorithms=["PS256"])


def test_rfc_7638_3_1_the_thumbprint_of_the_example() -> None:
    key = JsonWebKey.import_key(JWK["A.1"]["keys"][1])
    assert key.thumbprint() == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    assert import_key(JWK["A.2"]["keys"][1]).thumbprint() == key.thumbprint()


def test_rfc_9278_4_the_thumbprint_as_a_uri() -> None:
    uri = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    assert JsonWebKey.import_key(JWK["A.1"]["keys"][1]).thumbprint_uri() == uri


def test_rfc_8037_a_1_to_a_3_the_public_half_and_its_thumbprint() -> None:
    private = import_key(OKP["A.1"])
    assert private.public_jwk() == OKP["A.2"]
    assert private.thumbprint() == OKP["A.3"]


def test_rfc_8037_a_4_and_a_5_ed25519_signs_and_verifies() -> None:
    assert sign_bytes(b"Example of Ed25519 signing", OKP["A.1"], alg="EdDSA") == OKP["A.4"]
    assert verify_bytes(OKP["A.4"], OKP["A.2"], algorithms=["EdDSA"])[1] == b"Example of Ed25519 signing"
    with pytest.raises(UnsupportedAlgorithmError):
        verify_bytes(OKP["A.4"], OKP["A.2"], algorithms=["Ed25519"])


def test_rfc_8037_a_6_both_sides_of_x25519_agree_on_the_secret() -> None:
    bob, epk = import_key(OKP["A.6"]["private"]), import_key(OKP["A.6"]["header"]["epk"])
    agrees: Any = bob.jose
    assert agrees.exchange_derive_key(epk.jose).hex() == OKP["A.6"]["z"]


def test_rfc_9068_3_an_access_token_is_no_id_token() -> None:
    given = RFC["RFC 9068"]["3"]
    key = generate_key("ES256")
    token = sign(given["claims"], key, alg="ES256", header={"typ": given["header"]["typ"]})
    assert verify(token, key, algorithms=["ES256"], typ="at+jwt").claims == given["claims"]
    with pytest.raises(VerificationError, match="typ"):
        verify(token, key, algorithms=["ES256"], typ="JWT")
    with pytest.raises(VerificationError, match="typ"):
        JsonWebToken(["ES256"]).decode(token, key, claims_cls=IDToken).validate(now=1639528911)
