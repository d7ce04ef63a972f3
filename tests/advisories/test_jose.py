"""What other libraries did with tokens and keys, and what this one must never do: one test for each advisory."""

import hashlib
import hmac
import io
import json
import logging
import zlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from typing import Any, cast

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from doorkey.errors import OAuthError, UsageError, VerificationError
from doorkey.jose.algorithms import ALGORITHMS, ASYMMETRIC
from doorkey.jose.generation import generate_key
from doorkey.jose.keys import Key, import_key, import_key_set
from doorkey.jose.signing import sign
from doorkey.jose.verification import MAX_BYTES, unsafe_claims, unsafe_header, verify
from doorkey.values import Secret
from tests.support.changed_text import with_changed
from tests.support.memory import little_memory

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
OKP = ed25519.Ed25519PrivateKey.generate()
EVERY = tuple(ALGORITHMS)
CLAIMS = {"sub": "mallory"}
HASHES = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


def b64(data: bytes | dict[str, Any]) -> str:
    raw = json.dumps(data).encode() if isinstance(data, dict) else data
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def forged(secret: bytes, header: dict[str, Any], claims: dict[str, Any] | None = None) -> str:
    """A token with this header and an HMAC by `secret`, even if `alg` names another algorithm."""
    signed = f"{b64(header)}.{b64(claims or CLAIMS)}"
    made = hmac.new(secret, signed.encode(), HASHES.get(str(header.get("alg")), hashlib.sha256)).digest()
    return f"{signed}.{b64(made)}"


def refused(token: str, keys: object, algorithms: tuple[str, ...] = EVERY) -> OAuthError:
    with pytest.raises((VerificationError, UsageError)) as caught:
        verify(token, keys, algorithms=algorithms)
    return caught.value


def jwe(header: dict[str, Any], ciphertext: bytes = b"x" * 32) -> str:
    return ".".join([b64(header), b64(b"k" * 256), b64(b"i" * 12), b64(ciphertext), b64(b"t" * 16)])


def public_forms(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> dict[str, bytes]:
    """The encodings of a public key. An attacker tries each of them as an HMAC secret."""
    public = key.public_key()
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    forms = {
        "pem": pem,
        "pem without its last newline": pem.rstrip(),
        "pem with windows newlines": pem.replace(b"\n", b"\r\n"),
        "pem after a blank": b" \n" + pem,
        "der": der,
        "base64 of der": b64encode(der),
        "base64url of der": urlsafe_b64encode(der).rstrip(b"="),
        "der in hexadecimal": der.hex().encode(),
        "base64 of der in lines": b"\n".join(pem.splitlines()[1:-1]),
        "ssh": public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH),
        "jwk": json.dumps(import_key(key).public_jwk()).encode(),
    }
    if isinstance(public, rsa.RSAPublicKey):
        forms["pkcs1 pem"] = public.public_bytes(Encoding.PEM, PublicFormat.PKCS1)
        forms["pkcs1 der"] = public.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    return forms


CONFUSED = [
    pytest.param(form, id=f"{name} {kind}")
    for kind, key in (("RSA", RSA), ("EC", EC), ("OKP", OKP))
    for name, form in public_forms(key).items()
]


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "none ", "", None, ["none"], False])
@pytest.mark.parametrize("signature", ["", "AA", b64(b"x" * 32)])
def test_cve_2026_28802_an_unsigned_token_is_refused(alg: object, signature: str) -> None:
    token = f"{b64({'alg': alg})}.{b64(CLAIMS)}.{signature}"
    refused(token, RSA)
    refused(token, b"s" * 64)
    with pytest.raises(UsageError):
        verify(token, RSA, algorithms=["none"])


def test_cve_2026_28802_a_header_without_an_algorithm_is_refused() -> None:
    refused(f"{b64({'typ': 'JWT'})}.{b64(CLAIMS)}.{b64(b'x')}", RSA)


@pytest.mark.parametrize("names_kid", [True, False])
def test_cve_2026_27962_the_key_in_the_header_is_never_the_key(names_kid: bool) -> None:
    mine, theirs = generate_key("ES256"), generate_key("ES256")
    header: dict[str, object] = {"jwk": theirs.public_jwk(), "x5c": ["AAAA"], "x5u": "https://evil.example/"}
    token = sign(CLAIMS, theirs, alg="ES256", header={**header, "kid": mine.kid} if names_kid else header)
    refused(token, {"keys": [mine.public_jwk()]})
    refused(token, mine)
    refused(token, {"keys": []})


@pytest.mark.parametrize("alg", HASHES)
@pytest.mark.parametrize("public", CONFUSED)
def test_cve_2024_37568_a_public_key_is_no_hmac_secret_whatever_its_encoding(public: bytes, alg: str) -> None:
    refused(forged(public, {"alg": alg}), public)


@pytest.mark.parametrize("public", CONFUSED)
def test_cve_2022_29217_nor_when_it_comes_as_text_and_any_algorithm_is_allowed(public: bytes) -> None:
    try:
        text = public.decode("ascii")
    except UnicodeDecodeError:
        text = public.decode("latin-1")
    refused(forged(text.encode(), {"alg": "HS256"}), Secret(text))


@pytest.mark.parametrize("public", CONFUSED)
def test_cve_2024_33663_nor_when_a_jwk_calls_it_a_secret(public: bytes) -> None:
    jwk = {"kty": "oct", "k": b64(public), "alg": "HS256"}
    refused(forged(public, {"alg": "HS256"}), jwk)


@pytest.mark.parametrize("key", [RSA, EC, OKP])
def test_cve_2026_48526_nor_when_a_key_object_or_a_published_set_is_given(key: Any) -> None:
    imported = import_key(key)
    for form in public_forms(key).values():
        token = forged(form, {"alg": "HS256"})
        refused(token, key.public_key())
        refused(token, imported.public_jwk())
        refused(token, {"keys": [imported.public_jwk()]})
        refused(token, [imported])


CRIT: list[object] = [["x"], ["exp"], ["b64"], ["alg"], [], "", "exp", {}, None, [None], ["x", "x"]]


@pytest.mark.parametrize("crit", CRIT)
def test_cve_2025_59420_an_unknown_critical_extension_is_refused(crit: object) -> None:
    refused(forged(b"s" * 64, {"alg": "HS256", "crit": crit, "x": True}), b"s" * 64)


@pytest.mark.parametrize("crit", CRIT)
def test_cve_2026_32597_nor_is_one_made_or_read_unverified(crit: object) -> None:
    with pytest.raises(UsageError):
        sign(CLAIMS, "s" * 64, alg="HS256", header={"crit": crit})
    for read in (unsafe_header, unsafe_claims):
        with pytest.raises(VerificationError):
            read(forged(b"s" * 64, {"alg": "HS256", "crit": crit, "b64": False}))


@pytest.mark.parametrize("segment", [0, 1, 2])
def test_cve_2025_61920_a_huge_segment_is_refused_before_it_is_decoded(segment: int) -> None:
    parts = forged(b"s" * 64, {"alg": "HS256"}).split(".")
    parts[segment] = "A" * (32 * 1024 * 1024)
    token = ".".join(parts)
    with little_memory(1024 * 1024):
        assert "too long" in str(refused(token, b"s" * 64))
        with pytest.raises(VerificationError, match="too long"):
            unsafe_header(token)
        with pytest.raises(VerificationError, match="too long"):
            unsafe_claims(token)


def test_cve_2026_48525_what_fits_within_the_bound_costs_no_multiple_of_it() -> None:
    deep = forged(b"s" * 64, {"alg": "HS256", "x": cast(Any, [])}).split(".")
    nested = b64(b'{"a":' + b"[" * 40_000)
    many = b64(b"{" + b",".join(b'"%d":0' % number for number in range(4_000)) + b"}")
    digits = b64(b'{"a":' + b"9" * 40_000 + b"}")
    with little_memory(64 * MAX_BYTES):
        for payload in (nested, digits):
            refused(f"{deep[0]}.{payload}.{deep[2]}", b"s" * 64)
        for header in (nested, many, digits):
            refused(f"{header}.{deep[1]}.{deep[2]}", b"s" * 64)


def bomb() -> bytes:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return squeeze.compress(b"\0" * 20_000_000) + squeeze.flush()


@pytest.mark.parametrize(
    "header",
    [
        pytest.param({"alg": "dir", "enc": "A128GCM", "zip": "DEF"}, id="cve_2025_62706"),
        pytest.param({"alg": "RSA-OAEP", "enc": "A256GCM", "zip": "DEF"}, id="cve_2024_28102"),
        pytest.param({"alg": "A128KW", "enc": "A128CBC-HS256", "zip": "DEF"}, id="cve_2026_39373"),
    ],
)
def test_cve_2025_62706_cve_2024_28102_cve_2026_39373_nothing_is_inflated(header: dict[str, Any]) -> None:
    token = jwe(header, bomb())
    signed = f"{b64({'alg': 'HS256', 'zip': 'DEF'})}.{b64(bomb())}"
    mac = b64(hmac.new(b"s" * 64, signed.encode(), hashlib.sha256).digest())
    with little_memory(1024 * 1024):
        refused(token, RSA)
        refused(f"{signed}.{mac}", b"s" * 64)


@pytest.mark.parametrize("count", [1, 2**31 - 1, 10**12])
@pytest.mark.parametrize("alg", ["PBES2-HS256+A128KW", "PBES2-HS512+A256KW"])
def test_cve_2023_6681_cve_2026_27932_no_password_is_stretched_because_a_token_says_so(alg: str, count: int) -> None:
    error = refused(jwe({"alg": alg, "enc": "A128CBC-HS256", "p2c": count, "p2s": b64(b"salt" * 4)}), b"s" * 64)
    assert "compact form" in str(error)
    assert alg not in ALGORITHMS


EMPTY: list[object] = [
    "",
    b"",
    {"kty": "oct", "k": ""},
    json.dumps({"kty": "oct", "k": ""}),
    [""],
    {"keys": [{"k": ""}]},
]


@pytest.mark.parametrize("empty", EMPTY)
@pytest.mark.parametrize("alg", HASHES)
def test_ghsa_gg9x_qcx2_xmrh_an_empty_secret_verifies_nothing(empty: object, alg: str) -> None:
    refused(forged(b"", {"alg": alg}), empty)
    with pytest.raises(UsageError):
        sign(CLAIMS, empty, alg=alg)


@pytest.mark.parametrize(
    ("said", "meant"), [("RS256", "PS256"), ("PS256", "RS256"), ("RS512", "RS256"), ("ES256", "RS256")]
)
def test_cve_2026_48523_the_algorithm_that_is_allowed_is_the_one_that_verifies(said: str, meant: str) -> None:
    header, payload, _ = sign(CLAIMS, RSA, alg=meant).split(".")
    signed = sign(CLAIMS, RSA, alg=meant)
    relabelled = f"{b64({'alg': said})}.{payload}.{signed.rsplit('.', 1)[1]}"
    refused(relabelled, RSA, (said,))
    refused(f"{header}.{payload}.{signed.rsplit('.', 1)[1]}", RSA, (said,))


def test_cve_2026_48523_nor_does_a_key_lend_itself_to_another_algorithm_than_its_own() -> None:
    jwk = {**import_key(RSA).public_jwk(), "alg": "PS256"}
    refused(sign(CLAIMS, RSA, alg="RS256"), jwk, ("RS256",))
    refused(sign(CLAIMS, RSA, alg="RS256"), {"keys": [jwk]}, ("RS256", "PS256"))


@pytest.mark.parametrize(
    "where", ["file:///etc/passwd", "data:application/json,{}", "/etc/passwd", "ftp://x/", "http://x/"]
)
def test_cve_2026_48522_a_key_set_is_never_fetched_from_where_a_text_says(where: str) -> None:
    with pytest.raises(UsageError):
        import_key_set(where)
    theirs = generate_key("ES256")
    refused(sign(CLAIMS, theirs, alg="ES256", header={"jku": where, "x5u": where}), generate_key("ES256"))


@pytest.mark.parametrize("cve", ["cve_2026_28490", "cve_2016_6298"])
@pytest.mark.parametrize("padded", [b"\x00\x02" + b"p" * 200 + b"\x00" + b"k" * 53, b"\x00" * 256, b"\xff" * 256])
def test_cve_2026_28490_cve_2016_6298_rsa1_5_tells_nothing_of_its_padding(cve: str, padded: bytes) -> None:
    header = {"alg": "RSA1_5", "enc": "A128CBC-HS256"}
    parts = jwe(header).split(".")
    parts[1] = b64(padded)
    seen = {str(refused(".".join(parts), RSA)), str(refused(jwe(header), RSA))}
    assert len(seen) == 1, cve
    assert "RSA1_5" not in ALGORITHMS


@pytest.mark.parametrize("dots", ["." * 60_000, "a." * 30_000, f"a.b.c{'.' * 50_000}"])
def test_cve_2025_22868_a_token_of_many_dots_is_refused_without_splitting_it(dots: str) -> None:
    with little_memory(256 * 1024):
        refused(dots, b"s" * 64)


def test_cve_2025_30204_nor_does_it_matter_how_many_dots_there_are() -> None:
    dots = "." * (16 * 1024 * 1024)
    readers: tuple[Callable[[str], object], ...] = (unsafe_header, unsafe_claims)
    with little_memory(256 * 1024):
        refused(dots, b"s" * 64)
        for read in readers:
            with pytest.raises(VerificationError):
                read(dots)


@pytest.mark.parametrize("alg", [*ASYMMETRIC, "HS256", "dir", "none"])
def test_cve_2022_3102_a_jwe_is_never_taken_for_a_jws(alg: str) -> None:
    for claims in (b64(CLAIMS), b64(b"x")):
        five = [b64({"alg": alg, "enc": "A128GCM"}), claims, b64(b"x"), b64(CLAIMS), b64(b"x")]
        refused(".".join(five), b"s" * 64)
        refused(".".join(five), RSA)


def test_a_token_is_never_in_the_text_of_an_error_nor_in_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "do-not-tell-" * 6
    good = forged(secret.encode(), {"alg": "HS256"}, {"sub": "do-not-tell"})
    header, payload, signature = good.split(".")
    for token in (
        f"{header}.{payload}.{with_changed(signature, -4)}",
        f"{good}.x",
        good[:-10],
        f"{payload}.{payload}.{signature}",
    ):
        error: BaseException | None = refused(token, Secret(secret))
        while error is not None:
            for part in ("do-not-tell", payload, signature[:20]):
                assert part not in repr(error) + str(error)
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    for broken in (f"-----BEGIN PRIVATE KEY-----\n{secret}", {"kty": "RSA", "n": secret, "e": "AQAB"}):
        with pytest.raises(UsageError) as caught:
            import_key(broken)
        assert "do-not-tell" not in repr(caught.value)
    assert "do-not-tell" not in repr(import_key(secret)) + repr(verify(good, Secret(secret), algorithms=["HS256"]))
    assert "do-not-tell" not in caplog.text


def test_a_key_never_writes_its_secret_into_a_log_line() -> None:
    stream = io.StringIO()
    logger = logging.Logger("advisories")
    logger.addHandler(logging.StreamHandler(stream))
    for key in (import_key(b"s" * 64), import_key(RSA), import_key(EC)):
        assert isinstance(key, Key)
        logger.error("%s %r %s", key, key, {"key": key})
    assert "ssss" not in stream.getvalue()
    assert "PRIVATE" not in stream.getvalue()
