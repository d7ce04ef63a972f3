"""`JsonWebEncryption` and the encrypted tokens of `JsonWebToken`: what programs written for Authlib call."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from doorkey.errors import UsageError, VerificationError
from doorkey.jose import JsonWebEncryption, JsonWebToken, JWTClaims, RSAKey, jwt
from doorkey.jose.encryption import encrypt
from doorkey.jose.encryption_algorithms import ENCRYPTIONS
from doorkey.jose.errors import DecodeError, UnsupportedAlgorithmError
from doorkey.values import Secret
from tests.support.encrypted_tokens import with_header

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PRIVATE = RSAKey.import_key(RSA, {"kid": "mine"})
PEM, PUBLIC_PEM = PRIVATE.as_pem(is_private=True), PRIVATE.as_pem()
HEADER = {"alg": "RSA-OAEP", "enc": "A256GCM"}
SECRET = b"s" * 16


def test_a_message_comes_back_with_its_header() -> None:
    jwe = JsonWebEncryption()
    token = jwe.serialize_compact({**HEADER, "typ": "text"}, b"hello", PUBLIC_PEM)
    data = jwe.deserialize_compact(token, PEM)
    assert data["payload"] == data.payload == b"hello"
    assert data["header"] == data.header == {**HEADER, "typ": "text"}
    assert repr(data) == str(data) == "<Deserialized alg='RSA-OAEP' enc='A256GCM'>"
    with pytest.raises(UsageError, match="read-only"):
        data["payload"] = b"other"


def test_the_payload_is_decoded_by_the_programs_function() -> None:
    jwe = JsonWebEncryption()
    token = jwe.serialize_compact(HEADER, json.dumps({"a": 1}), PUBLIC_PEM)
    assert jwe.deserialize_compact(token, PEM, decode=json.loads).payload == {"a": 1}
    wrong: Any = "utf-8"
    with pytest.raises(UsageError, match="decode must be a function"):
        jwe.deserialize_compact(token, PEM, decode=wrong)


def test_a_function_of_the_header_chooses_the_key() -> None:
    jwe = JsonWebEncryption()
    token = jwe.serialize_compact(HEADER, b"hello", PRIVATE)
    assert jwe.deserialize_compact(token, lambda header: {"mine": PRIVATE}[header["kid"]]).payload == b"hello"

    def of_two(header: Any, payload: Any) -> object:
        return [PRIVATE, header, payload]

    chooses: Any = of_two
    with pytest.raises(UsageError, match="must accept one argument, the token's header"):
        jwe.deserialize_compact(token, chooses)


@pytest.mark.parametrize("kind", [str, bytes, Secret])
def test_a_token_may_be_text_bytes_or_a_secret(kind: Any) -> None:
    token = JsonWebEncryption().serialize_compact(HEADER, b"hello", PUBLIC_PEM)
    given = token if kind is bytes else kind(token.decode())
    assert JsonWebEncryption().deserialize_compact(given, PEM).payload == b"hello"


def test_only_registered_algorithms_are_used() -> None:
    jwe = JsonWebEncryption(["RSA-OAEP-256", "A128GCM"])
    for header in (HEADER, {"alg": "RSA-OAEP-256", "enc": "A256GCM"}, {"alg": "RSA-OAEP", "enc": "A128GCM"}):
        with pytest.raises(UsageError, match="not among the registered ones"):
            jwe.serialize_compact(header, b"", PUBLIC_PEM)
        with pytest.raises(UnsupportedAlgorithmError):
            jwe.deserialize_compact(JsonWebEncryption().serialize_compact(header, b"", PUBLIC_PEM), PEM)
    assert repr(jwe) == "<JsonWebEncryption RSA-OAEP-256 A128GCM>"
    assert repr(JsonWebEncryption()) == "<JsonWebEncryption by the keys>"


def test_an_algorithm_alone_is_registered_with_every_content_encryption() -> None:
    for enc in ENCRYPTIONS:
        token = JsonWebEncryption("A128KW").serialize_compact({"alg": "A128KW", "enc": enc}, b"x", SECRET)
        assert JsonWebEncryption(["A128KW"]).deserialize_compact(token, SECRET).payload == b"x"


def test_direct_encryption_and_compression_have_to_be_named() -> None:
    token = encrypt(b"x", SECRET, alg="dir", enc="A128GCM")
    with pytest.raises(UnsupportedAlgorithmError):
        JsonWebEncryption().deserialize_compact(token, SECRET)
    with pytest.raises(UsageError, match="not among the registered"):
        JsonWebEncryption().serialize_compact({"alg": "dir", "enc": "A128GCM"}, b"x", SECRET)
    assert JsonWebEncryption(["dir"]).deserialize_compact(token, SECRET).payload == b"x"
    compressed = with_header({"alg": "dir", "enc": "A128GCM", "zip": "DEF"}, b"\x03\x00", SECRET)
    with pytest.raises(UnsupportedAlgorithmError, match="zip"):
        JsonWebEncryption(["dir"]).deserialize_compact(compressed, SECRET)
    assert JsonWebEncryption(["dir", "DEF"]).deserialize_compact(compressed, SECRET).payload == b""


@pytest.mark.parametrize("algorithms", [["RSA1_5"], ["PBES2-HS256+A128KW"], ["RS256"], [], 5, [None], [["A128KW"]], ""])
def test_other_algorithms_cannot_be_registered(algorithms: Any) -> None:
    with pytest.raises(UsageError):
        JsonWebEncryption(algorithms)


@pytest.mark.parametrize(
    "header", [{"alg": "RSA-OAEP"}, {"enc": "A256GCM"}, {}, {"alg": 5, "enc": "A256GCM"}, "header"]
)
def test_a_header_names_both_algorithms(header: Any) -> None:
    with pytest.raises(UsageError):
        JsonWebEncryption().serialize_compact(header, b"", PUBLIC_PEM)


def test_claims_are_encrypted_and_decrypted_where_the_algorithms_say_so() -> None:
    own = JsonWebToken(["RSA-OAEP", "A256GCM"])
    for token in (
        own.encode(HEADER, {"sub": "alice", "exp": 5}, PUBLIC_PEM),
        jwt.encode(HEADER, {"sub": "alice"}, PUBLIC_PEM),
    ):
        claims = own.decode(token, PEM)
        assert isinstance(claims, JWTClaims)
        assert claims["sub"] == "alice"
        assert claims.header == {**HEADER, "typ": "JWT"}
    assert repr(own) == "<JsonWebToken RSA-OAEP A256GCM>"


def test_claims_that_are_only_encrypted_are_never_accepted_in_place_of_signed_ones() -> None:
    forged = jwt.encode(HEADER, {"sub": "mallory"}, PUBLIC_PEM)
    for verifies in (jwt, JsonWebToken(["RS256"])):
        for key in (PEM, PUBLIC_PEM, [PRIVATE], {"keys": [PRIVATE.as_dict()]}):
            with pytest.raises(DecodeError, match="not a signed token"):
                verifies.decode(forged, key)
    with pytest.raises(UsageError, match="does not authenticate the sender"):
        JsonWebToken(["RS256", "RSA-OAEP"])


def test_a_signed_token_is_not_decrypted() -> None:
    signed = jwt.encode({"alg": "RS256"}, {"sub": "alice"}, PEM)
    with pytest.raises(DecodeError, match="not an encrypted token"):
        JsonWebToken(["RSA-OAEP"]).decode(signed, PEM)


def test_a_nested_token_is_not_claims() -> None:
    nested = encrypt(
        jwt.encode({"alg": "RS256"}, {}, PEM).decode(), PEM, alg="RSA-OAEP", enc="A128GCM", header={"cty": "JWT"}
    )
    with pytest.raises(DecodeError, match="decrypt_nested"):
        JsonWebToken(["RSA-OAEP"]).decode(nested, PEM)


@pytest.mark.parametrize("content", [b"[]", b"no json", b'{"a":1,"a":2}', b"\xff"])
def test_encrypted_claims_are_one_json_object(content: bytes) -> None:
    token = encrypt(content, SECRET, alg="A128KW", enc="A128GCM")
    with pytest.raises(DecodeError, match="token is not acceptable"):
        JsonWebToken(["A128KW"]).decode(token, SECRET)


def test_a_function_of_the_header_chooses_the_key_of_encrypted_claims() -> None:
    token = jwt.encode(HEADER, {"sub": "alice"}, PRIVATE)
    assert JsonWebToken(["RSA-OAEP"]).decode(token, lambda header: {"mine": PEM}[header["kid"]])["sub"] == "alice"
    with pytest.raises(VerificationError):
        JsonWebToken(["RSA-OAEP"]).decode("a.b.c", lambda header: PEM)


@pytest.mark.parametrize("payload", [{"a": object()}, {"a": float("nan")}, {"exp": 10**5000}])
def test_claims_that_are_not_json_are_not_encrypted(payload: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        jwt.encode(HEADER, payload, PUBLIC_PEM)
    with pytest.raises(UsageError, match="must name both algorithms"):
        JsonWebToken(["RSA-OAEP"]).encode({"alg": "RSA-OAEP"}, {}, PUBLIC_PEM)
