import pytest

from doorkey.errors import VerificationError
from doorkey.jose.algorithms import ALGORITHMS
from doorkey.oidc.core.hashes import check_hash, half_hash
from doorkey.values import Secret

AT = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
CODE = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (AT, "77QmUPtjPfzWtF2AnpK9RQ"),  # OpenID Connect Core, appendix A.4
        (CODE, "LDktKdoQak3Pk0cnXxCltA"),  # appendix A.5
    ],
)
def test_the_examples_of_the_specification(value: str, expected: str) -> None:
    assert half_hash(value, "RS256") == half_hash(value, "ES256") == half_hash(value, "HS256") == expected


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_every_algorithm_that_verifies_has_its_hash(alg: str) -> None:
    longer = {"256": 22, "384": 32, "512": 43, "DSA": 43, "519": 43, "448": 76}
    assert len(half_hash(AT, alg)) == longer[alg[-3:]]


@pytest.mark.parametrize("alg", ["none", "RS", "", None, 256, ["RS256"], "ES256K"])
def test_an_unknown_algorithm_has_none(alg: object) -> None:
    with pytest.raises(VerificationError, match="alg defines no hash function"):
        half_hash(AT, alg)


@pytest.mark.parametrize("found", [{}, {"at_hash": None}, {"at_hash": 1}, {"at_hash": "77QmUPtjPfzWtF2AnpK9RA"}])
def test_only_the_same_hash_is_a_match(found: dict[str, object]) -> None:
    check_hash({"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"}, "at_hash", Secret(AT), "RS256")
    with pytest.raises(VerificationError, match="at_hash"):
        check_hash(found, "at_hash", Secret(AT), "RS256")


def test_text_beyond_ascii_is_hashed() -> None:
    assert half_hash("é\udcff", "RS256")
