"""The login page: which browser may send its form, and when; and the session that begins with it."""

from collections.abc import Callable

import pytest

from doorkey.errors import ServerError
from doorkey.jose.verification import unsafe_claims
from doorkey.server.endpoints.forms import Cookies
from doorkey.server.endpoints.login import LoggedIn, LoginNeeded
from doorkey.server.storage.records import MemoryRecords
from tests.server.world import World, callback
from tests.support.changed_text import with_changed


@pytest.fixture
def world() -> World:
    return World()


def test_a_wrong_password_shows_the_form_again_and_the_right_one_goes_on(world: World) -> None:
    needed = world.authorize()
    assert isinstance(needed, LoginNeeded)
    again = world.fill_in(needed, password="wrong")
    assert isinstance(again, LoginNeeded)
    assert (again.failed, again.username) == (True, "alice")
    assert isinstance(world.fill_in(again), LoggedIn)


def test_a_login_is_bound_to_the_browser_that_began_it(world: World) -> None:
    needed = world.authorize()
    assert isinstance(needed, LoginNeeded)
    with pytest.raises(ServerError, match="another browser"):
        world.fill_in(needed, browser="some-other-browser-0123456789")
    with pytest.raises(ServerError, match="another browser"):
        world.fill_in(needed, browser="")


def test_a_planted_cookie_is_not_taken_over(world: World) -> None:
    planted = "planted-by-a-sibling-subdomain-0123456789"
    for value in (planted, planted + "A" * 43, "A" * 43, "", "x"):
        needed = world.authorize(Cookies(browser=value))
        assert isinstance(needed, LoginNeeded)
        assert needed.browser != value
        with pytest.raises(ServerError, match="another browser"):
            world.fill_in(needed, browser=value)


def test_the_form_of_one_browser_does_not_work_with_the_cookie_of_another(world: World) -> None:
    mine, theirs = world.authorize(), world.authorize()
    assert isinstance(mine, LoginNeeded)
    assert isinstance(theirs, LoginNeeded)
    with pytest.raises(ServerError, match="another browser"):
        world.fill_in(mine, browser=theirs.browser)
    with pytest.raises(ServerError, match="not made for your browser session"):
        world.fill_in(mine, csrf=theirs.csrf)


@pytest.mark.parametrize(
    "header",
    [
        ("Origin", "https://evil.example"),
        ("Origin", "https://as.example:8443"),
        ("Origin", "https://sub.as.example"),
        ("Origin", "http://as.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "same-site"),
        ("Sec-Fetch-Site", "cross-site"),
    ],
)
def test_a_login_form_that_a_page_of_another_origin_sends_is_refused(world: World, header: tuple[str, str]) -> None:
    needed = world.authorize()
    assert isinstance(needed, LoginNeeded)
    with pytest.raises(ServerError, match="another site"):
        world.fill_in(needed, headers=(header,))
    own = (("Origin", "https://as.example"), ("Sec-Fetch-Site", "same-origin"))
    assert isinstance(world.fill_in(needed, headers=own), LoggedIn)


def test_a_login_in_progress_takes_no_room_in_the_store() -> None:
    class Full(MemoryRecords):
        """Refuses every record but the keys."""

        def put(self, kind: str, key: str, value: str, *, expires_at: float, now: float) -> None:
            raise AssertionError(f"a {kind} was stored")

        def add(self, kind: str, key: str, value: str, *, expires_at: float, now: float) -> bool:
            assert kind == "key"
            return super().add(kind, key, value, expires_at=expires_at, now=now)

    world = World(store=Full())
    for number in range(100):
        assert isinstance(world.authorize(state=f"state-{number}"), LoginNeeded)


def test_a_sealed_login_that_was_changed_or_made_elsewhere_is_refused(world: World) -> None:
    needed = world.authorize()
    elsewhere = World().authorize()
    assert isinstance(needed, LoginNeeded)
    assert isinstance(elsewhere, LoginNeeded)
    head, payload, signature = needed.login_id.split(".")
    for text in (elsewhere.login_id, f"{head}.{payload[:-4]}AAAA.{signature}", "", "garbage", "a.b.c"):
        with pytest.raises(ServerError, match="expired"):
            world.fill_in(needed, transaction=text)
    assert isinstance(world.fill_in(needed), LoggedIn)


def test_no_token_is_taken_for_a_login_and_no_login_for_a_token(world: World) -> None:
    needed = world.authorize()
    assert isinstance(needed, LoginNeeded)
    assert world.refresh(needed.login_id).problem == (400, "invalid_grant")
    with pytest.raises(ServerError, match="expired"):
        world.fill_in(needed, transaction=world.login().json["refresh_token"])


def test_a_form_without_its_csrf_token_is_refused(world: World) -> None:
    needed = world.authorize()
    assert isinstance(needed, LoginNeeded)
    with pytest.raises(ServerError, match="not made for your browser session"):
        world.fill_in(needed, csrf="guessed")


def test_a_login_finishes_once_and_expires(world: World) -> None:
    needed, forgotten = world.authorize(), world.authorize()
    assert isinstance(needed, LoginNeeded)
    assert isinstance(forgotten, LoginNeeded)
    world.fill_in(needed)
    with pytest.raises(ServerError, match="expired"):
        world.fill_in(needed)
    world.advance(1800)
    with pytest.raises(ServerError, match="expired"):
        world.fill_in(forgotten)


def test_two_tabs_of_a_browser_log_in_independently(world: World) -> None:
    one = world.authorize()
    assert isinstance(one, LoginNeeded)
    two = world.authorize(Cookies(browser=one.browser), state="other-state")
    assert isinstance(two, LoginNeeded)
    for needed, state in ((two, "other-state"), (one, "a-state")):
        done = world.fill_in(needed)
        assert isinstance(done, LoggedIn)
        assert callback(done.response)["state"] == state


def test_a_cookie_that_this_server_issued_serves_all_tabs_of_its_browser(world: World) -> None:
    one = world.authorize()
    assert isinstance(one, LoginNeeded)
    two = world.authorize(Cookies(browser=one.browser))
    assert isinstance(two, LoginNeeded)
    assert two.browser == one.browser
    assert two.login_id != one.login_id
    longer = one.browser[:43] + "A" + one.browser[43:]
    others = (with_changed(one.browser, at) for at in (0, 42, 43, -1))
    for changed in (one.browser[:-1], one.browser[1:], *others, longer):
        other = world.authorize(Cookies(browser=changed))
        assert isinstance(other, LoginNeeded)
        assert other.browser != changed
    elsewhere = World().authorize(Cookies(browser=one.browser))
    assert isinstance(elsewhere, LoginNeeded)
    assert elsewhere.browser != one.browser  # another realm's key


def test_the_secrets_of_a_login_are_long_enough(world: World) -> None:
    needed = world.authorize()
    assert isinstance(needed, LoginNeeded)
    done = world.fill_in(needed)
    assert isinstance(done, LoggedIn)
    assert len(unsafe_claims(needed.login_id)["jti"]) >= 43  # 256 bits
    assert len(needed.csrf) >= 43
    assert len(needed.browser) >= 86  # 256 bits and a MAC
    assert len(done.session_key) >= 43


def test_a_form_without_a_name_or_a_password_is_a_wrong_one(world: World) -> None:
    needed = world.authorize()
    assert isinstance(needed, LoginNeeded)
    for again in (world.fill_in(needed, password=""), world.fill_in(needed, username="")):
        assert isinstance(again, LoginNeeded)
        assert again.failed


def test_nothing_of_a_browser_shows_its_secrets(world: World) -> None:
    done = world.logged_in()
    cookies = Cookies("the browser's id", done.session_key)
    for value, secret in ((cookies, "browser's id"), (cookies, done.session_key), (done, done.session_key)):
        assert secret not in repr(value)


def test_every_login_is_a_new_session_with_a_new_key(world: World) -> None:
    one, two = world.logged_in(), world.logged_in()
    assert one.session_key != two.session_key
    assert callback(one.response)["session_state"] != callback(two.response)["session_state"]


def test_nothing_that_waits_for_a_login_shows_its_secrets(world: World) -> None:
    needed = world.authorize()
    assert isinstance(needed, LoginNeeded)
    assert needed.csrf not in repr(needed)
    assert needed.browser not in repr(needed)


def test_an_error_page_of_a_login_has_status_400(world: World) -> None:
    needed, other, finished = (world.authorize() for _ in range(3))
    assert isinstance(needed, LoginNeeded)
    assert isinstance(other, LoginNeeded)
    assert isinstance(finished, LoginNeeded)
    world.fill_in(finished)
    calls: list[Callable[[], object]] = [
        lambda: world.fill_in(needed, browser=other.browser),
        lambda: world.fill_in(needed, browser=""),
        lambda: world.fill_in(needed, csrf="guessed"),
        lambda: world.fill_in(needed, csrf=""),
        lambda: world.fill_in(needed, transaction="garbage"),
        lambda: world.fill_in(needed, transaction=""),
        lambda: world.fill_in(needed, headers=(("Origin", "null"),)),
        lambda: world.fill_in(finished),
    ]
    for call in calls:
        with pytest.raises(ServerError) as caught:
            call()
        assert caught.value.status == 400
