"""`doorkey.jose.errors`: each check of a token has its error, so that programs can tell them apart."""

import copy
import pickle
import re

import pytest

from doorkey.errors import OAuthError, UsageError, VerificationError
from doorkey.jose import JsonWebToken, JWTClaims, errors
from doorkey.jose.signing import sign

NOW = 1_700_000_000
SECRET = b"s" * 32
OURS = [kind for kind in VerificationError.__subclasses__() if kind.__module__ == errors.__name__]


def of_token(token: str) -> OAuthError:
    with pytest.raises(OAuthError) as caught:
        JsonWebToken(["HS256"]).decode(token, SECRET)
    return caught.value


def of_claims(claims: dict[str, object], options: dict[str, dict[str, object]] | None = None) -> OAuthError:
    with pytest.raises(OAuthError) as caught:
        JWTClaims(claims, {}, options).validate(NOW, leeway=0)
    return caught.value


def test_each_check_of_a_token_raises_its_error() -> None:
    good = sign({"sub": "alice"}, SECRET, alg="HS256")
    assert type(of_token("no token")) is errors.DecodeError
    assert type(of_token(sign({}, b"t" * 48, alg="HS384"))) is errors.UnsupportedAlgorithmError
    assert type(of_token(sign({}, b"t" * 32, alg="HS256"))) is errors.BadSignatureError
    assert type(of_token(good.replace(".", ".A", 1))) in (errors.DecodeError, errors.BadSignatureError)


def test_each_check_of_a_claim_raises_its_error() -> None:
    assert type(of_claims({"exp": NOW})) is errors.ExpiredTokenError
    assert type(of_claims({"nbf": NOW + 1})) is errors.NotYetValidError
    assert type(of_claims({"iat": NOW + 1})) is errors.NotYetValidError
    assert type(of_claims({}, {"sub": {"essential": True}})) is errors.MissingClaimError
    assert type(of_claims({"sub": "alice"}, {"sub": {"value": "bob"}})) is errors.InvalidClaimError
    assert type(of_claims({"exp": "tomorrow"})) is errors.InvalidClaimError
    assert type(of_claims({"aud": 5})) is errors.InvalidClaimError


@pytest.mark.parametrize(
    ("claims", "text"),
    [
        ({"exp": NOW - 3600}, "exp was 3600 seconds ago"),
        ({"nbf": NOW + 3600}, "nbf is 3600 seconds in the future"),
        ({"iat": NOW + 3600}, "iat is 3600 seconds in the future"),
    ],
)
def test_the_error_of_a_wrong_clock_states_by_how_much(claims: dict[str, object], text: str) -> None:
    assert str(of_claims(claims)).startswith(text)
    assert "clock" in str(of_claims(claims))


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_an_error_of_a_token_is_a_verification_error_with_its_own_code(kind: type[VerificationError]) -> None:
    assert kind.__bases__ == (VerificationError,)
    assert sum(one.code == kind.code for one in OURS) == 1
    assert kind.code != VerificationError.code
    error = kind("sub", "is wrong", expected="alice")
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error)), error.for_waiter()):  # noqa: S301
        assert type(twin) is kind
        assert (str(twin), twin.claim, twin.expected) == ("sub is wrong (expected alice)", "sub", "alice")


def test_the_drawing_shows_every_error_of_a_token() -> None:
    drawn = set(re.findall(r"[├└]─ (\w+)", errors.__doc__ or ""))
    assert drawn == {kind.__name__ for kind in OURS}


def test_one_clause_catches_tokens_and_keys_alike() -> None:
    assert issubclass(VerificationError, errors.JoseError)
    assert issubclass(UsageError, errors.JoseError)
