"""What other libraries believed of ID tokens, and what this one must never believe: one test for each advisory."""

from typing import Any

import pytest

from doorkey.errors import VerificationError
from doorkey.jose import jwt
from doorkey.jose.generation import generate_key
from doorkey.oidc.core import CodeIDToken, HybridIDToken, ImplicitIDToken
from doorkey.oidc.core.hashes import half_hash

NOW = 1_700_000_000
KEY = generate_key("EdDSA")
CLAIMS: dict[str, Any] = {
    "iss": "https://as.example",
    "sub": "mallory",
    "aud": "me",
    "nonce": "n",
    "exp": NOW + 60,
    "iat": NOW,
}


@pytest.mark.parametrize("kind", [CodeIDToken, ImplicitIDToken, HybridIDToken])
@pytest.mark.parametrize("alg", ["RS257", "XX256", "none", "HS", "ed25519", "", None, 256, ["RS256"]])
def test_cve_2026_28498_at_hash_that_cannot_be_computed_is_no_match(kind: type[CodeIDToken], alg: object) -> None:
    for found in (half_hash("at", "RS256"), "None", "AA"):
        claims = kind({**CLAIMS, "at_hash": found}, {"alg": alg}, None, {"access_token": "at"})
        with pytest.raises(VerificationError):
            claims.validate(NOW)


@pytest.mark.parametrize("found", ["", None, 0, False, [], {}, "77QmUPtjPfzWtF2AnpK9RQ"])
@pytest.mark.parametrize("name", ["at_hash", "c_hash"])
def test_cve_2026_28498_a_hash_of_any_other_form_is_no_match(name: str, found: object) -> None:
    token = jwt.encode({"alg": "EdDSA"}, {**CLAIMS, name: found}, KEY)
    params = {"access_token": "at", "code": "c"}
    claims = jwt.decode(token, KEY.public_jwk(), HybridIDToken, None, params)
    with pytest.raises(VerificationError):
        claims.validate(NOW)


ISSUERS: list[Any] = [
    *("https://as.example", "https", "as.example", "https://as.example.evil.example", "https://as.example/realm/x"),
    *("", " ", "h", ["https://as.example/realm"], {"https://as.example/realm": 1}, None, True),
]


@pytest.mark.parametrize("iss", ISSUERS)
def test_cve_2024_53861_a_part_of_the_issuer_is_not_the_issuer(iss: object) -> None:
    expected = "https://as.example/realm"
    claims, header = {**CLAIMS, "iss": iss}, {"alg": "RS256"}
    for options in ({"iss": {"value": expected}}, {"iss": {"values": [expected]}}):
        with pytest.raises(VerificationError):
            CodeIDToken(claims, header, options).validate(NOW)
    with pytest.raises(VerificationError):
        CodeIDToken(claims, header, None, {"issuer": expected}).validate(NOW)
