import zlib
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from joserfc import jwe

from doorkey.errors import UsageError, VerificationError
from doorkey.jose.encryption import (
    MAX_BYTES,
    MAX_INFLATED,
    decrypt,
    decrypt_nested,
    encrypt,
    is_encrypted,
)
from doorkey.jose.generation import generate_key
from doorkey.jose.keys import import_key
from doorkey.jose.signing import sign
from doorkey.jose.verification import verify
from tests.support.encrypted_tokens import EVERY, FAILED, b64, changed, refused, with_header

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.mark.parametrize("crit", [["x"], ["exp"], ["alg"], [], "", None, {}])
def test_an_extension_that_is_not_understood_is_refused(crit: object) -> None:
    token = encrypt(b"", b"s" * 16, alg="A128KW", enc="A128GCM")
    header = {"alg": "A128KW", "enc": "A128GCM", "crit": crit, "x": 1}
    assert "crit names extensions" in str(refused(changed(token, 0, b64(header)), b"s" * 16))


@pytest.mark.parametrize("member", ["crit", "zip", "epk", "iv", "tag"])
def test_a_header_made_here_has_no_member_that_belongs_to_the_algorithm(member: str) -> None:
    with pytest.raises(UsageError, match=f"`{member}` is not allowed in the header"):
        encrypt(b"", b"s" * 16, alg="A128KW", enc="A128GCM", header={member: "x"})


@pytest.mark.parametrize("header", [{"alg": "A256KW"}, {"enc": "A256GCM"}, {"x": object()}, {"x": float("nan")}])
def test_a_header_that_contradicts_or_is_not_json_is_an_error_of_the_program(header: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="cannot be encrypted" if "x" in header else "names another algorithm"):
        encrypt(b"", b"s" * 16, alg="A128KW", enc="A128GCM", header=header)


def test_content_that_is_neither_bytes_nor_text_is_an_error_of_the_program() -> None:
    with pytest.raises(UsageError, match="bytes or text, not dict"):
        encrypt(cast("Any", {}), b"s" * 16, alg="A128KW", enc="A128GCM")


def compressed(data: bytes, secret: bytes) -> str:
    """A compressed token (RFC 7516 §4.1.3)."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    content = squeeze.compress(data) + squeeze.flush()
    return with_header({"alg": "dir", "enc": "A128GCM", "zip": "DEF"}, content, secret)


def test_compressed_content_is_accepted_only_where_it_is_named_and_within_its_bound() -> None:
    secret = b"s" * 16
    assert "zip is not accepted" in str(refused(compressed(b"content", secret), secret, ["dir"]))
    assert decrypt(compressed(b"content", secret), secret, algorithms=["dir", "DEF"]) == b"content"
    assert len(decrypt(compressed(b"\0" * MAX_INFLATED, secret), secret, algorithms=["dir", "DEF"])) == MAX_INFLATED
    for too_much in (MAX_INFLATED + 1, 20_000_000):
        assert str(refused(compressed(b"\0" * too_much, secret), secret)) == FAILED


@pytest.mark.parametrize("content", [b"not deflate", b"", zlib.compress(b"content"), b"\x03\x00trailing"])
def test_content_that_is_not_compressed_as_it_says_is_a_failure_of_decryption(content: bytes) -> None:
    token = with_header({"alg": "dir", "enc": "A128GCM", "zip": "DEF"}, content, b"s" * 16)
    assert str(refused(token, b"s" * 16)) == FAILED


@pytest.mark.parametrize("zipped", ["GZ", "", None, 1, ["DEF"]])
def test_another_compression_is_refused(zipped: object) -> None:
    token = encrypt(b"", b"s" * 16, alg="A128KW", enc="A128GCM")
    header = {"alg": "A128KW", "enc": "A128GCM", "zip": zipped}
    assert "zip is not accepted" in str(refused(changed(token, 0, b64(header)), b"s" * 16))


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "....",
        "a.b.c.d",
        "a.b.c.d.e.f",
        "a.b.c.d.e ",
        " a.b.c.d.e",
        "a.b.c.d.e=",
        "a.b\n.c.d.e",
        "é.b.c.d.e",
        "{}",
    ],
)
def test_a_token_that_is_not_in_the_compact_form_is_refused(token: str) -> None:
    refused(token, b"s" * 16)


@pytest.mark.parametrize(
    "call", [{"token": 5}, {"token": None}, {"algorithms": 5}, {"encryptions": 5}, {"algorithms": {}}]
)
def test_an_argument_of_another_type_is_an_error_of_the_program(call: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {"token": "a.b.c.d.e", "keys": b"s" * 16, "algorithms": EVERY, **call}
    with pytest.raises(UsageError):
        decrypt(**arguments)


def test_a_token_beyond_the_bound_is_refused_before_it_is_decoded() -> None:
    token = encrypt(b"x" * MAX_BYTES, b"s" * 16, alg="A128KW", enc="A128GCM")
    assert "too long" in str(refused(token, b"s" * 16))
    assert len(decrypt(token, b"s" * 16, algorithms=EVERY, max_bytes=2 * MAX_BYTES)) == MAX_BYTES
    assert decrypt(token, b"s" * 16, algorithms=EVERY, max_bytes=len(token))
    assert not is_encrypted("." * 4 + "x" * MAX_BYTES)


@pytest.mark.parametrize(
    "header", [b"{", b"[]", b'"x"', b'{"alg":"A128KW","alg":"dir"}', b"\xff", b'{"a":' * 40 + b"1"]
)
def test_a_header_that_is_not_one_json_object_is_refused(header: bytes) -> None:
    token = encrypt(b"", b"s" * 16, alg="A128KW", enc="A128GCM")
    assert "header is not acceptable" in str(refused(changed(token, 0, b64(header)), b"s" * 16))


def test_a_signed_token_is_not_an_encrypted_one_nor_the_other_way_around() -> None:
    signed = sign({"sub": "a"}, b"s" * 32, alg="HS256")
    assert not is_encrypted(signed)
    assert "not an encrypted token" in str(refused(signed, b"s" * 32))
    encrypted = encrypt(signed, b"s" * 32, alg="A256KW", enc="A128GCM")
    with pytest.raises(VerificationError, match="not a signed token"):
        verify(encrypted, b"s" * 32, algorithms=["HS256"])


@pytest.mark.parametrize("cty", [None, "JWT", "jwt", "application/jwt"])
def test_a_nested_token_comes_out_to_be_verified(cty: str | None) -> None:
    key = generate_key("ES256")
    signed = sign({"sub": "alice"}, key, alg="ES256")
    header: dict[str, object] = {"cty": cty} if cty else {}
    token = encrypt(signed, RSA.public_key(), alg="RSA-OAEP", enc="A128CBC-HS256", header=header)
    inner = decrypt_nested(token, RSA, algorithms=["RSA-OAEP"])
    assert verify(inner, key, algorithms=["ES256"]).claims == {"sub": "alice"}


@pytest.mark.parametrize("cty", ["text/plain", "", 5, None])
def test_a_nested_token_of_another_content_type_is_refused(cty: object) -> None:
    token = with_header({"alg": "dir", "enc": "A128GCM", "cty": cty}, b"x", b"s" * 16)
    with pytest.raises(VerificationError, match="cty is not"):
        decrypt_nested(token, b"s" * 16, algorithms=["dir"])


def test_claims_that_are_encrypted_and_not_signed_are_no_nested_token() -> None:
    token = encrypt('{"sub": "mallory"}', RSA.public_key(), alg="RSA-OAEP", enc="A128GCM")
    with pytest.raises(VerificationError, match="not a signed token"):
        verify(decrypt_nested(token, RSA, algorithms=["RSA-OAEP"]), RSA.public_key(), algorithms=["RS256"])


def test_neither_the_content_nor_the_key_is_in_an_error() -> None:
    secret = b"do-not-tell-this"
    token = encrypt(b"do-not-tell", secret, alg="A128KW", enc="A128GCM")
    for broken in (changed(token, 4, b64(b"t" * 16)), token + ".x", changed(token, 0, b64({"alg": "x"}))):
        error = refused(broken, secret)
        assert "do-not-tell" not in repr(error) + str(error)
        assert error.__context__ is None or error.__suppress_context__


@pytest.mark.parametrize("size", [8, 13, 16])
def test_an_initialization_vector_of_another_size_is_a_failure_although_it_decrypts(size: int) -> None:
    header = {"alg": "dir", "enc": "A128GCM"}
    assert str(refused(with_header(header, b"content", b"s" * 16, iv=b"i" * size), b"s" * 16)) == FAILED
    assert decrypt(with_header(header, b"content", b"s" * 16), b"s" * 16, algorithms=["dir"]) == b"content"


@pytest.mark.parametrize("size", [12, 16])
def test_gcm_key_wrapping_has_an_initialization_vector_of_96_bits(size: int) -> None:
    secret, cek, iv = b"s" * 16, b"c" * 16, b"i" * size
    wrapped = AESGCM(secret).encrypt(iv, cek, None)
    header = {"alg": "A128GCMKW", "enc": "A128GCM", "iv": b64(iv), "tag": b64(wrapped[-16:])}
    token = with_header(header, b"content", cek, encrypted_key=wrapped[:-16])
    if size == 12:
        assert decrypt(token, secret, algorithms=EVERY) == b"content"
    else:
        assert str(refused(token, secret)) == FAILED


def test_of_an_ephemeral_key_only_the_public_members_are_used() -> None:
    mine, ephemeral = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    epk = import_key(ephemeral).as_dict(is_private=True, use="sig", key_ops=["sign"])
    header = {"alg": "ECDH-ES", "enc": "A128GCM", "epk": epk}
    recipient = jwe.Recipient[Any](jwe.CompactEncryption(header), None, import_key(mine.public_key()).jose)
    recipient.ephemeral_key = import_key(ephemeral).jose
    algorithms: Any = jwe.JWERegistry.algorithms
    cek = algorithms["alg"]["ECDH-ES"].encrypt_agreed_upon_key(algorithms["enc"]["A128GCM"], recipient)
    assert decrypt(with_header(header, b"content", cek), mine, algorithms=EVERY) == b"content"


def test_a_wrong_encrypted_key_takes_the_same_steps_as_a_wrong_tag(monkeypatch: pytest.MonkeyPatch) -> None:
    content = jwe.JWERegistry.algorithms["enc"]["A128GCM"]
    decrypts, keys = content.decrypt, list[bytes]()

    def recorded(ciphertext: bytes, tag: bytes, cek: bytes, iv: bytes, aad: bytes) -> bytes:
        keys.append(cek)
        return decrypts(ciphertext, tag, cek, iv, aad)

    monkeypatch.setattr(content, "decrypt", recorded)
    token = encrypt(b"content", RSA.public_key(), alg="RSA-OAEP", enc="A128GCM")
    for wrong in (
        changed(token, 1, b64(b"k" * 256)),
        changed(token, 1, b64(b"k" * 256)),
        changed(token, 4, b64(b"t" * 16)),
    ):
        assert str(refused(wrong, RSA)) == FAILED
    assert [len(key) for key in keys] == [16, 16, 16]
    assert len(set(keys)) == 3, "the key that replaces a wrong one is random"
