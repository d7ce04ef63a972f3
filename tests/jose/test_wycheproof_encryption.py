"""Wycheproof on encrypted tokens: every invalid one is refused, every valid one of an allowed algorithm is opened."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from doorkey.errors import UsageError, VerificationError
from doorkey.jose.encryption import DEFLATE, decrypt
from doorkey.jose.encryption_algorithms import MANAGEMENT

VECTORS = Path(__file__).parents[1] / "vectors" / "wycheproof"
ENCRYPTION, CRYPTO = (f"json_web_{name}_test.json" for name in ("encryption", "crypto"))
EVERY = (*MANAGEMENT, DEFLATE)

REFUSED_ALTHOUGH_VALID = dict.fromkeys(
    [(ENCRYPTION, number) for number in (*range(100, 106), 112, 128)],
    "RSA1_5 is off: its padding is an oracle (RFC 8725 §3.2, CVE-2016-6298)",
)

PLAINTEXTS = dict.fromkeys([(CRYPTO, 50), (CRYPTO, 67)], b"foo")
"""What is in the valid vectors of the file that does not say it; both are made of the same text."""


@dataclass(frozen=True)
class Vector:
    """One token, the key to decrypt it with, and Wycheproof's verdict."""

    file: str
    number: int
    token: str
    key: object
    is_valid: bool
    plaintext: bytes
    comment: str

    @property
    def name(self) -> tuple[str, int]:
        return self.file, self.number

    def opened(self) -> bytes | None:
        """The plaintext, or None if the token is refused; anything but our own errors fails the test."""
        try:
            return decrypt(self.token, self.key, algorithms=EVERY)
        except (VerificationError, UsageError):
            return None


def _vectors() -> list[Vector]:
    return [
        Vector(
            file,
            test["tcId"],
            test["jwe"] if isinstance(test["jwe"], str) else json.dumps(test["jwe"]),
            group["private"],
            test["result"] == "valid",
            PLAINTEXTS.get((file, test["tcId"]), bytes.fromhex(test.get("pt", ""))),
            f"{group['comment']} {test['comment']}",
        )
        for file in (ENCRYPTION, CRYPTO)
        for group in json.loads((VECTORS / file).read_text())["testGroups"]
        for test in group["tests"]
        if "jwe" in test  # test_wycheproof.py has the signed ones
    ]


ALL = _vectors()


def test_the_files_are_whole() -> None:
    counts = [sum(vector.file == file for vector in ALL) for file in (ENCRYPTION, CRYPTO)]
    assert counts == [139, 34]
    assert counts[0] == json.loads((VECTORS / ENCRYPTION).read_text())["numberOfTests"]
    assert len(ALL) == len({vector.name for vector in ALL})


@pytest.mark.parametrize("vector", ALL, ids=lambda one: f"{one.file[9:12]}-{one.number}-{one.comment}")
def test_an_encrypted_vector_is_judged_as_wycheproof_does_or_more_strictly(vector: Vector) -> None:
    if vector.name in REFUSED_ALTHOUGH_VALID:
        assert vector.is_valid
        assert vector.opened() is None, "it is no longer refused: take it off the list"
    else:
        assert vector.opened() == (vector.plaintext if vector.is_valid else None)
