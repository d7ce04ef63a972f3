"""JSON documents in a store, and marks of what was used."""

from typing import Any

import pytest

from doorkey.errors import StoreError, UsageError
from doorkey.login.web.documents import Documents
from doorkey.login.web.keys import sealer_of, secrets_of
from doorkey.login.web.used_once import UsedOnce
from doorkey.stores import MemoryStore
from doorkey.stores.limits import MAX_DATA
from tests.support.login_stores import Overtaken, over

OLD, NEW = "o" * 32, "n" * 32
SEALED = Documents(sealer_of(secrets_of(NEW), "records"))


@pytest.mark.parametrize("documents", [Documents(None), SEALED], ids=["plain", "sealed"])
def test_a_document_is_saved_changed_and_deleted(documents: Documents) -> None:
    do = over()
    assert do(documents.load("k")) == (None, 0)
    assert do(documents.save("k", {"a": 1}))
    assert do(documents.save("k", {"a": 2})) is False, "there is one already"
    assert do(documents.change("k", lambda found: {**(found or {}), "b": "ü"})) == {"a": 1, "b": "ü"}
    assert do(documents.load("k")).document == {"a": 1, "b": "ü"}
    do(documents.delete("k"))
    do(documents.delete("k"))
    assert do(documents.load("k")) == (None, 0)
    assert do(documents.save("k", {"a": 3})), "the versions of the deleted record go on"
    assert do(documents.load("k")).document == {"a": 3}


def test_a_change_that_was_overtaken_is_made_again() -> None:
    store, documents = MemoryStore(), SEALED
    do = over(store)
    do(documents.save("k", {"n": 1}))
    rival = Overtaken(store, lambda: do(documents.change("k", lambda found: {"n": (found or {})["n"] + 10})))
    assert over(rival)(documents.change("k", lambda found: {"n": (found or {})["n"] + 1})) == {"n": 12}


def test_a_change_that_is_always_overtaken_ends() -> None:
    store = MemoryStore()
    do = over(store)
    counter = iter(range(1000))
    rival = Overtaken(store, lambda: do(SEALED.change("k", lambda _: {"n": next(counter)})), times=1000)
    with pytest.raises(StoreError, match="keep changing"):
        over(rival)(SEALED.change("k", lambda _: {"n": -1}))


def test_a_record_in_the_store_shows_nothing() -> None:
    store = MemoryStore()
    over(store)(SEALED.save("k", {"email": "alice@example.org"}))
    record = store.load("k")
    assert record is not None
    assert b"alice" not in record.data


def test_a_record_of_another_key_or_an_earlier_version_counts_as_missing() -> None:
    store = MemoryStore()
    do = over(store)
    do(SEALED.save("a", {"user": "a"}))
    record = store.load("a")
    assert record is not None
    store.commit("b", record.data, expected=0)
    assert do(SEALED.load("b")) == (None, 1)
    do(SEALED.change("a", lambda _: {"user": "none"}))
    store.commit("a", record.data, expected=2)  # rolled back
    assert do(SEALED.load("a")) == (None, 3)
    assert do(SEALED.change("a", lambda _: {"user": "next"})) == {"user": "next"}
    assert do(SEALED.load("a")).document == {"user": "next"}


def test_a_new_secret_opens_what_the_old_one_sealed_while_both_are_given() -> None:
    do = over()
    do(Documents(sealer_of(secrets_of(OLD), "records")).save("k", {"a": 1}))
    both = Documents(sealer_of(secrets_of([NEW, OLD]), "records"))
    assert do(both.load("k")).document == {"a": 1}
    assert do(SEALED.load("k")).document is None
    do(both.change("k", lambda found: {**(found or {}), "b": 2}))
    assert do(SEALED.load("k")).document == {"a": 1, "b": 2}


@pytest.mark.parametrize("data", [b"", b"[]", b"not JSON"])
def test_a_record_that_is_no_document_counts_as_missing(data: bytes) -> None:
    store = MemoryStore()
    store.commit("k", data, expected=0)
    assert over(store)(Documents(None).load("k")) == (None, 1)


def test_what_json_or_a_record_cannot_hold_is_refused() -> None:
    do = over()
    with pytest.raises(UsageError, match="they are not JSON values"):
        do(SEALED.save("k", {"a": float("nan")}))
    with pytest.raises(UsageError, match="they are not JSON values"):
        do(SEALED.save("k", {"a": "\ud800"}))
    with pytest.raises(UsageError, match="has at most"):
        do(SEALED.save("k", {"a": "x" * MAX_DATA}))


@pytest.mark.parametrize("given", ["short", [], [NEW, "short"], 7])
def test_a_short_secret_is_refused(given: Any) -> None:
    with pytest.raises(UsageError, match="secret"):
        secrets_of(given)


def test_each_use_has_keys_of_its_own() -> None:
    cookies, records = (sealer_of(secrets_of(NEW), use) for use in ("cookies", "records"))
    assert repr(cookies) != repr(records)
    assert NEW not in repr(cookies)


class TestUsedOnce:
    USED = UsedOnce(SEALED, "jti", 3600)

    def test_an_identifier_is_new_once(self) -> None:
        do = over()
        assert do(self.USED.mark("a", 1000))
        assert not do(self.USED.mark("a", 1000))
        assert do(self.USED.mark("b", 1000))

    def test_kinds_are_apart(self) -> None:
        do = over()
        assert do(self.USED.mark("a", 1000))
        assert do(UsedOnce(SEALED, "login", 3600).mark("a", 1000))

    def test_what_failed_may_be_used_again(self) -> None:
        do = over()
        do(self.USED.mark("a", 1000))
        do(self.USED.mark("b", 1000))
        do(self.USED.unmark("a", 1000))
        assert do(self.USED.mark("a", 1000))
        assert not do(self.USED.mark("b", 1000))

    def test_of_two_processes_one_is_first(self) -> None:
        store = MemoryStore()
        do = over(store)
        first: list[bool] = []
        rival = Overtaken(store, lambda: first.append(do(self.USED.mark("a", 1000))))
        assert not over(rival)(self.USED.mark("a", 1000))
        assert first == [True]

    def test_the_number_of_records_is_bounded(self) -> None:
        store = MemoryStore()
        do = over(store)
        for number in range(2000):
            assert do(self.USED.mark(f"{number}", number * 900.0))
        assert len(store._entries) <= 4 * 32

    def test_an_entry_matters_until_it_expires(self) -> None:
        do = over()
        do(self.USED.mark("a", 3599))
        for number in range(500):  # other entries of this slot and the next two
            do(self.USED.mark(f"{number}", 3600.0 * (number % 3) + 1))
        assert not do(self.USED.mark("a", 3599))

    def test_a_full_shard_is_an_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("doorkey.login.web.used_once.MAX_ENTRIES", 2)
        do = over()
        marks = (do(self.USED.mark(f"{number}", 1000)) for number in range(100))
        with pytest.raises(StoreError, match="too many logins"):
            list(marks)
