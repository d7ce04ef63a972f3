"""What other libraries did with encrypted tokens, and what this one must never do."""

import json
import zlib
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from doorkey.errors import UsageError, VerificationError
from doorkey.jose import JsonWebEncryption, JsonWebToken, jwt
from doorkey.jose.encryption import MAX_BYTES, decrypt, encrypt, is_encrypted, unsafe_encrypted_header
from doorkey.jose.encryption_algorithms import DEFAULT_MANAGEMENT, MANAGEMENT
from doorkey.jose.keys import import_key
from tests.support.encrypted_tokens import EVERY, FAILED, b64, changed, refused, with_header
from tests.support.memory import little_memory

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SECRET = b"s" * 16


def bomb(header: dict[str, Any]) -> str:
    """A compressed content of 20 MB, correctly encrypted."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return with_header(header, squeeze.compress(b"\0" * 20_000_000) + squeeze.flush(), SECRET)


def test_cve_2025_62706_cve_2024_28102_cve_2026_39373_a_compressed_content_is_refused_unless_it_is_named() -> None:
    token = bomb({"alg": "dir", "enc": "A128GCM", "zip": "DEF"})
    with little_memory(1024 * 1024):
        assert "zip is not accepted" in str(refused(token, SECRET, ["dir"]))
        with pytest.raises(VerificationError, match="zip"):
            JsonWebEncryption(["dir"]).deserialize_compact(token, SECRET)


def test_cve_2025_62706_cve_2024_28102_cve_2026_39373_where_it_is_named_no_more_than_the_bound_is_inflated() -> None:
    token = bomb({"alg": "dir", "enc": "A128GCM", "zip": "DEF"})
    with little_memory(2 * 1024 * 1024):
        assert str(refused(token, SECRET, ["dir", "DEF"])) == FAILED


@pytest.mark.parametrize("count", [1, 2**31 - 1, 10**12])
@pytest.mark.parametrize("alg", ["PBES2-HS256+A128KW", "PBES2-HS384+A192KW", "PBES2-HS512+A256KW"])
def test_cve_2023_6681_cve_2026_27932_no_password_is_stretched_for_a_jwe(alg: str, count: int) -> None:
    header = {"alg": alg, "enc": "A128CBC-HS256", "p2c": count, "p2s": b64(b"salt" * 4)}
    token = ".".join([b64(header), b64(b"k" * 40), b64(b"i" * 16), b64(b"c" * 16), b64(b"t" * 16)])
    assert "alg is not the registered one" in str(refused(token, b"a password"))
    with pytest.raises(UsageError, match="is none of"):
        decrypt(token, b"a password", algorithms=[alg])
    with pytest.raises(UsageError, match="is none of"):
        JsonWebEncryption([alg])


def test_cve_2026_28490_cve_2016_6298_rsa1_5_is_refused_before_the_private_key_is_used() -> None:
    seen: set[str] = set()
    for cek in (b"k" * 16, b"k" * 5, b""):
        encrypted_key = RSA.public_key().encrypt(cek, padding.PKCS1v15())
        header = {"alg": "RSA1_5", "enc": "A128GCM"}
        token = ".".join([b64(header), b64(encrypted_key), b64(b"i" * 12), b64(b"c"), b64(b"t" * 16)])
        seen.add(str(refused(token, RSA)))
        with pytest.raises(UsageError, match="is none of"):
            decrypt(token, RSA, algorithms=["RSA1_5"])
    assert len(seen) == 1
    assert "RSA1_5" not in MANAGEMENT


@pytest.mark.parametrize("alg", ["RSA-OAEP", "RSA-OAEP-256"])
def test_cve_2026_28490_a_wrong_encrypted_key_a_wrong_size_of_it_and_a_wrong_tag_are_one_error(alg: str) -> None:
    token = encrypt(b"content", RSA.public_key(), alg=alg, enc="A128GCM")
    of_another_size = encrypt(b"content", RSA.public_key(), alg=alg, enc="A256CBC-HS512").split(".")[1]
    wrong = [
        changed(token, 1, b64(b"\x00" * 256)),
        changed(token, 1, b64(b"\xff" * 256)),
        changed(token, 1, b64(b"short")),
        changed(token, 1, ""),
        changed(token, 1, of_another_size),
        changed(token, 4, b64(b"t" * 16)),
    ]
    errors = [refused(one, RSA) for one in wrong]
    assert {(type(error), str(error), error.__context__) for error in errors} == {(VerificationError, FAILED, None)}


def test_cve_2026_27962_a_key_in_the_header_of_a_jwe_is_never_the_key() -> None:
    theirs = {"kty": "oct", "k": b64(b"t" * 16)}
    header: dict[str, object] = {"jwk": theirs, "jku": "https://evil.example/", "x5u": "https://evil.example/"}
    token = encrypt(b"content", theirs, alg="A128KW", enc="A128GCM", header=header)
    assert str(refused(token, SECRET)) == FAILED


@pytest.mark.parametrize("crit", [["x"], ["exp"], [], "", None])
def test_cve_2025_59420_an_extension_of_a_jwe_that_is_not_understood_is_refused(crit: object) -> None:
    token = with_header({"alg": "dir", "enc": "A128GCM", "crit": crit, "x": True}, b"content", SECRET)
    assert "crit names" in str(refused(token, SECRET))


@pytest.mark.parametrize("part", range(5))
def test_cve_2025_61920_a_huge_part_of_a_jwe_is_refused_before_it_is_decoded(part: int) -> None:
    token = changed(encrypt(b"x", SECRET, alg="A128KW", enc="A128GCM"), part, "A" * (32 * 1024 * 1024))
    with little_memory(1024 * 1024):
        assert "too long" in str(refused(token, SECRET))
        with pytest.raises(VerificationError, match="too long"):
            unsafe_encrypted_header(token)
        assert not is_encrypted(token)


@pytest.mark.parametrize("dots", ["." * 60_000, "a." * 30_000, "." * (16 * 1024 * 1024)])
def test_cve_2025_22868_cve_2025_30204_a_jwe_of_many_dots_is_refused_without_splitting_it(dots: str) -> None:
    with little_memory(1024 * 1024):
        refused(dots, SECRET)
        assert not is_encrypted(dots)


def test_cve_2026_48525_what_fits_within_the_bound_costs_no_multiple_of_it() -> None:
    token = encrypt(b"x", SECRET, alg="A128KW", enc="A128GCM")
    many = b"{" + b",".join(b'"%d":0' % number for number in range(4_000)) + b"}"
    with little_memory(64 * MAX_BYTES):
        for header in (b'{"a":' + b"[" * 40_000, b'{"a":' + b"9" * 40_000 + b"}", many):
            refused(changed(token, 0, b64(header)), SECRET)


def test_cve_2022_3102_claims_that_are_only_encrypted_are_never_taken_for_signed_ones() -> None:
    public = import_key(RSA.public_key())
    forged = encrypt(json.dumps({"sub": "mallory"}), public, alg="RSA-OAEP", enc="A128GCM", header={"typ": "JWT"})
    for verifies in (jwt, JsonWebToken(["RS256"])):
        for key in (RSA, public, {"keys": [public.as_dict()]}):
            with pytest.raises(VerificationError, match="not a signed token"):
                verifies.decode(forged, key)


def test_cve_2024_37568_a_public_key_is_no_secret_to_encrypt_or_decrypt_with() -> None:
    pem = import_key(RSA).as_pem()
    token = encrypt(b"content", SECRET, alg="A128KW", enc="A128GCM")
    for alg in DEFAULT_MANAGEMENT:
        if MANAGEMENT[alg].types == ("oct",):
            with pytest.raises(UsageError):
                encrypt(b"", pem, alg=alg, enc="A128GCM")
            with pytest.raises(UsageError, match="never a shared secret"):
                decrypt(token, {"kty": "oct", "k": b64(pem)}, algorithms=EVERY)


def test_cve_2026_48523_a_key_for_another_algorithm_does_not_decrypt() -> None:
    jwk = import_key(RSA).as_dict(is_private=True, alg="RSA-OAEP-256")
    token = encrypt(b"", RSA.public_key(), alg="RSA-OAEP", enc="A128GCM")
    assert "own `alg` is not RSA-OAEP" in str(refused(token, jwk))
