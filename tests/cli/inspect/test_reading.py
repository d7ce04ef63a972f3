"""What `doorkey inspect` accepts as a token, and the sentence for everything else."""

import base64
import json

import pytest

from doorkey.cli.inspection.reading import EncryptedToken, OpaqueToken, SignedToken, read_token
from doorkey.errors import VerificationError
from doorkey.jose.encryption import encrypt
from doorkey.jose.generation import generate_key
from tests.cli.inspect.tokens import GOOD, signed


def _part(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _token(header: str, claims: str = "{}", signature: str = "AA") -> str:
    return f"{_part(header)}.{_part(claims)}.{signature}"


def test_a_signed_token_is_read_with_its_header_and_claims() -> None:
    token = read_token(signed({"typ": "JWT"}))
    assert isinstance(token, SignedToken)
    assert token.header["typ"] == "JWT"
    assert token.claims == GOOD


@pytest.mark.parametrize("before", ["", "  \n", "Bearer ", "Authorization: Bearer ", "dpop  "])
def test_blanks_and_the_scheme_around_a_token_are_ignored(before: str) -> None:
    assert isinstance(read_token(f"{before}{signed()}\n".encode()), SignedToken)


def test_only_the_header_of_an_encrypted_token_is_read() -> None:
    jwk = generate_key("ES256").public_jwk()
    public = {name: jwk[name] for name in ("kty", "crv", "x", "y")}
    token = read_token(encrypt(signed(), public, alg="ECDH-ES+A128KW", enc="A128GCM", header={"cty": "JWT"}))
    assert isinstance(token, EncryptedToken)
    assert token.header["enc"] == "A128GCM"


def test_a_text_without_dots_is_an_opaque_token() -> None:
    assert isinstance(read_token("an-opaque_token~1"), OpaqueToken)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("", "token is empty"),
        ("  \n ", "token is empty"),
        ("Bearer ", "token is empty"),
        ("what is this?", "token has characters that are not allowed in a token"),
        (b"\xff\xfe\x00", "token is not text: the input is not UTF-8"),
        ("x" * 10_000_000, "token is too long: it has 10000000 characters"),
        ("é" * 100, "token has characters that are not allowed in a token"),
        (_token('{"alg":"none"}', json.dumps(GOOD), ""), "alg is none: the token has no signature"),
        ("a.b.c", "header is not"),
        (_token("[]"), "header is not acceptable"),
        (_token('{"alg":"ES256","alg":"none"}'), "header is not acceptable: "),
        (_token('{"alg":"ES256"}', '{"sub":1,"sub":2}'), "token is not acceptable"),
        (_token('{"alg":"ES256","crit":["x"]}'), "crit names extensions"),
        ("a.b.c.d.e", "token is not|header is not"),
    ],
    ids=map(str, range(14)),
)
def test_anything_else_is_refused_with_one_sentence(given: str | bytes, sentence: str) -> None:
    with pytest.raises(VerificationError, match=sentence) as refused:
        read_token(given)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 200


def test_no_part_of_a_refused_text_is_in_the_error() -> None:
    with pytest.raises(VerificationError) as refused:
        read_token("a password with blanks")
    assert "password" not in repr(refused.value)
