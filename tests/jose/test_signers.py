"""The algorithm that fits a key, and signatures that another program makes, such as a KMS."""

import json
from base64 import urlsafe_b64decode
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa, utils
from joserfc.jwk import ECKey, OctKey

from doorkey.errors import OAuthError, TransportError, UsageError
from doorkey.jose.keys import import_key
from doorkey.jose.signers import algorithm_for, sign_by_key, sign_by_signer
from doorkey.jose.verification import unsafe_header, verify
from doorkey.values import Secret
from doorkey.wire.flow import arun, run
from tests.support.tracebacks import local_variables

CLAIMS = {"iss": "robot", "ä": "ö"}
RSA = rsa.generate_private_key(65537, 2048)
EC = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
EC_KEYS = {alg: ec.generate_private_key(curve) for alg, curve in EC.items()}
ED25519, ED448 = ed25519.Ed25519PrivateKey.generate(), ed448.Ed448PrivateKey.generate()
HASHES: dict[str, hashes.HashAlgorithm] = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


def der(alg: str) -> Callable[[bytes], bytes]:
    """A signer as most KMS are: ECDSA in DER."""
    return lambda data: EC_KEYS[alg].sign(data, ec.ECDSA(HASHES[alg[2:]]))


def raw(alg: str) -> Callable[[bytes], bytes]:
    """The same signer, made by the fix that the error names."""
    size = (EC_KEYS[alg].key_size + 7) // 8

    def signer(data: bytes) -> bytes:
        r, s = utils.decode_dss_signature(der(alg)(data))
        return r.to_bytes(size) + s.to_bytes(size)

    return signer


def pkcs1(data: bytes) -> bytes:
    return RSA.sign(data, padding.PKCS1v15(), hashes.SHA256())


def pss(data: bytes) -> bytes:
    return RSA.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())


def signed(signer: Any, alg: str, claims: Any = CLAIMS, **header: object) -> str:
    return run(sign_by_signer(claims, signer, alg=alg, header=header), pytest.fail)


async def asigned(signer: Any, alg: str) -> str:
    return await arun(sign_by_signer(CLAIMS, signer, alg=alg, header={}), pytest.fail)


@pytest.mark.parametrize(
    ("alg", "signer", "key"),
    [
        *((alg, raw(alg), key) for alg, key in EC_KEYS.items()),
        ("RS256", pkcs1, RSA),
        ("PS256", pss, RSA),
        ("EdDSA", ED25519.sign, ED25519),
        ("Ed25519", ED25519.sign, ED25519),
        ("EdDSA", ED448.sign, ED448),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_a_signer_signs_verifies_by_its_public_key(alg: str, signer: Any, key: Any) -> None:
    token = signed(signer, alg, kid="kms-1")
    verified = verify(token, key.public_key(), algorithms=[alg])
    assert verified.claims == CLAIMS
    assert json.loads(urlsafe_b64decode(token.split(".")[0] + "==")) == {"alg": alg, "typ": "JWT", "kid": "kms-1"}


@pytest.mark.parametrize("alg", EC_KEYS)
def test_an_ecdsa_signature_in_der_is_refused_with_the_conversion(alg: str) -> None:
    size = (EC_KEYS[alg].key_size + 7) // 8
    with pytest.raises(UsageError, match=rf"in DER.*decode_dss_signature.*r\.to_bytes\({size}\)"):
        signed(der(alg), alg)


@pytest.mark.parametrize(
    ("signature", "alg", "said"),
    [
        (b"x" * 63, "ES256", "has 64 bytes, but the signer returned 63"),
        (b"", "ES256", "returned 0"),
        (b"x" * 96, "ES256", "returned 96"),
        (b"x" * 65, "EdDSA", "has 64 or 114 bytes"),
        (b"x" * 128, "RS256", "has 256 or more bytes, but the signer returned 128"),
        ("x" * 64, "ES256", "as bytes, not str: if it is base64, decode it"),
        (None, "ES256", "as bytes, not NoneType"),
    ],
)
def test_a_signature_that_cannot_be_one_of_the_algorithm_is_a_usage_error(signature: Any, alg: str, said: str) -> None:
    def signer(_: bytes) -> Any:
        return signature

    with pytest.raises(UsageError, match=said):
        signed(signer, alg)


@pytest.mark.parametrize("alg", ["none", "HS256", "ES257"])
def test_a_signer_signs_by_asymmetric_algorithms_only(alg: str) -> None:
    with pytest.raises(UsageError, match="the alg of a signer must be one of RS256"):
        signed(failing, alg)


def test_a_signer_may_return_any_bytes_like_object() -> None:
    for kind in (bytearray, memoryview):

        def signer(data: bytes, kind: Any = kind) -> Any:
            return kind(ED25519.sign(data))

        token = signed(signer, "EdDSA")
        assert verify(token, ED25519.public_key(), algorithms=["EdDSA"]).claims == CLAIMS


def failing(_: bytes) -> bytes:
    credential = "credential-of-the-kms"
    raise PermissionError(credential[:3])


async def afailing(data: bytes) -> bytes:
    return failing(data)


def test_the_error_of_a_signer_is_ours_and_retryable_and_shows_none_of_its_frames() -> None:
    with pytest.raises(TransportError, match="the signer failed with PermissionError: nothing was signed") as caught:
        signed(failing, "ES256")
    assert caught.value.retryable
    assert isinstance(caught.value.__cause__, PermissionError)
    assert caught.value.__context__ is caught.value.__cause__ or caught.value.__context__ is None
    assert "credential-of-the-kms" not in local_variables(caught.value)


@pytest.mark.anyio
async def test_the_error_of_an_asynchronous_signer_is_the_same() -> None:
    with pytest.raises(TransportError, match="the signer failed with PermissionError") as caught:
        await asigned(afailing, "ES256")
    assert "credential-of-the-kms" not in local_variables(caught.value)


@pytest.mark.anyio
async def test_an_asynchronous_signer_is_awaited_and_its_signature_checked() -> None:
    async def signer(data: bytes) -> bytes:
        return ED25519.sign(data)

    async def empty(_: bytes) -> bytes:
        return b""

    assert verify(await asigned(signer, "EdDSA"), ED25519.public_key(), algorithms=["EdDSA"]).claims == CLAIMS
    with pytest.raises(UsageError, match="returned 0"):
        await asigned(empty, "EdDSA")


def test_an_asynchronous_signer_of_a_program_that_blocks_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="asynchronous callable"):
        signed(afailing, "ES256")


def test_an_error_of_ours_and_an_interrupt_pass_through_a_signer() -> None:
    for error in (OAuthError("x", "of the program's own"), KeyboardInterrupt()):

        def signer(_: bytes, error: BaseException = error) -> bytes:
            raise error

        with pytest.raises(type(error)) as caught:
            signed(signer, "ES256")
        assert caught.value is error


def test_the_response_of_a_kms_client_is_not_kept_with_its_error() -> None:
    class Refused(Exception):
        def __init__(self) -> None:
            self.request, self.response, self.code = "Authorization: Bearer x", "body", 403

    def signer(_: bytes) -> bytes:
        raise Refused

    with pytest.raises(TransportError) as caught:
        signed(signer, "ES256")
    cause: Any = caught.value.__cause__
    assert (cause.request, cause.response, cause.code) == (None, None, 403)


@pytest.mark.parametrize("header", [{"alg": "ES384"}, {"crit": ["x"]}, {"b64": False}])
def test_a_header_that_no_jwt_may_have_is_refused_before_the_signer_is_called(header: dict[str, Any]) -> None:
    signer: Any = pytest.fail
    with pytest.raises(UsageError):
        run(sign_by_signer(CLAIMS, signer, alg="ES256", header=header), pytest.fail)
    with pytest.raises(UsageError):
        signed(signer, "ES256", claims={"x": {1}})


@pytest.mark.parametrize(
    ("key", "listed", "alg"),
    [
        *((key, None, alg) for alg, key in EC_KEYS.items()),
        (ED25519, None, "EdDSA"),
        (ED448, None, "EdDSA"),
        (RSA, None, "RS256"),
        (ED25519, ["Ed25519"], "Ed25519"),
        (ED448, ["Ed25519", "Ed448"], "Ed448"),
        (RSA, ["PS512", "PS256", "RS384"], "PS256"),
        (RSA, ["RS384", "PS384"], "RS384"),
        (RSA, ["ES256", 7, None], "RS256"),
        (RSA, {"PS256": 1}, "RS256"),
        ("s" * 64, None, "HS256"),
        ("s" * 64, ["HS512"], "HS512"),
    ],
)
def test_the_algorithm_fits_the_key_and_the_list_of_the_server(key: Any, listed: object, alg: str) -> None:
    assert algorithm_for(import_key(key), listed) == alg


def test_the_alg_of_a_jwk_is_the_algorithm_whatever_the_server_lists() -> None:
    jwk = {**import_key(RSA).as_dict(is_private=True), "alg": "PS384"}
    assert algorithm_for(import_key(jwk), ["RS256"]) == "PS384"


def test_a_key_on_a_curve_that_no_algorithm_has_is_refused() -> None:
    odd = ECKey.generate_key("secp256k1", private=True, auto_kid=False)
    with pytest.raises(UsageError, match="no algorithm signs with a key on secp256k1"):
        algorithm_for(import_key(odd))


@pytest.mark.parametrize(
    ("key", "is_secret", "said"),
    [(OctKey.import_key("s" * 32), False, "needs a private key"), (ED25519, True, "needs a shared secret")],
)
def test_a_key_of_the_other_kind_is_refused(key: Any, is_secret: bool, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        sign_by_key(CLAIMS, import_key(key), alg=None, header={}, is_secret=is_secret)


def test_signing_by_a_key_leaves_no_secret_in_local_variables() -> None:
    with pytest.raises(UsageError) as caught:
        sign_by_key({"x": {1}}, import_key(Secret("do-not-show" * 9)), alg=None, header={}, is_secret=True)
    assert "do-not-show" not in local_variables(caught.value)


def test_a_key_signs_by_the_algorithm_that_fits_or_by_the_one_that_is_named() -> None:
    key = import_key(RSA)
    for alg, listed, expected in ((None, None, "RS256"), (None, ["PS256"], "PS256"), ("PS512", ["RS256"], "PS512")):
        token = sign_by_key(CLAIMS, key, alg=alg, header={"x": 1}, supported=listed)
        assert verify(token, RSA.public_key(), algorithms=[expected]).header == {"alg": expected, "typ": "JWT", "x": 1}


def test_a_key_without_a_kid_is_named_by_its_thumbprint_only_on_request() -> None:
    plain = import_key(ED25519)
    named = import_key({**plain.as_dict(is_private=True), "kid": "own"})
    thumbprint = plain.as_dict()["kid"]
    for key, asked, header, expected in (
        (plain, False, {}, None),
        (plain, True, {}, thumbprint),
        (plain, True, {"kid": "of-the-header"}, "of-the-header"),
        (named, False, {}, "own"),
        (named, True, {}, "own"),
    ):
        token = sign_by_key(CLAIMS, key, alg=None, header=header, thumbprint_kid=asked)
        assert unsafe_header(token).get("kid") == expected
        assert verify(token, ED25519.public_key(), algorithms=["EdDSA"]).claims == CLAIMS


def test_a_secret_signs_where_one_is_expected_and_a_short_one_only_where_that_is_allowed() -> None:
    secret, short = Secret("s" * 32), Secret("short")
    token = sign_by_key(CLAIMS, import_key(secret), alg=None, header={}, is_secret=True)
    assert verify(token, secret, algorithms=["HS256"]).claims == CLAIMS
    with pytest.raises(UsageError, match="at least 32 bytes"):
        sign_by_key(CLAIMS, import_key(short), alg=None, header={}, is_secret=True)
    token = sign_by_key(CLAIMS, import_key(short), alg=None, header={}, is_secret=True, allow_short_secret=True)
    assert unsafe_header(token)["alg"] == "HS256"
