"""Sessions of users who never come back leave the store with the logins of other users."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from doorkey.errors import StoreError
from doorkey.login.web.browser_sessions import BrowserSession, BrowserSessions, Ended, session_key
from doorkey.login.web.documents import Documents
from doorkey.login.web.expiring_sessions import SWEPT
from doorkey.stores import MemoryStore
from doorkey.wire.flow import Flow
from tests.support.login_stores import no_token

NOW = 1_800_000_000.0
SESSION = BrowserSession("main", "https://op.example", "alice", "s", {}, {}, None, NOW, NOW + 3600)
SESSIONS = BrowserSessions(Documents(None))


@pytest.fixture(autouse=True)
def one_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have all sessions listed in one record, as those of a busy application are listed in 256."""

    def one(digest: str) -> str:
        return "login/expiring/00"

    monkeypatch.setattr("doorkey.login.web.expiring_sessions._key", one)


def logged_in(do: Callable[[Flow[Any]], Any], user: str, now: float = NOW) -> list[Ended]:
    session = replace(SESSION, sub=user, sid=f"s-{user}", expires_at=now + 3600)
    identifier, ended = do(SESSIONS.begin(session, no_token, now))
    assert do(SESSIONS.load(identifier, now)) == session
    return list(ended)


def test_logins_remove_the_expired_sessions_of_other_users(do: Callable[[Flow[Any]], Any], store: MemoryStore) -> None:
    for number in range(10):
        assert logged_in(do, f"gone-{number}") == []
    ended = [logged_in(do, f"new-{number}", NOW + 3600) for number in range(4)]
    assert [len(one) for one in ended] == [SWEPT, SWEPT, 10 - 2 * SWEPT, 0]
    assert len({one.token_key for ones in ended for one in ones}) == 10, "the token of each is to be removed"
    kinds = sorted(key.split("/")[1] for key in store._entries)
    assert kinds == ["expiring", *["session"] * 4, *["sid"] * 4, *["user"] * 4]


def test_a_session_that_has_not_expired_stays(do: Callable[[Flow[Any]], Any]) -> None:
    logged_in(do, "alice")
    assert logged_in(do, "bob", NOW + 3599) == []


def test_what_a_failed_login_has_saved_is_removed_later(do: Callable[[Flow[Any]], Any], store: MemoryStore) -> None:
    saved: list[str] = []

    def save_token(key: str) -> Flow[None]:
        saved.append(key)
        yield from ()
        raise StoreError("the database went away")

    with pytest.raises(StoreError):
        do(SESSIONS.begin(SESSION, save_token, NOW))
    assert [one.token_key for one in logged_in(do, "bob", NOW + 3600)] == saved
    assert not [key for key in store._entries if session_key("") in key and saved[0].split("/")[2] in key]


def test_the_list_is_bounded(
    do: Callable[[Flow[Any]], Any], store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("doorkey.login.web.expiring_sessions.MAX_LISTED", 3)
    for number in range(5):
        logged_in(do, f"user-{number}")
    found = do(Documents(None).load("login/expiring/00"))
    assert len(found.document["sessions"]) == 3


@pytest.mark.parametrize("listed", [None, 7, [7], [[1]], [["d", "main", -1, "u", None]], [["d", 1, 1, "u", None]]])
def test_a_list_of_another_shape_is_replaced(do: Callable[[Flow[Any]], Any], listed: object) -> None:
    do(Documents(None).save("login/expiring/00", {"sessions": listed}))
    assert logged_in(do, "alice") == []
    assert logged_in(do, "bob", NOW + 3600) != []
