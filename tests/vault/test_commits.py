"""A commit until its outcome is known, and a save over what is there: each effect, one by one, as a store answers."""

from dataclasses import replace
from typing import Any, Generic, TypeVar

import pytest

from doorkey.errors import MissingTokenError, OAuthError, RecordError, StoreError
from doorkey.stores.protocol import Record
from doorkey.tokens import OAuthToken
from doorkey.values import Secret
from doorkey.vault.commits import FIRST_PAUSE, GIVEN_UP_AFTER, TRIES, commit_until_decided, overwritten
from doorkey.vault.effects import Commit, Load
from doorkey.vault.entry import Codec, Entry
from doorkey.wire.flow import Flow, Sleep

KEY = "user-42"
CODEC = Codec("app", "https://as.example/token", None)
OTHER = Codec("other", "https://as.example/token", None)
DOWN, STILL_DOWN = StoreError("the store does not answer"), StoreError("the store still does not answer")
LOGIN = Entry(OAuthToken(Secret("at-1"), refresh_token=Secret("rt-1")), "login-1", 0, 7)
MINE = LOGIN.renewed(OAuthToken(Secret("at-2"), refresh_token=Secret("rt-2")))
THEIRS = Entry(OAuthToken(Secret("at-9"), refresh_token=Secret("rt-9")), "login-9")

T = TypeVar("T")


class VersionSealer:
    """Binds each record to its version, without hiding it."""

    def seal(self, key: str, data: bytes, *, version: int = 0) -> bytes:
        return f"{version}:".encode() + data

    def open(self, key: str, sealed: bytes, *, version: int = 0) -> bytes:
        bound, _, data = sealed.partition(b":")
        if int(bound) != version:
            raise RecordError("is sealed for another version")
        return data


SEALED = Codec("app", "https://as.example/token", VersionSealer())


class Steps(Generic[T]):
    """A flow, whose effects the test answers; `effect` is the one that it asks for."""

    def __init__(self, flow: Flow[T]) -> None:
        self._flow = flow
        self.effect: Any = next(flow)

    def answer(self, outcome: object) -> Any:
        """Answer the effect, and return the next one."""
        self.effect = self._flow.send(outcome)
        return self.effect

    def fail(self, error: OAuthError) -> Any:
        self.effect = self._flow.throw(error)
        return self.effect

    def end(self, outcome: object) -> T:
        """Answer the last effect, and return what the flow returns."""
        with pytest.raises(StopIteration) as done:
            self._flow.send(outcome)
        value: T = done.value.value
        return value


def committing(codec: Codec = CODEC, *moments: float) -> Steps[Entry]:
    times = iter(moments or [0.0] * 100)
    return Steps(commit_until_decided(codec, KEY, 7, MINE, lambda: next(times)))


def record(entry: Entry, version: int, codec: Codec = CODEC) -> Record:
    return Record(version, codec.written(KEY, entry, version))


def commit_over(expected: int, entry: Entry = MINE, codec: Codec = CODEC) -> Commit:
    return Commit(KEY, codec.written(KEY, entry, expected + 1), expected)


# -- a commit until its outcome is known -------------------------------------------------------------------------------


def test_a_commit_that_succeeds_returns_the_entry_under_its_new_version() -> None:
    steps = committing()
    assert steps.effect == commit_over(7)
    assert steps.end(8) == MINE.at(8)


def test_a_newer_entry_in_the_store_wins() -> None:
    steps = committing()
    assert steps.answer(0) == Load(KEY)
    assert steps.end(record(THEIRS, 8)) == THEIRS.at(8)


def test_an_earlier_rotation_in_the_store_is_committed_over_at_once() -> None:
    steps = committing()
    steps.answer(0)
    assert steps.answer(record(LOGIN, 9)) == commit_over(9)
    assert steps.end(10) == MINE.at(10)


def test_a_commit_whose_response_was_lost_is_found_in_the_store() -> None:
    steps = committing()
    assert steps.fail(DOWN) == Sleep(FIRST_PAUSE, saving=True)
    assert steps.answer(None) == commit_over(7)
    assert steps.answer(0) == Load(KEY)
    assert steps.end(record(MINE, 8)) == replace(MINE.at(8), used=None)


def test_a_key_that_was_forgotten_meanwhile_is_an_error() -> None:
    steps = committing()
    steps.answer(0)
    with pytest.raises(MissingTokenError, match="forgotten while its token was being renewed"):
        steps.answer(None)


def test_a_store_that_fails_is_tried_again_after_pauses_that_double() -> None:
    steps, pauses = committing(), list[float]()
    for attempt in range(1, TRIES):
        assert isinstance(steps.fail(DOWN), Sleep)
        pauses.append(steps.effect.seconds)
        assert steps.answer(None) == commit_over(7), attempt
    assert pauses == [FIRST_PAUSE * factor for factor in (1, 2, 4, 8)]
    with pytest.raises(StoreError) as caught:
        steps.fail(STILL_DOWN)
    assert caught.value is STILL_DOWN


def test_a_failure_that_is_over_costs_no_further_pause() -> None:
    steps = committing()
    assert steps.fail(DOWN) == Sleep(FIRST_PAUSE, saving=True)
    steps.answer(None)
    assert steps.answer(0) == Load(KEY)
    assert steps.answer(record(LOGIN, 9)) == commit_over(9)


def test_a_store_that_fails_when_it_is_read_is_tried_again_too() -> None:
    steps = committing()
    assert steps.answer(0) == Load(KEY)
    assert steps.fail(DOWN) == Sleep(FIRST_PAUSE, saving=True)
    assert steps.answer(None) == commit_over(7)
    assert steps.end(8) == MINE.at(8)


@pytest.mark.parametrize(("took", "given_up"), [(GIVEN_UP_AFTER, False), (GIVEN_UP_AFTER + 0.5, True)])
def test_a_store_that_takes_long_to_fail_is_given_up(took: float, given_up: bool) -> None:
    steps = committing(CODEC, 10.0, 10.0 + took)
    if given_up:
        with pytest.raises(StoreError) as caught:
            steps.fail(DOWN)
        assert caught.value is DOWN
    else:
        assert isinstance(steps.fail(DOWN), Sleep)


def test_a_store_whose_version_changes_each_time_is_given_up_with_an_error_that_can_be_retried() -> None:
    steps = committing()
    for version in range(8, 7 + TRIES):
        steps.answer(0)
        assert steps.answer(record(LOGIN, version)) == commit_over(version)
    steps.answer(0)
    with pytest.raises(StoreError, match="another version at each attempt") as caught:
        steps.answer(record(LOGIN, 99))
    assert caught.value.retryable


# -- a save over what is there -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("there", "expected"), [(None, 0), (record(LOGIN, 3), 3), (Record(3, b"not a record of a vault"), 3)]
)
def test_a_save_is_committed_over_what_is_there(there: Record | None, expected: int) -> None:
    steps = Steps(overwritten(CODEC, KEY, THEIRS))
    assert steps.effect == Load(KEY)
    assert steps.answer(there) == commit_over(expected, THEIRS)
    assert steps.end(expected + 1) == THEIRS.at(expected + 1)


def test_a_save_replaces_a_record_that_cannot_be_loaded() -> None:
    steps = Steps(overwritten(CODEC, KEY, THEIRS))
    assert steps.fail(RecordError("is too large")) == commit_over(0, THEIRS)
    assert steps.end(5) == THEIRS.at(5)


@pytest.mark.parametrize("entry", [THEIRS, None])
def test_the_record_of_another_client_is_left_alone(entry: Entry | None) -> None:
    steps = Steps(overwritten(CODEC, KEY, entry))
    with pytest.raises(RecordError, match="another client or authorization server"):
        steps.answer(record(LOGIN, 3, OTHER))


@pytest.mark.parametrize("entry", [THEIRS, None])
def test_a_key_that_changes_each_time_is_given_up_with_an_error_that_can_be_retried(entry: Entry | None) -> None:
    steps = Steps(overwritten(CODEC, KEY, entry))
    for _ in range(TRIES - 1):
        assert isinstance(steps.answer(record(LOGIN, 3)), Commit)
        assert steps.answer(0) == Load(KEY)
    steps.answer(record(LOGIN, 3))
    with pytest.raises(StoreError, match="keep changing this key") as caught:
        steps.answer(0)
    assert caught.value.retryable


def test_a_record_is_deleted_by_its_version_and_nothing_where_there_is_none() -> None:
    steps = Steps(overwritten(CODEC, KEY, None))
    assert steps.answer(record(LOGIN, 3)) == Commit(KEY, None, 3)
    assert steps.end(4) is None
    assert Steps(overwritten(CODEC, KEY, None)).end(None) is None


def test_a_record_that_cannot_be_loaded_is_replaced_by_an_empty_one_that_is_deleted() -> None:
    steps = Steps(overwritten(CODEC, KEY, None))
    assert steps.fail(RecordError("is too large")) == Commit(KEY, b"", 0)
    assert steps.answer(6) == Commit(KEY, None, 6)
    assert steps.end(7) is None


def test_a_record_that_cannot_be_loaded_nor_replaced_is_looked_at_again() -> None:
    steps = Steps(overwritten(CODEC, KEY, None))
    steps.fail(RecordError("is too large"))
    assert steps.answer(0) == Load(KEY)
    assert steps.end(None) is None


# -- records that are sealed for their version -------------------------------------------------------------------------


def test_a_sealed_record_is_committed_once_more_where_the_versions_go_on() -> None:
    steps = committing(SEALED)
    assert steps.effect == commit_over(7, codec=SEALED)
    assert steps.answer(20) == commit_over(20, codec=SEALED)
    assert steps.end(21) == MINE.at(21)


def test_an_open_record_is_committed_once_whatever_its_version() -> None:
    assert committing().end(20) == MINE.at(20)


def test_a_store_that_never_counts_up_by_one_is_an_error_for_sealed_records() -> None:
    steps = committing(SEALED)
    for attempt in range(TRIES):
        for version in range(1, TRIES):
            assert steps.answer(100 * attempt + 10 * version) == commit_over(100 * attempt + 10 * version, codec=SEALED)
        if attempt == TRIES - 1:
            break
        assert isinstance(steps.answer(100 * attempt + 99), Sleep)
        assert steps.answer(None) == commit_over(7, codec=SEALED)
    with pytest.raises(StoreError, match="add 1 to the version"):
        steps.answer(999)
