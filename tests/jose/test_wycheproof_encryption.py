"""Wycheproof on encrypted tokens: every invalid one is refused, every valid one of an allowed algorithm is opened."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from doorkey.errors import UsageError, VerificationError
from doorkey.jose.encryption import DEFLATE, decrypt
from doorkey.jose.encryption_algorithms import MANAGEMENT

FILE = Path(__file__).parents[1] / "vectors" / "wycheproof" / "json_web_encryption_test.json"
EVERY = (*MANAGEMENT, DEFLATE)

REFUSED_ALTHOUGH_VALID = dict.fromkeys(
    [*range(100, 106), 112, 128], "RSA1_5 is off: its padding is an oracle (RFC 8725 §3.2, CVE-2016-6298)"
)


@dataclass(frozen=True)
class Vector:
    """One token, the key to decrypt it with, and Wycheproof's verdict."""

    number: int
    token: str
    key: object
    is_valid: bool
    plaintext: bytes
    comment: str

    def opened(self) -> bytes | None:
        """The plaintext, or None if the token is refused; anything but our own errors fails the test."""
        try:
            return decrypt(self.token, self.key, algorithms=EVERY)
        except (VerificationError, UsageError):
            return None


def _vectors() -> list[Vector]:
    return [
        Vector(
            test["tcId"],
            test["jwe"] if isinstance(test["jwe"], str) else json.dumps(test["jwe"]),
            group["private"],
            test["result"] == "valid",
            bytes.fromhex(test.get("pt", "")),
            f"{group['comment']} {test['comment']}",
        )
        for group in json.loads(FILE.read_text())["testGroups"]
        for test in group["tests"]
    ]


ALL = _vectors()


def test_the_file_is_whole() -> None:
    assert len(ALL) == len({vector.number for vector in ALL}) == json.loads(FILE.read_text())["numberOfTests"] == 139


@pytest.mark.parametrize("vector", ALL, ids=lambda one: f"{one.number}-{one.comment}")
def test_an_encrypted_vector_is_judged_as_wycheproof_does_or_more_strictly(vector: Vector) -> None:
    if vector.number in REFUSED_ALTHOUGH_VALID:
        assert vector.is_valid
        assert vector.opened() is None, "it is no longer refused: take it off the list"
    else:
        assert vector.opened() == (vector.plaintext if vector.is_valid else None)
