import base64
import json
import secrets
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from doorkey.errors import UsageError
from doorkey.jose.generation import generate_key, private_jwk
from doorkey.jose.keys import MAX_KEYS, import_key, import_key_set, import_keys
from doorkey.values import Secret

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC_DER = RSA.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
PUBLIC_PEM = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
PUBLIC_SSH = RSA.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
PRIVATE_PEM = RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
SECRET = "a secret of thirty-two characters"


def jwk(key: object, **more: Any) -> dict[str, Any]:
    return {**import_key(key).public_jwk(), **more}


@pytest.mark.parametrize("value", [PRIVATE_PEM, PRIVATE_PEM.decode(), b"\n\n" + PRIVATE_PEM, RSA])
def test_a_private_rsa_key_signs_however_it_is_written(value: object) -> None:
    import_key(value).check("RS256", "sign")


def test_a_jwk_may_be_a_mapping_or_json() -> None:
    as_mapping = jwk(RSA, kid="one")
    assert import_key(as_mapping).kid == import_key(json.dumps(as_mapping)).kid == "one"


@pytest.mark.parametrize(
    "secret",
    [
        SECRET,
        SECRET.encode(),
        Secret(SECRET),
        "{" + SECRET,
        b"\x30" * 32,
        b"\xff" * 32,
        '{"a": "thirty-two characters at least"}',
    ],
)
def test_a_shared_secret_may_be_text_bytes_or_a_secret(secret: object) -> None:
    import_key(secret).check("HS256", "sign")


@pytest.mark.parametrize(
    "public",
    [PUBLIC_DER, PUBLIC_SSH, base64.b64encode(PUBLIC_DER), base64.encodebytes(PUBLIC_DER)],
)
def test_a_public_key_in_any_encoding_is_no_shared_secret(public: object) -> None:
    with pytest.raises(UsageError):
        import_key(public).check("HS256", "verify")


@pytest.mark.parametrize("public", [PUBLIC_PEM, PUBLIC_PEM.decode(), jwk(RSA), json.dumps(jwk(RSA))])
def test_a_readable_public_key_does_not_fit_an_hmac(public: object) -> None:
    with pytest.raises(UsageError, match="HS256 needs a key of type oct, not RSA"):
        import_key(public).check("HS256", "verify")


def test_a_jwk_of_type_oct_may_not_hide_a_public_key() -> None:
    k = base64.urlsafe_b64encode(PUBLIC_PEM).rstrip(b"=").decode()
    with pytest.raises(UsageError, match="never a shared secret"):
        import_key({"kty": "oct", "k": k})


def test_rsa_under_2048_bits_is_refused() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505  # that is the point
    numbers = short.public_key().public_numbers()
    n = base64.urlsafe_b64encode(numbers.n.to_bytes(128)).rstrip(b"=").decode()
    for value in (short, short.public_key(), {"kty": "RSA", "n": n, "e": "AQAB"}):
        with pytest.raises(UsageError, match="at least 2048 bits"):
            import_key(value)


@pytest.mark.parametrize("empty", ["", b"", {"kty": "oct", "k": ""}])
def test_an_empty_secret_is_refused(empty: object) -> None:
    with pytest.raises(UsageError):
        import_key(empty)


@pytest.mark.parametrize(("alg", "length"), [("HS256", 31), ("HS384", 47), ("HS512", 63)])
def test_a_secret_shorter_than_the_hash_is_refused(alg: str, length: int) -> None:
    with pytest.raises(UsageError, match=f"at least {length + 1} bytes"):
        import_key("x" * length).check(alg, "sign")


def test_a_key_on_another_curve_does_not_fit() -> None:
    with pytest.raises(UsageError, match="P-256"):
        import_key(ec.generate_private_key(ec.SECP384R1())).check("ES256", "sign")
    with pytest.raises(UsageError, match="needs a key of type OKP"):
        import_key(ec.generate_private_key(ec.SECP256R1())).check("EdDSA", "sign")


@pytest.mark.parametrize(
    "purpose", [{"use": "enc"}, {"key_ops": ["encrypt"]}, {"alg": "RS512"}, {"use": "sig", "alg": "PS256"}]
)
def test_a_key_for_another_purpose_does_not_fit(purpose: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        import_key(jwk(RSA, **purpose)).check("RS256", "verify")


def test_a_public_key_does_not_sign() -> None:
    with pytest.raises(UsageError, match="this one is public"):
        import_key(PUBLIC_PEM).check("RS256", "sign")


def test_an_encrypted_private_key_is_named_as_such() -> None:
    locked = RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x"))
    with pytest.raises(UsageError, match="encrypted"):
        import_key(locked)


@pytest.mark.parametrize(
    "broken",
    [
        b"-----BEGIN PRIVATE KEY-----\nsecretstuff\n-----END PRIVATE KEY-----\n",
        {"kty": "RSA", "n": "secretstuff", "e": "AQAB", "d": "%%"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "no-such-type"},
        {"kty": ["RSA"]},
        {"no": "kty"},
        '{"kty": "RSA", "kty": "oct"}',
        '{"keys": []}',
        17,
        None,
        [],
    ],
)
def test_a_value_that_is_not_a_key_is_one_error_that_quotes_nothing(broken: object) -> None:
    with pytest.raises(UsageError) as caught:
        import_key(broken)
    assert "secretstuff" not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_a_key_set_keeps_what_it_understands_and_ignores_the_rest() -> None:
    good = jwk(RSA, kid="good")
    private = {**json.loads(private_jwk(generate_key("ES256")).reveal()), "kid": "private"}
    odd: list[object] = [{"kty": "AKP", "alg": "ML-DSA-44"}, {"kty": "oct", "k": "c2VjcmV0"}, private, "text", {}]
    assert [key.kid for key in import_key_set({"keys": [*odd, good]})] == ["good"]
    assert [key.kid for key in import_key_set(json.dumps({"keys": [good]}))] == ["good"]


@pytest.mark.parametrize("value", [{}, {"keys": "none"}, "[]", 3])
def test_a_value_that_is_not_a_key_set_is_an_error(value: object) -> None:
    with pytest.raises(UsageError):
        import_key_set(value)


@pytest.mark.parametrize("alg", ["HS256", "HS512", "RS256", "ES256", "ES512", "EdDSA", "Ed25519"])
def test_a_generated_key_comes_back_from_its_jwk(alg: str) -> None:
    key = generate_key(alg)
    back = import_key(private_jwk(key))
    back.check(alg, "sign")
    assert back.kid is not None
    assert back.kid == key.kid


def test_a_key_shows_nothing_of_itself() -> None:
    assert repr(import_key({"kty": "oct", "k": "c2VjcmV0c3R1ZmY", "kid": "k"})) == "<OctKey kid='k'>"


def test_an_ed25519_key_has_a_public_half_and_a_secret_has_none() -> None:
    assert set(import_key(ed25519.Ed25519PrivateKey.generate()).public_jwk()) == {"kty", "crv", "x"}
    with pytest.raises(UsageError):
        import_key(SECRET).public_jwk()


@pytest.mark.parametrize("given", [SECRET, [SECRET], "https://example.com/keys", "<html>an error page</html>" * 9])
def test_a_bare_text_verifies_nothing(given: object) -> None:
    with pytest.raises(UsageError, match="mark it as a secret"):
        import_keys(given)


@pytest.mark.parametrize("given", [SECRET.encode(), Secret(SECRET), {"kty": "oct", "k": "c2VjcmV0" * 6}])
def test_a_secret_that_is_marked_as_one_verifies(given: object) -> None:
    for keys in (import_keys(given), import_keys([given])):
        keys[0].check("HS256", "verify")


def written(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes((number.bit_length() + 7) // 8)).rstrip(b"=").decode()


@pytest.mark.parametrize(("n", "e"), [(8200, 17), (2048, 41), (400_000, 2)])
def test_a_modulus_or_exponent_that_makes_a_check_expensive_is_refused(n: int, e: int) -> None:
    with pytest.raises(UsageError, match="at most 8192 bits"):
        import_key({"kty": "RSA", "n": written(1 << (n - 1) | 1), "e": written(1 << (e - 1) | 1)})


def test_a_key_set_of_a_mebibyte_is_bounded_by_its_number_of_keys() -> None:
    assert len(import_key_set({"keys": [jwk(RSA)] * MAX_KEYS})) == MAX_KEYS
    with pytest.raises(UsageError, match="more than 100 keys"):
        import_key_set({"keys": [jwk(RSA)] * (MAX_KEYS + 1)})


def test_random_bytes_that_look_like_a_key_are_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = [b"kty: RSA".ljust(64, b"\xff"), b"\xfe" * 64]

    def token_bytes(_size: int) -> bytes:
        return drawn.pop(0)

    monkeypatch.setattr(secrets, "token_bytes", token_bytes)
    assert generate_key("HS512").jose.raw_value == b"\xfe" * 64
