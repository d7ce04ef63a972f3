"""Records that the vault did not write: it raises an error that names the cause, and overwrites nothing."""

import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest

from doorkey.errors import RecordError, StoreError
from doorkey.stores import MemoryStore, Sealer
from doorkey.stores.envelope import pack
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.vault import TokenVault
from tests.support.hostile_server import Hostile
from tests.vault.conftest import OLD

VaultOn = Callable[..., TokenVault]
KEYS = {"1": secrets.token_bytes(32), "2": secrets.token_bytes(32)}


def stored(store: MemoryStore, key: str = "u") -> bytes:
    record = store.load(key)
    assert record is not None
    return record.data


def put(store: MemoryStore, data: bytes, key: str = "u") -> None:
    record = store.load(key)
    store.commit(key, data, expected=0 if record is None else record.version)


def changed(data: bytes, **members: Any) -> bytes:
    return json.dumps({**json.loads(data), **members}).encode()


def changed_metadata(data: bytes, **members: Any) -> bytes:
    content = json.loads(data)
    content["metadata"].update(members)
    return json.dumps(content).encode()


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda data: data[: len(data) // 2],
    "empty": lambda data: b"",
    "not JSON": lambda data: b"\x80\x04pickle",
    "foreign": lambda data: b'{"session": {"id": 7}}',
    "of a newer format": lambda data: changed(data, format=2),
    "without a vault's metadata": lambda data: pack(OAuthToken(Secret("at-1"))),
    "a turn that is none": lambda data: changed_metadata(data, turn="7"),
    "a turn that is True": lambda data: changed_metadata(data, turn=True),
    "a death that is none": lambda data: changed_metadata(data, dead=1),
    "no access token": lambda data: changed(data, token={"refresh_token": "rt-1"}),
    "of another client": lambda data: changed_metadata(data, client="other"),
    "of another server": lambda data: changed_metadata(data, server="https://other.example/token"),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_a_bad_record_is_a_typed_error_and_is_left_as_it_is(
    spoil: Callable[[bytes], bytes], vault_on: VaultOn, hostile: Hostile
) -> None:
    store = MemoryStore()
    vault_on(store).save("u", OLD)
    spoilt = spoil(stored(store))
    put(store, spoilt)
    with pytest.raises(RecordError) as caught:
        vault_on(store).source("u").token()
    assert "at-1" not in str(caught.value)
    assert "rt-1" not in repr(caught.value)
    assert stored(store) == spoilt
    assert hostile.token_requests == []


def test_a_new_login_replaces_an_unreadable_record(vault_on: VaultOn) -> None:
    store = MemoryStore()
    put(store, b"spoilt")
    vault_on(store).save("u", OLD)
    assert vault_on(store).source("u").token().access_token.reveal() == "at-1"


def test_another_clients_record_is_neither_replaced_nor_deleted(vault_on: VaultOn) -> None:
    store = MemoryStore()
    vault_on(store, client_id="other").save("u", OLD)
    before = stored(store)
    vault = vault_on(store)
    for call in (lambda: vault.save("u", OLD), lambda: vault.forget("u"), lambda: vault.source("u").token()):
        with pytest.raises(RecordError, match="another client"):
            call()
    assert stored(store) == before


def test_a_refresh_token_is_never_sent_to_another_server(vault_on: VaultOn, hostile: Hostile, clock: Any) -> None:
    store = MemoryStore()
    vault_on(store, token_endpoint="https://as.example/token").save("u", OLD)
    clock.advance(300)
    with pytest.raises(RecordError):
        vault_on(store).source("u").token()
    assert hostile.received == []


# -- sealed ------------------------------------------------------------------------------------------------------------


def test_a_sealed_record_shows_no_secret_and_is_read_again(vault_on: VaultOn) -> None:
    store, sealer = MemoryStore(), Sealer(KEYS, "1")
    vault_on(store, sealer=sealer).save("u", OLD)
    assert b"rt-1" not in stored(store)
    assert vault_on(store, sealer=sealer).source("u").token().access_token.reveal() == "at-1"


def test_after_a_change_of_keys_old_records_are_read_and_new_ones_are_sealed_with_the_new_key(
    vault_on: VaultOn,
) -> None:
    store = MemoryStore()
    vault_on(store, sealer=Sealer(KEYS, "1")).save("u", OLD)
    rotated = Sealer(KEYS, "2")
    vault = vault_on(store, sealer=rotated)
    assert vault.source("u").token().access_token.reveal() == "at-1"
    vault.save("u", OLD)
    assert rotated.is_current(stored(store))


WRONG = {
    "another key": Sealer({"1": secrets.token_bytes(32)}, "1"),
    "a key that is not there": Sealer({"2": KEYS["2"]}, "2"),
    "another context": Sealer(KEYS, "1", context="another application"),
    "no sealer": None,
}


@pytest.mark.parametrize("sealer", WRONG.values(), ids=WRONG)
def test_the_wrong_key_is_a_typed_error_and_overwrites_nothing(sealer: Sealer | None, vault_on: VaultOn) -> None:
    store = MemoryStore()
    vault_on(store, sealer=Sealer(KEYS, "1")).save("u", OLD)
    before = stored(store)
    with pytest.raises(RecordError):
        vault_on(store, sealer=sealer).source("u").token()
    assert stored(store) == before


class KeyService:
    """A sealer of a user's own, whose calls may fail."""

    def __init__(self, seal: Callable[[bytes], Any], open: Callable[[bytes], Any]) -> None:  # noqa: A002
        self._seal, self._open = seal, open

    def seal(self, key: str, data: bytes) -> Any:
        return self._seal(data)

    def open(self, key: str, sealed: bytes) -> Any:
        return self._open(sealed)


def down(data: bytes) -> bytes:
    raise ConnectionError("the key service is down")


def same(data: bytes) -> bytes:
    return data


def test_a_custom_sealer_that_fails_is_a_store_error(vault_on: VaultOn) -> None:
    store = MemoryStore()
    with pytest.raises(StoreError, match="the sealer failed with ConnectionError") as caught:
        vault_on(store, sealer=KeyService(down, same)).save("u", OLD)
    assert caught.value.retryable
    assert isinstance(caught.value.__cause__, ConnectionError)
    vault = vault_on(store, sealer=KeyService(same, down), check_every=0)
    vault.save("u", OLD)
    assert vault.source("u").token().access_token.reveal() == "at-1"  # it is in memory
    with pytest.raises(StoreError, match="the sealer failed with ConnectionError"):
        vault_on(store, sealer=KeyService(same, down)).source("u").token()


def test_a_custom_sealer_that_brings_no_bytes_is_a_store_error(vault_on: VaultOn) -> None:
    with pytest.raises(StoreError, match="bytes, not str"):
        vault_on(sealer=KeyService(bytes.decode, same)).save("u", OLD)


def test_a_record_that_is_not_sealed_is_no_record_of_a_vault_that_seals(vault_on: VaultOn) -> None:
    store = MemoryStore()
    vault_on(store).save("u", OLD)
    with pytest.raises(RecordError):
        vault_on(store, sealer=Sealer(KEYS, "1")).source("u").token()


def test_swapped_records_do_not_open(vault_on: VaultOn) -> None:
    store, sealer = MemoryStore(), Sealer(KEYS, "1")
    vault = vault_on(store, sealer=sealer)
    for key in ("alice", "mallory"):
        vault.save(key, {**OLD, "access_token": f"at-of-{key}"})
    put(store, stored(store, "alice"), "mallory")
    with pytest.raises(RecordError):
        vault_on(store, sealer=sealer).source("mallory").token()


def test_a_tampered_sealed_record_does_not_open(vault_on: VaultOn) -> None:
    store, sealer = MemoryStore(), Sealer(KEYS, "1")
    vault_on(store, sealer=sealer).save("u", OLD)
    data = bytearray(stored(store))
    data[-1] ^= 1
    put(store, bytes(data))
    with pytest.raises(RecordError):
        vault_on(store, sealer=sealer).source("u").token()
    assert stored(store) == bytes(data)


def test_a_record_that_is_spoilt_during_a_renewal_is_not_overwritten(
    vault_on: VaultOn, hostile: Hostile, clock: Any
) -> None:
    from tests.support.every_adapter import in_background
    from tests.support.hostile_server import Held, token

    store, held = MemoryStore(), Held(token("at-2", refresh_token="rt-2"))
    hostile.on("/token", held)
    vault = vault_on(store)
    vault.save("u", OLD)
    clock.advance(300)
    with in_background(lambda: vault.source("u").token()) as outcome:
        held.wait_for_arrival()
        put(store, b"spoilt")
        held.release.set()
        with pytest.raises(RecordError):
            outcome()
    assert stored(store) == b"spoilt"
