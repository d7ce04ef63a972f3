"""Pending logins in the session of a framework and in a cache: bound to the browser, bounded, used once."""

import json
from typing import Any

import pytest

from doorkey.errors import MismatchingStateError, OAuthError, StoreError, UsageError
from doorkey.login.errors import LoginExpired, LoginReplayed, NoPendingLogin
from doorkey.login.registry.state import ENDED, LOGOUT, MAX_BYTES, MAX_ENDED, MAX_ENTRIES, PendingStates
from tests.login.registry.browsers import DATA, HOUR, NOW, Browser
from tests.support.caches import AsyncCache, Cache

KINDS = {"session": None, "cache": Cache, "async cache": AsyncCache}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def states(kind: str) -> PendingStates:
    make = KINDS[kind]
    return PendingStates("google", None if make is None else make())


@pytest.fixture
def browser(states: PendingStates, kind: str) -> Browser:
    return Browser(states, awaits=kind == "async cache")


def another(browser: Browser, session: dict[str, Any] | None = None) -> Browser:
    return Browser(browser.states, session, awaits=browser.awaits)


def restarted(browser: Browser) -> Browser:
    """Return the same browser at another worker, which shares nothing but the cache."""
    cache = browser.states._cache
    return Browser(PendingStates("google", cache), dict(browser.session), awaits=browser.awaits)


def test_a_login_is_found_in_the_browser_that_began_it(browser: Browser) -> None:
    browser.begin("s-1")
    assert browser.find("s-1") == DATA
    assert browser.finish("s-1") == DATA


def test_without_a_cache_the_session_holds_the_data_where_programs_read_it() -> None:
    browser = Browser(PendingStates("google"))
    browser.begin("s-1")
    assert browser.session == {"_state_google_s-1": {"data": DATA, "exp": NOW + HOUR}}
    assert browser.session["_state_google_s-1"]["data"]["nonce"] == "n-1"


@pytest.mark.parametrize("make", [Cache, AsyncCache])
def test_with_a_cache_the_session_holds_only_when_the_login_expires(make: type[Cache | AsyncCache]) -> None:
    cache = make()
    browser = Browser(PendingStates("google", cache), awaits=make is AsyncCache)
    browser.begin("s-1")
    assert browser.session == {"_state_google_s-1": {"exp": NOW + HOUR}}
    assert json.loads(cache.held["_state_google_s-1"]) == {"data": DATA}
    assert cache.lifetimes == {"_state_google_s-1": 3600}


def test_an_empty_cache_that_is_false_is_a_cache() -> None:
    class Falsy(Cache):
        def __len__(self) -> int:
            return len(self.held)

    cache = Falsy()
    browser = Browser(PendingStates("google", cache))
    browser.begin("s-1")
    assert len(cache) == 1
    assert browser.find("s-1") == DATA


def test_a_cache_may_return_bytes() -> None:
    cache = Cache()
    browser = Browser(PendingStates("google", cache))
    browser.begin("s-1")
    cache.held["_state_google_s-1"] = cache.held["_state_google_s-1"].encode()
    assert browser.find("s-1") == DATA


def test_two_tabs_finish_in_any_order(browser: Browser) -> None:
    browser.begin("s-1", {**DATA, "nonce": "first"})
    browser.begin("s-2", {**DATA, "nonce": "second"})
    assert browser.finish("s-1")["nonce"] == "first"
    assert browser.finish("s-2")["nonce"] == "second"


@pytest.mark.parametrize(
    ("began", "state", "called", "returned"),
    [("op_x", "s-1", "op", "x_s-1"), ("op", "x_s-1", "op_x", "s-1"), ("op_x", "y_s-1", "op_x_y", "s-1")],
)
def test_a_login_of_one_registration_is_none_of_another_with_the_same_key(
    browser: Browser, began: str, state: str, called: str, returned: str
) -> None:
    cache = browser.states._cache
    first = Browser(PendingStates(began, cache), awaits=browser.awaits)
    second = Browser(PendingStates(called, cache), first.session, awaits=browser.awaits)
    assert first.states.key(state) == second.states.key(returned)
    first.begin(state)
    with pytest.raises(NoPendingLogin):
        second.find(returned)
    second.clear(returned)
    assert first.finish(state) == DATA


def test_another_browser_finishes_nothing_and_deletes_nothing(browser: Browser) -> None:
    browser.begin("s-1")
    stranger = another(browser)
    with pytest.raises(NoPendingLogin):
        stranger.find("s-1")
    stranger.clear("s-1")
    assert stranger.session == {}
    assert browser.finish("s-1") == DATA


def test_a_session_that_a_stranger_filled_finds_nothing(browser: Browser) -> None:
    browser.begin("s-1")
    stranger = another(browser, {"_state_google_s-1": {"data": DATA}, "_state_google_s-2": "x", ENDED: {"a": 1}})
    for state in ("s-1", "s-2", "", None):
        with pytest.raises(NoPendingLogin):
            stranger.find(state)


def test_an_expired_login_is_refused_and_stays_expired(browser: Browser) -> None:
    browser.begin("s-1", lifetime=600)
    assert browser.find("s-1", now=NOW + 599) == DATA
    for _ in range(2):
        with pytest.raises(LoginExpired):
            browser.find("s-1", now=NOW + 600)


def test_expired_logins_leave_the_session_at_the_next_login_and_stay_expired(browser: Browser) -> None:
    browser.begin("s-1", lifetime=600)
    browser.begin("s-2", now=NOW + 601)
    assert [key for key in browser.session if key.startswith("_state_")] == ["_state_google_s-2"]
    with pytest.raises(LoginExpired, match="too long ago") as caught:
        browser.find("s-1", now=NOW + 602)
    assert "one hour" in caught.value.for_developers


def test_what_ended_is_remembered_in_order_also_where_mappings_are_sorted(browser: Browser) -> None:
    for number in range(MAX_ENDED + 4):
        browser.begin(f"s-{number}")
        browser.finish(f"s-{number}")
        browser.session = json.loads(json.dumps(browser.session, sort_keys=True))  # as Flask does
    for number in range(4, MAX_ENDED + 4):
        with pytest.raises(LoginReplayed):
            restarted(browser).find(f"s-{number}")
    with pytest.raises(NoPendingLogin):
        restarted(browser).find("s-3")


def test_an_empty_session_names_the_reasons_for_which_a_cookie_is_missing(browser: Browser) -> None:
    with pytest.raises(NoPendingLogin) as caught:
        browser.find("s-1")
    assert "the same session secret" in caught.value.for_developers
    browser.session = {"user": "alice"}
    with pytest.raises(NoPendingLogin) as another:
        browser.find("s-1")
    assert another.value.for_developers == NoPendingLogin.for_developers


def test_a_login_is_used_once(browser: Browser) -> None:
    browser.begin("s-1")
    browser.finish("s-1")
    for _ in range(2):
        with pytest.raises(LoginReplayed):
            browser.find("s-1")


def test_an_old_cookie_does_not_repeat_a_login(browser: Browser) -> None:
    browser.begin("s-1")
    old = another(browser, dict(browser.session))
    browser.finish("s-1")
    with pytest.raises(LoginReplayed):
        old.find("s-1")


def test_of_a_double_submit_one_request_goes_on(browser: Browser) -> None:
    browser.begin("s-1")
    second = another(browser, dict(browser.session))
    assert browser.find("s-1") == second.find("s-1") == DATA
    browser.finish("s-1")
    with pytest.raises(LoginReplayed):
        second._run(second.states.use_up(second.session, "s-1", now=NOW))


def test_another_worker_finishes_the_login(browser: Browser) -> None:
    browser.begin("s-1")
    assert restarted(browser).finish("s-1") == DATA


@pytest.mark.parametrize("make", [Cache, AsyncCache])
def test_with_a_cache_an_old_cookie_does_not_repeat_a_login_at_another_worker(make: type[Cache | AsyncCache]) -> None:
    cache = make()
    browser = Browser(PendingStates("google", cache), awaits=make is AsyncCache)
    browser.begin("s-1", lifetime=HOUR)
    old = restarted(browser)
    browser.finish("s-1", now=NOW + 600)
    with pytest.raises(LoginReplayed):
        old.find("s-1")
    assert json.loads(cache.held["_state_google_s-1"]) == {"used": True}
    assert cache.lifetimes == {"_state_google_s-1": 3000}


def test_a_cache_of_one_worker_is_named_as_the_cause() -> None:
    browser = Browser(PendingStates("google", Cache()))
    browser.begin("s-1")
    with pytest.raises(NoPendingLogin, match="The cache of the application no longer holds the login") as caught:
        Browser(PendingStates("google", Cache()), browser.session).find("s-1")
    assert caught.value.for_developers.endswith("use one cache for all workers.")


@pytest.mark.parametrize("held", ["", "{", "[]", '{"data": 7}', b"\xff", 7, '{"data": {}, "use": "logout"}'])
def test_anything_else_in_the_cache_is_no_login(held: object) -> None:
    cache = Cache()
    browser = Browser(PendingStates("google", cache))
    browser.begin("s-1")
    cache.held["_state_google_s-1"] = held
    with pytest.raises(NoPendingLogin):
        browser.find("s-1")


def test_the_state_of_a_logout_is_no_state_of_a_login_and_the_other_way_round(browser: Browser) -> None:
    browser.begin("s-1", {"post_logout_redirect_uri": "https://app.example/"}, use=LOGOUT)
    browser.begin("s-2")
    with pytest.raises(NoPendingLogin):
        browser.find("s-1")
    with pytest.raises(NoPendingLogin):
        browser.find("s-2", use=LOGOUT)
    assert browser.find("s-1", use=LOGOUT) == {"post_logout_redirect_uri": "https://app.example/"}
    assert browser.find("s-2") == DATA


def test_of_200_abandoned_logins_the_session_holds_the_newest(browser: Browser) -> None:
    browser.session["user"] = {"name": "alice"}
    for number in range(200):
        browser.begin(f"s-{number}", {**DATA, "code_verifier": "v" * 64, "pad": "p" * 300}, now=NOW + number)
    pending = {key: entry for key, entry in browser.session.items() if key.startswith("_state_")}
    assert 4 <= len(pending) <= MAX_ENTRIES
    assert sum(len(key) + len(json.dumps(entry, separators=(",", ":"))) for key, entry in pending.items()) <= MAX_BYTES
    assert len(browser.session[ENDED]) == MAX_ENDED
    assert len(json.dumps(browser.session)) < 2600
    assert browser.session["user"] == {"name": "alice"}
    assert browser.find("s-199", now=NOW + 199)["nonce"] == "n-1"
    with pytest.raises(LoginExpired, match="Too many other logins"):  # one of those that were dropped last
        browser.find(f"s-{199 - len(pending)}", now=NOW + 199)
    with pytest.raises(NoPendingLogin):  # nothing knows it any more
        browser.find("s-0", now=NOW + 199)


@pytest.mark.parametrize("make", [Cache, AsyncCache])
def test_a_cache_holds_no_login_that_was_dropped(make: type[Cache | AsyncCache]) -> None:
    cache = make()
    browser = Browser(PendingStates("google", cache), awaits=make is AsyncCache)
    for number in range(20):
        browser.begin(f"s-{number}", now=NOW + number)
    assert sorted(cache.held) == sorted(f"_state_google_s-{number}" for number in range(20 - MAX_ENTRIES, 20))


def test_the_bound_counts_the_logins_of_all_registrations() -> None:
    session: dict[str, Any] = {}
    for number in range(40):
        browser = Browser(PendingStates(f"idp-{number % 4}"), session)
        browser.begin(f"s-{number}", now=NOW + number)
        session = browser.session
    assert len([key for key in session if key.startswith("_state_")]) <= MAX_ENTRIES


def test_a_login_that_is_larger_than_the_bound_is_the_only_one() -> None:
    browser = Browser(PendingStates("google"))
    browser.begin("s-1")
    browser.begin("s-2", {**DATA, "claims": "c" * 3000}, now=NOW + 1)
    assert browser.find("s-2")["claims"] == "c" * 3000
    with pytest.raises(LoginExpired):
        browser.find("s-1")


def test_entries_of_the_program_stay_as_they_are() -> None:
    browser = Browser(PendingStates("google"), {"_state_of_the_art": "x", "_state_google_x": {"exp": "soon"}})
    for number in range(12):
        browser.begin(f"s-{number}", now=NOW + number)
    assert browser.session["_state_of_the_art"] == "x"
    assert browser.session["_state_google_x"] == {"exp": "soon"}


def test_a_cleared_state_is_gone_from_session_and_cache(browser: Browser) -> None:
    browser.begin("s-1")
    browser.clear("s-1")
    assert browser.session == {}
    with pytest.raises(NoPendingLogin):
        restarted(browser).find("s-1")


def test_a_login_holds_only_what_json_can_hold(browser: Browser) -> None:
    with pytest.raises(UsageError, match="data of a pending login must be JSON"):
        browser.begin("s-1", {"redirect_uri": object()})
    with pytest.raises(UsageError, match="state must be text"):
        browser.begin("")
    assert browser.session == {}


class Down:
    """A cache whose server cannot be reached."""

    def get(self, key: str) -> Any:
        raise ConnectionError(f"no connection for {key}")

    def set(self, key: str, value: str, expires: int) -> None:
        raise ConnectionError(f"no connection for {value}")


def test_a_cache_that_fails_is_a_typed_error_without_the_data() -> None:
    browser = Browser(PendingStates("google", Down()))
    with pytest.raises(StoreError, match=r"failed in set\(\) \(ConnectionError\)") as caught:
        browser.begin("s-1")
    assert caught.value.retryable
    assert "v-1" not in str(caught.value)
    assert "_state_google_s-1" not in browser.session


def test_a_login_goes_on_if_the_cache_does_not_remove_an_older_one() -> None:
    class Keeping(Cache):
        def delete(self, key: str) -> None:
            raise ConnectionError("no connection")

    browser = Browser(PendingStates("google", Keeping()))
    for number in range(MAX_ENTRIES + 2):
        browser.begin(f"s-{number}", now=NOW + number)
    assert browser.finish(f"s-{MAX_ENTRIES + 1}") == DATA
    with pytest.raises(StoreError, match=r"failed in delete\(\)"):
        browser.clear(f"s-{MAX_ENTRIES}")


def test_a_cache_that_raises_an_error_of_ours_or_lacks_a_method_raises_a_typed_error() -> None:
    class Refusing(Cache):
        def set(self, key: str, value: str, expires: int) -> None:
            raise StoreError("the store is closed")

    with pytest.raises(StoreError, match="the store is closed"):
        Browser(PendingStates("google", Refusing())).begin("s-1")
    with pytest.raises(StoreError, match=r"failed in set\(\) \(AttributeError\)"):
        Browser(PendingStates("google", object())).begin("s-1")


def test_an_asynchronous_cache_is_refused_where_the_program_blocks() -> None:
    with pytest.raises(UsageError, match="an asynchronous callable was given"):
        Browser(PendingStates("google", AsyncCache())).begin("s-1")


@pytest.mark.parametrize("error", [NoPendingLogin, LoginExpired, LoginReplayed])
def test_programs_catch_every_error_as_a_mismatching_state_and_an_oauth_error(error: type[Exception]) -> None:
    assert issubclass(error, MismatchingStateError)
    assert issubclass(error, OAuthError)
