"""Sealed records: what opens, what does not, and that each refusal says why."""

import pickle
import secrets
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doorkey.errors import RecordError, UsageError
from doorkey.stores import Sealer

OLD, NEW, OTHER = (secrets.token_bytes(32) for _ in range(3))


@pytest.fixture
def sealer() -> Sealer:
    return Sealer({"2026-10": OLD, "2026-11": NEW}, "2026-11")


def reason(sealer: Sealer, key: str, sealed: bytes, version: int | None = None) -> str:
    with pytest.raises(RecordError) as caught:
        sealer.open(key, sealed, version=version)
    assert caught.value.__cause__ is None
    return caught.value.reason


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 100], ids=["none", "one", "many"])
def test_what_was_sealed_opens_and_is_not_readable(sealer: Sealer, data: bytes) -> None:
    sealed = sealer.seal("user-42", data)
    assert sealer.open("user-42", sealed) == data
    assert len(data) < 2 or data not in sealed
    assert b"user-42" not in sealed


def test_keys_rotate_old_records_open_and_new_ones_are_sealed_with_the_current_key(sealer: Sealer) -> None:
    before = Sealer({"2026-10": OLD}, "2026-10")
    sealed = before.seal("key", b"data")
    assert sealer.open("key", sealed) == b"data"
    assert not sealer.is_current(sealed)
    again = sealer.seal("key", b"data")
    assert sealer.is_current(again)
    assert reason(before, "key", again) == "is sealed with a key that this Sealer does not have"
    assert Sealer({"2026-11": NEW}, "2026-11").open("key", again) == b"data"


def test_swapped_records_do_not_open(sealer: Sealer) -> None:
    alice, mallory = sealer.seal("alice", b"a"), sealer.seal("mallory", b"m")
    assert "another record" in reason(sealer, "alice", mallory)
    assert "another record" in reason(sealer, "mallory", alice)
    assert "another record" in reason(sealer, "", alice)


def test_a_record_of_another_context_does_not_open() -> None:
    keys = {"k": OLD}
    sealed = Sealer(keys, "k", context="app").seal("key", b"data")
    assert "cannot be decrypted" in reason(Sealer(keys, "k", context="ap"), "pkey", sealed)
    assert "cannot be decrypted" in reason(Sealer(keys, "k"), "key", sealed)


def test_a_record_sealed_with_another_key_of_the_same_id_does_not_open(sealer: Sealer) -> None:
    foreign = Sealer({"2026-11": OTHER}, "2026-11").seal("key", b"data")
    assert "cannot be decrypted" in reason(sealer, "key", foreign)


def test_every_flipped_bit_is_noticed(sealer: Sealer) -> None:
    sealed = sealer.seal("key", b"data")
    for place in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[place // 8] ^= 1 << place % 8
        assert reason(sealer, "key", bytes(changed))


def test_every_truncation_is_noticed_and_named(sealer: Sealer) -> None:
    sealed = sealer.seal("key", b"")
    assert {reason(sealer, "key", sealed[:length]) for length in range(len(sealed))} == {"is cut short"}
    assert "cannot be decrypted" in reason(sealer, "key", sealer.seal("key", b"data")[:-1])
    assert "cannot be decrypted" in reason(sealer, "key", sealed + b"\0")


def test_an_unsealed_record_is_distinguished_from_a_newer_format(sealer: Sealer) -> None:
    assert reason(sealer, "key", b'{"format":1,"token":{}}') == "is not sealed, or not by doorkey"
    newer = sealer.seal("key", b"data")
    assert reason(sealer, "key", newer[:4] + b"\x03" + newer[5:]) == "was sealed by a newer version of doorkey"
    assert reason(sealer, "key", newer[:4] + b"\x00" + newer[5:]) == "is not sealed, or not by doorkey"


VERSIONED = "cannot be decrypted: it was changed, belongs to another version"


def test_a_record_put_back_from_an_earlier_version_does_not_open(sealer: Sealer) -> None:
    first, second = sealer.seal("key", b"old", version=1), sealer.seal("key", b"new", version=2)
    assert sealer.open("key", first, version=1) == b"old"
    assert sealer.open("key", second, version=2) == b"new"
    for version in (2, 3, 10, 11, 2**53 - 1):
        assert reason(sealer, "key", first, version).startswith(VERSIONED)
    assert reason(sealer, "key", second, 1).startswith(VERSIONED)
    assert reason(sealer, "other", first, 1).startswith(VERSIONED)
    assert reason(sealer, "key1", sealer.seal("key", b"x", version=11), 1).startswith(VERSIONED)


def test_a_record_sealed_without_its_version_opens_only_where_that_is_accepted(sealer: Sealer) -> None:
    earlier_release = sealer.seal("key", b"data")
    assert "accept_unversioned=True" in reason(sealer, "key", earlier_release, 1)
    migrating = Sealer({"2026-10": OLD, "2026-11": NEW}, "2026-11", accept_unversioned=True)
    assert migrating.open("key", earlier_release, version=1) == b"data"
    assert not migrating.is_current(earlier_release)
    again = migrating.seal("key", b"data", version=2)
    assert migrating.is_current(again)
    assert migrating.open("key", again, version=2) == b"data"
    assert reason(migrating, "key", again, 3).startswith(VERSIONED)
    assert "accept_unversioned=True" in reason(sealer, "key", sealer.seal("key", b""), 1)
    relabelled = again[:4] + b"\x01" + again[5:]  # as if it had no version
    assert reason(migrating, "key", relabelled, 3).startswith(VERSIONED)


def test_a_record_that_has_a_version_does_not_open_without_it(sealer: Sealer) -> None:
    assert "pass the version of the loaded record as version=" in reason(
        sealer, "key", sealer.seal("key", b"data", version=1)
    )


@pytest.mark.parametrize("version", [0, -1, True, 1.0, "1", 2**53])
def test_a_version_that_no_record_has_is_rejected(sealer: Sealer, version: Any) -> None:
    sealed = sealer.seal("key", b"data", version=1)
    with pytest.raises(UsageError, match="version must be a whole number"):
        sealer.seal("key", b"data", version=version)
    with pytest.raises(UsageError, match="version must be a whole number"):
        sealer.open("key", sealed, version=version)
    with pytest.raises(UsageError, match="accept_unversioned"):
        Sealer({"k": OLD}, "k", accept_unversioned="no")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


@given(st.binary(max_size=200), st.booleans())
def test_no_bytes_make_it_raise_anything_else(data: bytes, ours: bool) -> None:
    sealer = Sealer({"k": OLD}, "k")
    with pytest.raises(RecordError):
        sealer.open("key", (b"dk\xa7s\x01" if ours else b"") + data)


@pytest.mark.parametrize("key", [b"", bytes(16), bytes(31), bytes(33), "x" * 32, None])
def test_a_key_that_is_not_32_bytes_is_refused_without_showing_it(key: bytes) -> None:
    with pytest.raises(UsageError, match="32 random bytes") as caught:
        Sealer({"2026-11": key}, "2026-11")
    assert "xxxx" not in str(caught.value)


@pytest.mark.parametrize("name", ["", "a b", "ä", "x" * 65, "\n", 7])
def test_a_key_id_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="key's id"):
        Sealer({name: OLD}, name)


def test_the_current_key_must_be_among_the_keys() -> None:
    with pytest.raises(UsageError, match="current"):
        Sealer({"a": OLD}, "b")
    with pytest.raises(UsageError, match="current"):
        Sealer({}, "b")


def test_a_sealer_shows_key_ids_and_no_keys_and_is_not_pickled(sealer: Sealer) -> None:
    assert repr(sealer) == "Sealer(keys=['2026-10', '2026-11'], current='2026-11')"
    with pytest.raises(UsageError):
        pickle.dumps(sealer)
