"""Sessions of browsers in a store, and which of them a logout of the provider ends."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from doorkey.login.web.browser_sessions import MAX_SESSIONS, BrowserSession, BrowserSessions, digest_of, session_key
from doorkey.login.web.documents import Documents
from doorkey.stores import MemoryStore
from doorkey.values import Secret
from doorkey.wire.flow import Flow
from tests.support.login_stores import Overtaken, no_token, over

NOW = 1_800_000_000.0
ALICE = BrowserSession(
    "main", "https://op.example", "alice", "s1", {"sub": "alice"}, {"name": "Alice"}, Secret("h.p.s"), NOW, NOW + 3600
)
SESSIONS = BrowserSessions(Documents(None))


def begun(do: Callable[[Flow[Any]], Any], session: BrowserSession = ALICE, now: float = NOW) -> str:
    identifier, _ = do(SESSIONS.begin(session, no_token, now))
    assert isinstance(identifier, str)
    return identifier


def test_a_session_comes_back_until_it_expires(do: Callable[[Flow[Any]], Any]) -> None:
    identifier = begun(do)
    assert do(SESSIONS.load(identifier, NOW + 3599)) == ALICE
    assert do(SESSIONS.load(identifier, NOW + 3600)) is None


@pytest.mark.parametrize("wrong", [None, "", "x", "x" * 43, "ü" * 43, "x" * 5000])
def test_an_unknown_id_is_no_session(do: Callable[[Flow[Any]], Any], wrong: str | None) -> None:
    begun(do)
    assert do(SESSIONS.load(wrong, NOW)) is None


def test_the_store_does_not_hold_the_id(do: Callable[[Flow[Any]], Any], store: MemoryStore) -> None:
    identifier = begun(do)
    held = "".join(f"{key} {kept.record.data!r}" for key, kept in store._entries.items())
    assert identifier not in held
    assert digest_of(identifier) in held


def test_a_session_shows_no_claims(do: Callable[[Flow[Any]], Any]) -> None:
    assert "Alice" not in repr(ALICE)
    assert "h.p.s" not in repr(ALICE)


def test_the_end_of_a_session_leaves_no_record(do: Callable[[Flow[Any]], Any], store: MemoryStore) -> None:
    identifier = begun(do)
    ended = do(SESSIONS.end(identifier, ALICE))
    assert [one.provider for one in ended] == ["main"]
    assert do(SESSIONS.load(identifier, NOW)) is None
    assert not store._entries


def test_the_end_of_one_session_leaves_the_others(do: Callable[[Flow[Any]], Any]) -> None:
    first, second = begun(do), begun(do)
    do(SESSIONS.end(first, ALICE))
    assert do(SESSIONS.load(second, NOW)) == ALICE


def test_a_logout_by_sid_ends_every_session_with_it_and_no_other(do: Callable[[Flow[Any]], Any]) -> None:
    two = [begun(do), begun(do)]
    other = begun(do, replace(ALICE, sid="s2"))
    assert len(do(SESSIONS.end_all(ALICE.iss, None, "s1"))) == 2
    assert [do(SESSIONS.load(one, NOW)) for one in two] == [None, None]
    assert do(SESSIONS.load(other, NOW)) is not None
    assert do(SESSIONS.end_all(ALICE.iss, None, "s1")) == []


def test_a_logout_by_sub_ends_every_session_of_the_user(do: Callable[[Flow[Any]], Any], store: MemoryStore) -> None:
    for sid in ("s1", "s2", None):
        begun(do, replace(ALICE, sid=sid))
    bob = begun(do, replace(ALICE, sub="bob", sid="s9"))
    elsewhere = begun(do, replace(ALICE, iss="https://other.example"))
    assert len(do(SESSIONS.end_all(ALICE.iss, "alice", None))) == 3
    assert do(SESSIONS.load(bob, NOW)) is not None
    assert do(SESSIONS.load(elsewhere, NOW)) is not None


def test_a_logout_by_sid_and_sub_must_match_both(do: Callable[[Flow[Any]], Any]) -> None:
    identifier = begun(do)
    assert do(SESSIONS.end_all(ALICE.iss, "bob", "s1")) == []
    assert do(SESSIONS.load(identifier, NOW)) is not None
    assert len(do(SESSIONS.end_all(ALICE.iss, "alice", "s1"))) == 1


def test_a_login_removes_the_expired_sessions_of_the_user(do: Callable[[Flow[Any]], Any], store: MemoryStore) -> None:
    old = begun(do)
    identifier, ended = do(SESSIONS.begin(replace(ALICE, sid="s2", expires_at=NOW + 9000), no_token, NOW + 5000))
    assert len(ended) == 1
    assert session_key(digest_of(old)) not in store._entries
    assert len(store._entries) == 4, "the record, its place in the list, and the indexes of the user and the sid"
    assert do(SESSIONS.load(identifier, NOW + 5000)) is not None


def test_the_oldest_sessions_of_a_user_end_above_the_bound(
    do: Callable[[Flow[Any]], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("doorkey.login.web.browser_sessions.MAX_SESSIONS", 3)
    identifiers = [begun(do) for _ in range(5)]
    assert [do(SESSIONS.load(one, NOW)) is not None for one in identifiers] == [False, False, True, True, True]
    assert MAX_SESSIONS == 100


@pytest.mark.parametrize("moment", range(5))
def test_a_logout_in_the_middle_of_a_login_ends_it(store: MemoryStore, moment: int) -> None:
    do = over(store)
    calls = 0

    def rival() -> None:
        nonlocal calls
        calls += 1
        if calls == moment + 1:
            do(SESSIONS.end_all(ALICE.iss, "alice", None))

    identifier, _ = over(Overtaken(store, rival, times=5))(SESSIONS.begin(ALICE, no_token, NOW))
    alive = identifier is not None and do(SESSIONS.load(identifier, NOW)) is not None
    indexed = len(do(SESSIONS.end_all(ALICE.iss, "alice", None)))
    assert alive == bool(indexed), "a session that lives can be ended by the provider"
    if moment in (2, 3):  # after the entry in the index of the user, before the record is there
        assert not alive


def records() -> Iterator[dict[str, Any]]:
    good = ALICE.to_dict()
    for name, wrong in (
        *((name, value) for name in ("provider", "iss", "sub") for value in (None, "", 7)),
        *((name, 7) for name in ("sid", "id_token", "claims", "userinfo")),
        *((name, value) for name in ("created_at", "expires_at") for value in (None, -1, "soon")),
    ):
        yield {**good, name: wrong}


@pytest.mark.parametrize("document", [*records()])
def test_a_record_of_another_shape_is_no_session(document: dict[str, Any]) -> None:
    assert BrowserSession.from_dict(document) is None


@pytest.mark.parametrize("sessions", [None, 7, [7], [[1]], [[1, 2, 3, 4]], [["d", "main", -1, None]]])
def test_an_index_of_another_shape_lists_nothing(
    do: Callable[[Flow[Any]], Any], store: MemoryStore, sessions: object
) -> None:
    from doorkey.login.web.browser_sessions import user_key

    do(Documents(None).save(user_key(ALICE.iss, "alice"), {"sub": "alice", "sessions": sessions}))
    assert do(SESSIONS.end_all(ALICE.iss, "alice", None)) == []
    assert do(SESSIONS.load(begun(do), NOW)) == ALICE
