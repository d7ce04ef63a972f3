"""Wycheproof on signed tokens: every invalid one is refused, every valid one that is strict is accepted."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from doorkey.errors import UsageError, VerificationError
from doorkey.jose.algorithms import ALGORITHMS, ASYMMETRIC
from doorkey.jose.verification import verify_bytes

VECTORS = Path(__file__).parents[1] / "vectors" / "wycheproof"
SIGNATURES, KEYS, CRYPTO = (f"json_web_{name}_test.json" for name in ("signature", "key", "crypto"))

REFUSED_ALTHOUGH_VALID = {
    **dict.fromkeys(
        [(SIGNATURES, number) for number in (346, 350)],
        "the key says it is for PS256, and the token is signed by PS384: a key is for the algorithm it names",
    ),
    **dict.fromkeys(
        [(SIGNATURES, number) for number in (347, 351)],
        "the key says it is for ES521, which is no algorithm",
    ),
    **dict.fromkeys(
        [(SIGNATURES, number) for number in (372, 373)],
        "there is a question mark in the token: that some decoders skip it does not make it base64url",
    ),
}

ENCRYPTED = 34
"""Vectors that are encrypted tokens: all of two groups of `CRYPTO`."""

SAME_AS_A_VALID_ONE = {(SIGNATURES, 367): 357, (SIGNATURES, 370): 357}
"""Marked invalid for a padding that the published file has lost: byte for byte they are the valid vector 357."""


@dataclass(frozen=True)
class Vector:
    """One token, the keys and algorithms that verify it, and the expected result and comment of Wycheproof."""

    file: str
    number: int
    token: str
    keys: object
    algorithms: tuple[str, ...]
    is_valid: bool
    comment: str

    @property
    def name(self) -> tuple[str, int]:
        return self.file, self.number

    def accepted(self) -> bool:
        """Whether it is accepted here; anything but our own errors fails the test."""
        try:
            verify_bytes(self.token, self.keys, algorithms=self.algorithms)
        except (VerificationError, UsageError):
            return False
        return True


def _vectors() -> list[Vector]:
    found: list[Vector] = []
    for file in (SIGNATURES, KEYS, CRYPTO):
        for group in json.loads((VECTORS / file).read_text())["testGroups"]:
            keys, algorithms = _keys(group)
            for test in group["tests"]:
                if "jws" not in test:
                    continue  # test_wycheproof_encryption.py has the encrypted ones
                token = test["jws"]
                text = token if isinstance(token, str) else json.dumps(token)
                is_valid = test["result"] == "valid"
                found.append(
                    Vector(
                        file, test["tcId"], text, keys, algorithms, is_valid, f"{group['comment']} {test['comment']}"
                    )
                )
    return found


def _keys(group: dict[str, Any]) -> tuple[object, tuple[str, ...]]:
    """The keys as a caller has them: a published set, or secrets of its own; and every algorithm of that kind."""
    public = group.get("public")
    given: dict[str, Any] = public or group["private"]
    members: list[dict[str, Any]] = given.get("keys", [given])
    if any(key["kty"] == "oct" for key in members):
        return members if "keys" in given else given, tuple(ALGORITHMS)
    return given, ASYMMETRIC


ALL = _vectors()


def test_the_files_are_whole() -> None:
    counts = {file: json.loads((VECTORS / file).read_text())["numberOfTests"] for file in (SIGNATURES, KEYS, CRYPTO)}
    assert counts == {SIGNATURES: 401, KEYS: 26, CRYPTO: 83}
    assert len(ALL) == len({vector.name for vector in ALL}) == sum(counts.values()) - ENCRYPTED


@pytest.mark.parametrize("vector", ALL, ids=lambda one: f"{one.file[9:12]}-{one.number}-{one.comment}")
def test_a_vector_is_judged_as_wycheproof_does_or_more_strictly(vector: Vector) -> None:
    if vector.name in REFUSED_ALTHOUGH_VALID:
        assert vector.is_valid
        assert not vector.accepted(), "it is no longer refused: take it off the list"
    elif vector.name in SAME_AS_A_VALID_ONE:
        twin = next(one for one in ALL if one.name == (vector.file, SAME_AS_A_VALID_ONE[vector.name]))
        assert (vector.token, vector.keys) == (twin.token, twin.keys)
    else:
        assert vector.accepted() == vector.is_valid
