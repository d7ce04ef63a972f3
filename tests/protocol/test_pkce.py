"""Proof key for code exchange: S256, from a verifier that cannot be guessed."""

import base64

import pytest

from doorkey.errors import UsageError
from doorkey.protocol.pkce import METHOD, challenge_of, new_verifier


def test_the_example_of_rfc_7636_appendix_b() -> None:
    assert challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_method_is_s256() -> None:
    assert METHOD == "S256"


def test_a_fresh_verifier_has_at_least_256_bits_and_is_never_the_same() -> None:
    verifiers = {new_verifier() for _ in range(100)}
    assert len(verifiers) == 100
    for verifier in verifiers:
        assert len(base64.urlsafe_b64decode(verifier)) * 8 >= 256
        assert len(challenge_of(verifier)) == 43


@pytest.mark.parametrize("verifier", ["a" * 43, "a" * 128, "AZaz09-._~" * 5])
def test_a_verifier_has_43_to_128_unreserved_characters(verifier: str) -> None:
    assert challenge_of(verifier)


@pytest.mark.parametrize("verifier", ["", "a" * 42, "a" * 129, "a" * 43 + "\n", "a" * 43 + "=", "é" * 43, "a b" * 20])
def test_any_other_is_refused_and_not_quoted(verifier: str) -> None:
    with pytest.raises(UsageError, match="43 to 128") as caught:
        challenge_of(verifier)
    assert not verifier or verifier not in str(caught.value)


def test_a_verifier_is_text() -> None:
    with pytest.raises(UsageError, match="43 to 128"):
        challenge_of(b"a" * 43)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
