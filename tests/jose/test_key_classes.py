"""`RSAKey`, `ECKey`, `OKPKey`, `OctKey`, `KeySet`: keys under the names that programs written for Authlib import."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from doorkey.errors import UsageError
from doorkey.jose import ECKey, JsonWebKey, KeySet, OctKey, OKPKey, RSAKey
from doorkey.jose.generation import generate_key
from doorkey.jose.keys import Key, import_key, import_keys
from doorkey.jose.signing import sign
from doorkey.jose.verification import verify

CLASSES: dict[str, type[Key]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey, "oct": OctKey}
KEYS: dict[str, Key] = {
    "RSA": RSAKey.generate_key(is_private=True),
    "EC": ECKey.generate_key("P-384", is_private=True),
    "OKP": OKPKey.generate_key("X25519", is_private=True),
    "oct": OctKey.generate_key(256),
}
PAIRS = ("RSA", "EC", "OKP")


@pytest.mark.parametrize("kty", CLASSES)
def test_a_key_is_of_the_class_of_its_type_however_it_is_read(kty: str) -> None:
    key = KEYS[kty]
    jwk = key.as_dict(is_private=True)
    for read in (key, import_key(jwk), JsonWebKey.import_key(json.dumps(jwk)), CLASSES[kty].import_key(jwk)):
        assert type(read) is CLASSES[kty]
        assert (read.kty, read.kid, read.is_private) == (kty, key.thumbprint(), True)


@pytest.mark.parametrize("kty", CLASSES)
def test_a_class_refuses_a_key_of_another_type(kty: str) -> None:
    for other, kind in CLASSES.items():
        if other != kty:
            with pytest.raises(UsageError, match=f"this is a key of type {kty}, not an {kind.__name__}"):
                kind.import_key(KEYS[kty])


def test_options_are_added_to_an_imported_key_and_a_kty_is_compared() -> None:
    pem = KEYS["RSA"].as_pem()
    key = JsonWebKey.import_key(pem, {"kty": "RSA", "kid": "one", "use": "sig"})
    assert (key.kid, key.as_dict()["use"], key.is_private) == ("one", "sig", False)
    assert RSAKey.import_key(KEYS["RSA"], {"kid": "two"}).as_dict(is_private=True)["kid"] == "two"
    with pytest.raises(UsageError, match="the options name another type"):
        JsonWebKey.import_key(pem, {"kty": "EC"})
    wrong: list[Any] = [{"use": 5}, {"key_ops": "sign"}, ["kid"]]
    for options in wrong:
        with pytest.raises(UsageError):
            JsonWebKey.import_key(pem, options)


@pytest.mark.parametrize("kind", [RSAKey, ECKey, OKPKey])
def test_without_is_private_a_class_generates_the_public_half(kind: Any) -> None:
    key = kind.generate_key(options={"kid": "mine", "use": "sig"})
    assert not key.is_private
    assert "d" not in key.as_dict()
    assert (key.kid, key.as_dict()["use"]) == ("mine", "sig")


def test_a_secret_is_generated_whole_and_in_the_size_that_is_wanted() -> None:
    assert len(OctKey.generate_key(512).as_dict(is_private=True)["k"]) == 86
    with pytest.raises(UsageError, match="no public half"):
        OctKey.generate_key(is_private=False)


@pytest.mark.parametrize("kty", PAIRS)
def test_private_parts_leave_a_key_only_on_request(kty: str) -> None:
    key = KEYS[kty]
    private = key.as_dict(is_private=True)["d"]
    for shown in (key.as_dict(), key.as_json(), repr(key), str(key), key.as_pem().decode(), repr(KeySet([key]))):
        assert private not in str(shown)
        assert "PRIVATE" not in str(shown)
    assert json.loads(key.as_json(is_private=True))["d"] == private
    assert json.loads(key.as_json(use="enc"))["use"] == "enc"


@pytest.mark.parametrize("kty", PAIRS)
def test_a_pem_of_a_key_is_the_same_key(kty: str) -> None:
    key = KEYS[kty]
    public, private = load_pem_public_key(key.as_pem()), load_pem_private_key(key.as_pem(is_private=True), None)
    assert import_key(public).thumbprint() == import_key(private).thumbprint() == key.thumbprint()
    assert not import_key(key.as_pem()).is_private
    assert import_key(key.as_pem(is_private=True)).is_private


@pytest.mark.parametrize("password", ["a password", b"a password"])
def test_a_private_pem_is_encrypted_by_a_password(password: Any) -> None:
    pem = KEYS["EC"].as_pem(is_private=True, password=password)
    assert b"ENCRYPTED" in pem
    assert import_key(load_pem_private_key(pem, b"a password")).thumbprint() == KEYS["EC"].thumbprint()


@pytest.mark.parametrize("password", ["", b"", 5, "x" * 1024])
def test_a_password_that_encrypts_nothing_is_refused(password: Any) -> None:
    with pytest.raises(UsageError, match="password of a PEM"):
        KEYS["EC"].as_pem(is_private=True, password=password)
    with pytest.raises(UsageError, match="encrypts the private key"):
        KEYS["EC"].as_pem(password="a password")


@pytest.mark.parametrize("kty", PAIRS)
def test_a_public_key_has_no_private_parts_to_give(kty: str) -> None:
    public = import_key(KEYS[kty].as_dict())
    for leak in (public.as_dict, public.as_json, public.as_pem):
        with pytest.raises(UsageError, match="this key is public"):
            leak(is_private=True)


def test_a_secret_has_neither_a_public_half_nor_a_pem() -> None:
    for leak in (KEYS["oct"].as_dict, KEYS["oct"].as_json, KEYS["oct"].as_pem):
        with pytest.raises(UsageError, match="a shared secret has no"):
            leak()
    with pytest.raises(UsageError, match="no PEM"):
        KEYS["oct"].as_pem(is_private=True)


def test_the_thumbprint_is_that_of_the_public_members_alone() -> None:
    key = KEYS["EC"]
    other = import_key({**key.as_dict(is_private=True), "kid": "another", "use": "sig", "alg": "ES384"})
    assert other.thumbprint() == key.thumbprint() == import_key(key.as_pem()).thumbprint()
    assert key.thumbprint_uri() == f"urn:ietf:params:oauth:jwk-thumbprint:sha-256:{key.thumbprint()}"


def test_a_key_set_is_a_tuple_that_finds_its_keys() -> None:
    keys = KeySet([KEYS["RSA"], KEYS["EC"].as_dict()])
    assert (len(keys), keys[0], keys.keys) == (2, KEYS["RSA"], tuple(keys))
    assert keys.find_by_kid(KEYS["EC"].kid).kty == "EC"
    wrong: list[tuple[Any, str]] = [
        (None, "2 keys: give the `kid`"),
        ("x", "no key of this set"),
        (5, "kid must be text"),
    ]
    for kid, message in wrong:
        with pytest.raises(UsageError, match=message):
            keys.find_by_kid(kid)
    assert KeySet([KEYS["EC"]]).find_by_kid(None) is KEYS["EC"]


def test_a_key_set_is_written_with_public_halves_unless_asked() -> None:
    keys = KeySet([KEYS["RSA"], KEYS["OKP"]])
    assert [sorted(key)[0] for key in keys.as_dict()["keys"]] == ["e", "crv"]
    assert all("d" not in key for key in json.loads(keys.as_json())["keys"])
    assert all("d" in key for key in keys.as_dict(is_private=True)["keys"])
    assert JsonWebKey.import_key_set(keys.as_json()).as_dict() == keys.as_dict()


def test_a_key_set_verifies() -> None:
    key = generate_key("ES256")
    published = JsonWebKey.import_key_set({"keys": [key.as_dict(), {"kty": "AKP"}]})
    assert isinstance(published, KeySet)
    token = sign({"sub": "alice"}, key, alg="ES256")
    for keys in (published, published.as_dict(), import_keys(published)):
        assert verify(token, keys, algorithms=["ES256"]).claims == {"sub": "alice"}


@pytest.mark.parametrize("keys", [None, "text", 5, [None], [{"kty": "AKP"}], {"keys": []}])
def test_a_key_set_of_a_value_that_is_not_a_key_is_an_error(keys: Any) -> None:
    with pytest.raises(UsageError):
        KeySet(keys)


def test_an_empty_key_set_shows_that_it_is_empty() -> None:
    assert repr(KeySet([])) == "<KeySet>"
    assert repr(KeySet([import_key({"kty": "oct", "k": "c2VjcmV0", "kid": "k"})])) == "<KeySet <OctKey kid='k'>>"
