import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from doorkey.errors import UsageError, VerificationError
from doorkey.jose.encryption import decrypt, encrypt
from doorkey.jose.errors import BadSignatureError, DecodeError
from doorkey.jose.generation import generate_key
from doorkey.jose.key_choice import allowed_by
from doorkey.jose.keys import import_key, import_keys
from doorkey.jose.signing import sign
from doorkey.jose.verification import (
    MAX_BYTES,
    MAX_TRIED,
    asks_for_other_keys,
    unsafe_claims,
    unsafe_header,
    unsafe_read,
    verify,
    verify_bytes,
)

EC = generate_key("ES256")
OTHER = generate_key("ES256")
SECRET = b"s" * 64


def b64(data: bytes | dict[str, Any]) -> str:
    raw = json.dumps(data).encode() if isinstance(data, dict) else data
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def hs256(header: bytes | dict[str, Any], payload: bytes | dict[str, Any], secret: str | bytes = SECRET) -> str:
    """A token with a valid HMAC. Its header and payload may be invalid."""
    signed = f"{b64(header)}.{b64(payload)}"
    key = secret.encode() if isinstance(secret, str) else secret
    return f"{signed}.{b64(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"


def refuse(token: str, keys: object = SECRET, algorithms: list[str] | None = None, **more: Any) -> VerificationError:
    with pytest.raises(VerificationError) as caught:
        verify(token, keys, algorithms=algorithms or ["HS256"], **more)
    return caught.value


GOOD = hs256({"alg": "HS256"}, {"sub": "a"})
HEAD, BODY, SIGNATURE = GOOD.split(".")


def test_a_good_token_gives_its_header_and_claims() -> None:
    verified = verify(GOOD, SECRET, algorithms=["HS256"])
    assert (verified.header, verified.claims) == ({"alg": "HS256"}, {"sub": "a"})


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b",
        f"{HEAD}.{BODY}",
        f"{HEAD}.{BODY}.",
        f"{HEAD}..{SIGNATURE}",
        f"{GOOD}.",
        f"{GOOD}.{BODY}",
        f"{GOOD}.{BODY}.{BODY}",
        f" {GOOD}",
        f"{GOOD}\n",
        f"{GOOD}=",
        f"{HEAD}=.{BODY}.{SIGNATURE}",
        f"{HEAD}.{BODY}.{SIGNATURE[:-1]}+",
        GOOD.replace(".", "..", 1),
        "." * 60_000,
        json.dumps({"payload": BODY, "signatures": [{"protected": HEAD, "signature": SIGNATURE}]}),
    ],
)
def test_only_the_legal_compact_form_is_read(token: str) -> None:
    assert refuse(token).claim == "token"


def test_base64_with_stray_bits_is_refused() -> None:
    last = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    stray = SIGNATURE[:-1] + last[last.index(SIGNATURE[-1]) + 1]
    assert refuse(f"{HEAD}.{BODY}.{stray}").claim == "signature"


def test_a_token_that_is_too_long_is_refused_before_it_is_decoded() -> None:
    assert refuse("!" * (MAX_BYTES + 1)).reason == "is too long"
    assert refuse(GOOD, max_bytes=10).reason == "is too long"


def test_a_jwe_is_never_taken_for_a_jws() -> None:
    assert refuse(".".join([b64({"alg": "dir", "enc": "A128GCM"}), "", "AAAA", "AAAA", "AAAA"])).claim == "token"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "", None, 1, ["HS256"], "HS512", "RS256"])
def test_the_algorithm_comes_from_the_registration_and_never_from_the_token(alg: object) -> None:
    assert refuse(hs256({"alg": alg}, {})).claim == "alg"


def test_none_cannot_be_registered() -> None:
    with pytest.raises(UsageError):
        verify(GOOD, SECRET, algorithms=["none"])


def test_no_algorithm_registered_means_no_token_is_good() -> None:
    with pytest.raises(VerificationError):
        verify(GOOD, SECRET, algorithms=[])


def test_a_public_key_is_no_hmac_secret() -> None:
    pem = import_key(EC.public_jwk())
    token = hs256({"alg": "HS256"}, {}, json.dumps(EC.public_jwk()))
    assert refuse(token, pem, ["ES256", "HS256"]).claim == "alg"


def test_keys_in_the_token_are_never_used() -> None:
    jwks = {"keys": [EC.public_jwk()]}
    for header in ({"jwk": OTHER.public_jwk()}, {"jku": "https://evil.example/jwks"}, {"x5c": ["AAAA"]}, {"x5u": "x"}):
        token = sign({}, OTHER, alg="ES256", header={**header, "kid": EC.kid})
        assert refuse(token, jwks, ["ES256"]).claim == "signature"


@pytest.mark.parametrize("crit", [["exp"], ["b64"], [], "exp", ["no-such"], None])
def test_crit_is_refused_whatever_it_names(crit: object) -> None:
    assert refuse(hs256({"alg": "HS256", "crit": crit, "exp": 1}, {})).claim == "crit"


@pytest.mark.parametrize("b64_member", [False, 0, "false", None])
def test_b64_false_is_refused(b64_member: object) -> None:
    assert refuse(hs256({"alg": "HS256", "b64": b64_member}, {})).claim == "b64"


@pytest.mark.parametrize(
    "payload",
    [
        b"[]",
        b"7",
        b"",
        b"\xff",
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
        b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"a":' + b"9" * 5000 + b"}",
    ],
)
def test_claims_must_be_one_strict_json_object(payload: bytes) -> None:
    assert refuse(hs256({"alg": "HS256"}, payload)).claim == "token"


def test_only_a_message_that_is_read_as_bytes_may_be_empty() -> None:
    token = hs256({"alg": "HS256"}, b"")
    assert verify_bytes(token, SECRET, algorithms=["HS256"]) == ({"alg": "HS256"}, b"")
    assert unsafe_header(token, may_be_empty=True) == {"alg": "HS256"}
    with pytest.raises(BadSignatureError):
        verify_bytes(f"{HEAD}..{SIGNATURE}", SECRET, algorithms=["HS256"])
    for read in (unsafe_header, unsafe_claims, unsafe_read):
        with pytest.raises(DecodeError, match="compact form"):
            read(token)


@pytest.mark.parametrize("header", [b'{"alg":"none","alg":"HS256"}', b"[]", b"{", b'{"alg":"HS256","x":NaN}'])
def test_the_header_must_be_one_strict_json_object(header: bytes) -> None:
    assert refuse(hs256(header, {})).claim == "header"


def test_typ_is_checked_when_one_is_wanted() -> None:
    token = hs256({"alg": "HS256", "typ": "at+jwt"}, {})
    assert verify(token, SECRET, algorithms=["HS256"], typ="application/AT+JWT").header["typ"] == "at+jwt"
    assert verify(token, SECRET, algorithms=["HS256"], typ=["JWT", "at+jwt"]).claims == {}
    assert refuse(token, typ="JWT").claim == "typ"
    assert refuse(GOOD, typ="JWT").claim == "typ"


def test_the_key_is_chosen_by_kid_among_the_callers_keys() -> None:
    jwks = {"keys": [OTHER.public_jwk(), EC.public_jwk()]}
    assert verify(sign({}, EC, alg="ES256"), jwks, algorithms=["ES256"]).claims == {}
    assert refuse(sign({}, EC, alg="ES256", header={"kid": OTHER.kid}), jwks, ["ES256"]).claim == "signature"
    assert refuse(sign({}, EC, alg="ES256", header={"kid": "unknown"}), jwks, ["ES256"]).claim == "kid"
    assert refuse(sign({}, EC, alg="ES256"), {"keys": []}, ["ES256"]).claim == "kid"


def test_secrets_and_public_keys_never_verify_side_by_side() -> None:
    with pytest.raises(UsageError, match="one or the other"):
        verify(GOOD, [SECRET, EC], algorithms=["HS256", "ES256"])


def test_two_secrets_of_one_name_are_ambiguous() -> None:
    one, other = ({"kty": "oct", "k": b64(secret), "kid": "same"} for secret in (b"a" * 32, b"b" * 32))
    with pytest.raises(UsageError, match="same `kid`"):
        verify(GOOD, [one, other], algorithms=["HS256"])


def test_a_payload_that_is_no_claims_may_be_read_as_bytes() -> None:
    token = hs256({"alg": "HS256"}, b"\x00 anything")
    assert verify_bytes(token, SECRET, algorithms=["HS256"]) == ({"alg": "HS256"}, b"\x00 anything")
    assert refuse(token).claim == "token"


def test_a_token_without_kid_is_tried_with_every_key_that_fits() -> None:
    jwk = {name: value for name, value in EC.public_jwk().items() if name != "kid"}
    anonymous = sign({}, {**json.loads(json.dumps(jwk)), "d": EC.jose.as_dict(private=True)["d"]}, alg="ES256")
    assert verify(anonymous, [OTHER, EC], algorithms=["ES256"]).claims == {}


def test_a_changed_token_is_refused_and_the_error_holds_nothing_of_it() -> None:
    error = refuse(f"{HEAD}.{b64({'sub': 'mallory'})}.{SIGNATURE}")
    assert (error.claim, str(error)) == ("signature", "signature cannot be verified with these keys")


def test_unverified_claims_have_a_name_that_says_so() -> None:
    assert unsafe_claims(GOOD) == {"sub": "a"}
    with pytest.raises(VerificationError):
        unsafe_claims("garbage")


def test_a_verified_token_does_not_print_its_claims() -> None:
    assert repr(verify(GOOD, SECRET, algorithms=["HS256"])) == "<VerifiedToken alg='HS256'>"


def test_a_forged_token_is_checked_with_few_keys_of_a_large_set() -> None:
    keys = {"keys": [{name: value for name, value in EC.public_jwk().items() if name != "kid"}] * (MAX_TRIED + 1)}
    token = sign({}, OTHER, alg="ES256")
    assert refuse(token, keys, ["ES256"]).claim == "kid"
    assert refuse(token, {"keys": keys["keys"][:MAX_TRIED]}, ["ES256"]).claim == "signature"


def test_a_token_that_was_read_unverified_is_verified_as_its_text_is() -> None:
    read = unsafe_read(GOOD)
    assert read.claims == {"sub": "a"}
    assert repr(read) == "<UnverifiedToken>"
    assert verify(read, SECRET, algorithms=["HS256"]) == verify(GOOD, SECRET, algorithms=["HS256"])
    for keys, algorithms in ((b"t" * 64, ["HS256"]), (SECRET, ["HS512"])):
        with pytest.raises(VerificationError):
            verify(read, keys, algorithms=algorithms)
    with pytest.raises(VerificationError):
        verify(read, SECRET, algorithms=["HS256"], typ="at+jwt")


@pytest.mark.parametrize("token", ["", "a.b", f"{HEAD}.{BODY}", f"{GOOD}.", f"{HEAD}.{BODY}=.{SIGNATURE}"])
def test_what_is_no_token_is_not_read_unverified_either(token: str) -> None:
    with pytest.raises(VerificationError):
        unsafe_read(token)


def test_newer_keys_may_help_only_if_no_known_key_verified_the_token() -> None:
    key, other = ({**generate_key("ES256").as_dict(is_private=True), "kid": kid} for kid in ("one", "two"))
    token = sign({"sub": "alice"}, other, alg="ES256")
    own, unknown = (
        {name: value for name, value in {**one, "use": "enc"}.items() if name != "alg"} for one in (key, other)
    )
    encrypted = encrypt(b"content", unknown, alg="ECDH-ES", enc="A128GCM", header={"kid": "two"})
    causes: list[tuple[Any, bool]] = [
        (lambda: verify(token, key, algorithms=["ES256"]), True),
        (lambda: verify(token, {**key, "kid": "two"}, algorithms=["ES256"]), True),
        (lambda: verify(token, {**key, "kid": "two", "use": "enc"}, algorithms=["ES256"]), True),
        (lambda: allowed_by(import_keys({"keys": [own]})), True),
        (lambda: verify(token, other, algorithms=["RS256"]), False),
        (lambda: verify(token, other, algorithms=["ES256"], typ="at+jwt"), False),
        # The keys that decrypt are the program's own: those of the issuer do not matter.
        (lambda: decrypt(encrypted, own, algorithms=["ECDH-ES"]), False),
    ]
    for cause, expected in causes:
        with pytest.raises(VerificationError) as caught:
            cause()
        assert asks_for_other_keys(caught.value) is expected
