import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x448, x25519
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwe as joserfc_jwe
from joserfc.jwk import ECKey, OctKey

from doorkey.errors import UsageError, VerificationError
from doorkey.jose.encryption import (
    MAX_TRIED,
    DecryptedToken,
    decrypt,
    decrypt_token,
    encrypt,
    is_encrypted,
    key_of_client_secret,
)
from doorkey.jose.encryption_algorithms import DEFAULT_MANAGEMENT, ENCRYPTIONS, MANAGEMENT
from doorkey.jose.keys import import_key
from tests.support.changed_text import with_changed
from tests.support.encrypted_tokens import EVERY, FAILED, b64, changed, refused

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
X25519 = x25519.X25519PrivateKey.generate()
OTHER_EC = ec.generate_private_key(ec.SECP256R1())


def secret_for(alg: str, enc: str) -> bytes:
    size = MANAGEMENT[alg].size or ENCRYPTIONS[enc].key
    return bytes(range(size))


def keys_for(alg: str, enc: str) -> tuple[object, object]:
    """The key to encrypt with and the key to decrypt with."""
    if alg.startswith("RSA"):
        return RSA.public_key(), RSA
    if alg.startswith("ECDH"):
        return EC.public_key(), EC
    return secret_for(alg, enc), secret_for(alg, enc)


@pytest.mark.parametrize("enc", ENCRYPTIONS)
@pytest.mark.parametrize("alg", MANAGEMENT)
def test_what_was_encrypted_with_an_algorithm_is_decrypted_with_it(alg: str, enc: str) -> None:
    public, private = keys_for(alg, enc)
    token = encrypt(b"content", public, alg=alg, enc=enc)
    assert decrypt(token, private, algorithms=alg, encryptions=enc) == b"content"
    assert is_encrypted(token)


@pytest.mark.parametrize(
    "key",
    [
        X25519,
        x448.X448PrivateKey.generate(),
        ec.generate_private_key(ec.SECP384R1()),
        ec.generate_private_key(ec.SECP521R1()),
    ],
    ids=lambda key: type(key).__name__,
)
@pytest.mark.parametrize("alg", ["ECDH-ES", "ECDH-ES+A256KW"])
def test_every_curve_of_key_agreement_works(key: Any, alg: str) -> None:
    token = encrypt("content", key.public_key(), alg=alg, enc="A128GCM")
    assert decrypt(token, key, algorithms=[alg]) == b"content"


def test_joserfc_decrypts_what_is_encrypted_here_and_the_other_way_around() -> None:
    ours = encrypt(b"content", EC.public_key(), alg="ECDH-ES+A128KW", enc="A128CBC-HS256")
    theirs = joserfc_jwe.encrypt_compact(
        {"alg": "ECDH-ES+A128KW", "enc": "A128CBC-HS256", "apu": b64(b"Alice"), "apv": b64(b"Bob")},
        b"content",
        ECKey.import_key(import_key(EC).public_jwk()),
    )
    assert joserfc_jwe.decrypt_compact(ours, import_key(EC).jose).plaintext == b"content"
    assert decrypt(theirs, EC, algorithms=EVERY) == b"content"


def test_the_header_and_the_plaintext_come_back_and_the_repr_shows_neither() -> None:
    token = encrypt("Zoë", RSA.public_key(), alg="RSA-OAEP-256", enc="A256GCM", header={"cty": "text/plain"})
    opened = decrypt_token(token, RSA, algorithms=["RSA-OAEP-256"])
    assert isinstance(opened, DecryptedToken)
    assert opened.header == {"alg": "RSA-OAEP-256", "enc": "A256GCM", "cty": "text/plain"}
    assert opened.plaintext.decode() == "Zoë"
    assert repr(opened) == "<DecryptedToken alg='RSA-OAEP-256' enc='A256GCM'>"


@pytest.mark.parametrize("alg", MANAGEMENT)
@pytest.mark.parametrize("part", ["encrypted key", "iv", "ciphertext", "tag", "short tag", "long tag", "another key"])
def test_every_failure_of_decryption_is_the_same_error(alg: str, part: str) -> None:
    enc = "A128CBC-HS256"
    public, private = keys_for(alg, enc)
    token = encrypt(b"content", public, alg=alg, enc=enc)
    _, key, iv, ciphertext, tag = token.split(".")
    altered = {
        "encrypted key": changed(token, 1, with_changed(key, 0) if key else "AAAA"),
        "iv": changed(token, 2, with_changed(iv, 0)),
        "ciphertext": changed(token, 3, with_changed(ciphertext, 0)),
        "tag": changed(token, 4, with_changed(tag, 0)),
        "short tag": changed(token, 4, tag[:4]),
        "long tag": changed(token, 4, tag[:4] + tag),
        "another key": changed(token, 1, encrypt(b"", public, alg=alg, enc="A256CBC-HS512").split(".")[1])
        if key
        else changed(token, 2, iv[:4]),
    }[part]
    error = refused(altered, private)
    assert type(error) is VerificationError
    assert str(error) == FAILED
    assert error.__cause__ is None
    assert error.__context__ is None


@pytest.mark.parametrize(
    "member",
    [
        {"epk": None},
        {"epk": "text"},
        {"epk": {}},
        {"epk": {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}},
        {"epk": {"kty": "EC", "crv": "P-384"}},
        {"epk": {"kty": "oct", "k": "AAAA"}},
        {"epk": {"kty": "OKP", "crv": "X25519", "x": b64(b"\0" * 32)}},
        {"apu": 7},
        {"apu": "%"},
    ],
)
def test_a_malformed_ephemeral_key_is_a_failure_of_decryption_like_others(member: dict[str, Any]) -> None:
    token = encrypt(b"content", EC.public_key(), alg="ECDH-ES", enc="A128GCM")
    header = decrypt_token(token, EC, algorithms=EVERY).header
    assert str(refused(changed(token, 0, b64({**header, **member})), EC)) == FAILED


def test_an_x25519_key_of_all_zeros_is_a_failure_of_decryption() -> None:
    token = encrypt(b"content", X25519.public_key(), alg="ECDH-ES", enc="A128GCM")
    header = decrypt_token(token, X25519, algorithms=EVERY).header
    zeros = {**header, "epk": {"kty": "OKP", "crv": "X25519", "x": b64(b"\0" * 32)}}
    assert str(refused(changed(token, 0, b64(zeros)), X25519)) == FAILED


@pytest.mark.parametrize("member", [{"iv": None}, {"iv": "AAAA"}, {"tag": "AAAA"}, {"tag": 5}, {"tag": "%%"}])
def test_a_malformed_parameter_of_gcm_key_wrapping_is_a_failure_of_decryption(member: dict[str, Any]) -> None:
    secret = secret_for("A128GCMKW", "A128GCM")
    token = encrypt(b"content", secret, alg="A128GCMKW", enc="A128GCM")
    header = decrypt_token(token, secret, algorithms=EVERY).header
    assert str(refused(changed(token, 0, b64({**header, **member})), secret)) == FAILED


@pytest.mark.parametrize("alg", ["RSA1_5", "PBES2-HS256+A128KW", "none", "RS256", "", None, 5, [], {}, ["RSA-OAEP"]])
def test_algorithms_that_are_unsafe_or_unknown_are_refused_on_both_sides(alg: Any) -> None:
    with pytest.raises(UsageError, match="is none of"):
        encrypt(b"", RSA.public_key(), alg=alg, enc="A128GCM")
    with pytest.raises(UsageError, match=r"is none of|must be text"):
        decrypt("a.b.c.d.e", RSA, algorithms=[alg])
    token = changed(
        encrypt(b"", RSA.public_key(), alg="RSA-OAEP", enc="A128GCM"), 0, b64({"alg": alg, "enc": "A128GCM"})
    )
    assert "alg is not the registered one" in str(refused(token, RSA))


@pytest.mark.parametrize("enc", ["A128CTR", "A128CBC", "none", "", None, [], {}, ["A128GCM"]])
def test_a_content_encryption_that_is_unknown_is_refused_on_both_sides(enc: Any) -> None:
    with pytest.raises(UsageError, match="is none of"):
        encrypt(b"", RSA.public_key(), alg="RSA-OAEP", enc=enc)
    with pytest.raises(UsageError, match=r"is none of|must be text"):
        decrypt(encrypt(b"", RSA.public_key(), alg="RSA-OAEP", enc="A128GCM"), RSA, algorithms=EVERY, encryptions=[enc])
    token = encrypt(b"", RSA.public_key(), alg="RSA-OAEP", enc="A128GCM")
    assert "enc is not the registered one" in str(refused(changed(token, 0, b64({"alg": "RSA-OAEP", "enc": enc})), RSA))


def test_an_algorithm_that_is_not_registered_is_refused_before_any_key_is_used() -> None:
    token = encrypt(b"", RSA.public_key(), alg="RSA-OAEP", enc="A128GCM")
    assert "alg is not" in str(refused(token, RSA, ["RSA-OAEP-256"]))
    assert "enc is not" in str(refused(token, RSA, ["RSA-OAEP"], encryptions=["A256GCM"]))


def test_direct_encryption_is_accepted_only_where_it_is_named() -> None:
    token = encrypt(b"content", b"s" * 16, alg="dir", enc="A128GCM")
    assert "alg is not the registered one" in str(refused(token, b"s" * 16, DEFAULT_MANAGEMENT))
    assert decrypt(token, b"s" * 16, algorithms=["dir"]) == b"content"


@pytest.mark.parametrize("alg", ["dir", "A128KW", "A128GCMKW"])
@pytest.mark.parametrize("secret", [b"s" * 15, b"s" * 17, b"s" * 32])
def test_a_secret_of_another_size_does_not_fit(alg: str, secret: bytes) -> None:
    with pytest.raises(UsageError, match="exactly 16 bytes"):
        encrypt(b"", secret, alg=alg, enc="A128GCM")
    token = encrypt(b"", b"s" * 16, alg=alg, enc="A128GCM")
    assert "exactly 16 bytes" in str(refused(token, secret))


def test_a_key_of_another_type_or_curve_does_not_fit() -> None:
    signs = ed25519.Ed25519PrivateKey.generate()
    for key, alg in ((EC, "RSA-OAEP"), (RSA, "ECDH-ES"), (signs, "ECDH-ES"), (RSA, "A128KW"), (b"s" * 16, "RSA-OAEP")):
        with pytest.raises(UsageError, match="needs a key"):
            encrypt(b"", key, alg=alg, enc="A128GCM")
    token = encrypt(b"", RSA.public_key(), alg="RSA-OAEP", enc="A128GCM")
    assert "has no key that fits" in str(refused(token, EC))


def test_a_public_key_does_not_decrypt() -> None:
    token = encrypt(b"", RSA.public_key(), alg="RSA-OAEP", enc="A128GCM")
    assert "this one is public" in str(refused(token, RSA.public_key()))


@pytest.mark.parametrize(
    "purpose",
    [{"use": "sig"}, {"alg": "RSA-OAEP-256"}, {"alg": "RS256"}, {"key_ops": ["sign", "verify"]}, {"key_ops": []}],
)
def test_a_key_for_another_purpose_does_not_fit_encryption(purpose: dict[str, Any]) -> None:
    private = {**import_key(RSA).as_dict(is_private=True), **purpose}
    with pytest.raises(UsageError):
        encrypt(b"", private, alg="RSA-OAEP", enc="A128GCM")
    token = encrypt(b"", RSA.public_key(), alg="RSA-OAEP", enc="A128GCM")
    assert "has no key that fits" in str(refused(token, private))


@pytest.mark.parametrize("operation", ["decrypt", "unwrapKey"])
def test_both_words_of_key_ops_for_decryption_are_accepted(operation: str) -> None:
    private = {**import_key(RSA).as_dict(is_private=True), "key_ops": [operation]}
    token = encrypt(b"content", private, alg="RSA-OAEP", enc="A128GCM")
    assert decrypt(token, private, algorithms=EVERY) == b"content"


def test_a_key_that_only_encrypts_does_not_decrypt() -> None:
    only = {**import_key(RSA).as_dict(is_private=True), "key_ops": ["wrapKey"]}
    token = encrypt(b"", only, alg="RSA-OAEP", enc="A128GCM")
    assert "do not allow it to decrypt" in str(refused(token, only))


def test_a_secret_for_direct_encryption_may_name_the_content_encryption() -> None:
    jwk = {"kty": "oct", "k": b64(b"s" * 16), "alg": "A128GCM", "use": "enc"}
    assert decrypt(encrypt(b"content", jwk, alg="dir", enc="A128GCM"), jwk, algorithms=["dir"]) == b"content"
    with pytest.raises(UsageError, match="own `alg`"):
        encrypt(b"", jwk, alg="A128KW", enc="A128GCM")


def test_the_kid_chooses_among_the_programs_keys() -> None:
    mine = [
        import_key({**import_key(key).as_dict(is_private=True), "kid": kid})
        for key, kid in ((EC, "a"), (OTHER_EC, "b"))
    ]
    token = encrypt(b"content", mine[1], alg="ECDH-ES", enc="A128GCM")
    jwks = {"keys": [key.as_dict(is_private=True) for key in mine]}
    assert decrypt_token(token, mine, algorithms=EVERY).header["kid"] == "b"
    assert decrypt(token, jwks, algorithms=EVERY) == decrypt(token, json.dumps(jwks), algorithms=EVERY) == b"content"
    assert "kid is not among" in str(refused(token, mine[:1]))
    without_kid = encrypt(b"content", OTHER_EC.public_key(), alg="ECDH-ES", enc="A128GCM")
    assert decrypt(without_kid, mine, algorithms=EVERY) == b"content"


def test_a_token_without_kid_is_tried_with_a_bounded_number_of_keys() -> None:
    token = encrypt(b"content", EC.public_key(), alg="ECDH-ES", enc="A128GCM")
    assert "more than 16 fit" in str(refused(token, [EC] * (MAX_TRIED + 1)))
    assert decrypt(token, [EC] * MAX_TRIED, algorithms=EVERY) == b"content"


@pytest.mark.parametrize("keys", [[], {"keys": []}, {"keys": "x"}, [EC] * 101, {"keys": [{"kty": "AKP"}]}, 5])
def test_keys_of_ones_own_that_cannot_be_read_are_an_error_of_the_program(keys: object) -> None:
    token = encrypt(b"content", EC.public_key(), alg="ECDH-ES", enc="A128GCM")
    assert type(refused(token, keys)) is UsageError


@pytest.mark.parametrize("named", [True, False])
def test_a_key_in_the_header_is_never_the_key(named: bool) -> None:
    secret = {"kty": "oct", "k": b64(b"t" * 16), **({"kid": "mine"} if named else {})}
    header: dict[str, object] = {"jwk": secret, "jku": "https://evil.example/", "x5c": ["AAAA"]}
    token = encrypt(b"content", secret, alg="A128KW", enc="A128GCM", header=header)
    assert str(refused(token, {**secret, "k": b64(b"s" * 16)})) == FAILED


def test_an_oct_key_of_joserfc_is_accepted() -> None:
    key = OctKey.generate_key(128)
    assert decrypt(encrypt(b"content", key, alg="A128KW", enc="A128GCM"), key, algorithms=["A128KW"]) == b"content"


@pytest.mark.parametrize(
    ("alg", "enc", "digest", "size"),
    [
        ("A128KW", "A256GCM", hashlib.sha256, 16),
        ("A256GCMKW", "A128GCM", hashlib.sha256, 32),
        ("dir", "A128GCM", hashlib.sha256, 16),
        ("dir", "A128CBC-HS256", hashlib.sha256, 32),
        ("dir", "A192CBC-HS384", hashlib.sha384, 48),
        ("dir", "A256CBC-HS512", hashlib.sha512, 64),
    ],
)
def test_a_client_secret_stands_for_the_left_part_of_its_hash(alg: str, enc: str, digest: Any, size: int) -> None:
    key = key_of_client_secret("the client's secret", alg=alg, enc=enc)
    token = encrypt(b"content", digest(b"the client's secret").digest()[:size], alg=alg, enc=enc)
    assert decrypt(token, key, algorithms=[alg]) == b"content"


@pytest.mark.parametrize(("alg", "enc"), [("RSA-OAEP", "A128GCM"), ("ECDH-ES", "A128GCM"), ("A128KW", "x"), ("x", "x")])
def test_a_client_secret_is_for_symmetric_encryption_alone(alg: str, enc: str) -> None:
    with pytest.raises(UsageError):
        key_of_client_secret("the client's secret", alg=alg, enc=enc)


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300), st.sampled_from(sorted(ENCRYPTIONS)), st.text(max_size=20))
def test_any_content_comes_back(content: bytes, enc: str, name: str) -> None:
    header = {"note": name, "cty": "application/octet-stream"}
    token = encrypt(content, b"s" * 16, alg="A128KW", enc=enc, header=header)
    opened = decrypt_token(token, b"s" * 16, algorithms=["A128KW"])
    assert (opened.plaintext, opened.header["note"]) == (content, name)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 4), st.integers(0, 10_000), st.sampled_from("ABz09-_"))
def test_no_changed_character_of_a_token_is_accepted(part: int, position: int, character: str) -> None:
    token = encrypt(b"content", b"s" * 16, alg="A128KW", enc="A128CBC-HS256")
    old = token.split(".")[part]
    new = old[: position % len(old)] + character + old[position % len(old) + 1 :]
    if new != old:
        refused(changed(token, part, new), b"s" * 16)
