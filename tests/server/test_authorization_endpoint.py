import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from doorkey.errors import ServerError, UsageError
from doorkey.jose.verification import unsafe_claims
from doorkey.server.clients.redirect_uris import is_registered
from doorkey.server.endpoints.authorize import authorize
from doorkey.server.endpoints.login import Cookies, LoggedIn, LoginNeeded
from doorkey.server.responses.responses import redirect
from doorkey.server.storage.records import MemoryRecords
from doorkey.wire.flow import run
from doorkey.wire.messages import FORM, Request, Response
from tests.server.world import APP, CALLBACK, ENDPOINTS, ISSUER, SPA, World, callback
from tests.servers.browser import forms


@pytest.fixture
def world() -> World:
    return World()


def refused(outcome: Response | LoginNeeded) -> str:
    assert isinstance(outcome, Response)
    return callback(outcome)["error"]


def logged_in(world: World) -> LoggedIn:
    needed = world.authorize()
    assert isinstance(needed, LoginNeeded)
    done = world.fill_in(needed)
    assert isinstance(done, LoggedIn)
    return done


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example/cb",
        "https://app.example/cb?fixed=1&more=2",
        "https://app.example/cb?fixed=1#fragment",
        "https://app.example:443/cb?fixed=1",
        "https://APP.example/cb?fixed=1",
        "https://app.example/cb/?fixed=1",
        "https://app.example.evil.example/cb?fixed=1",
        "https://evil.example/?u=https://app.example/cb?fixed=1",
        "javascript:alert(1)",
    ],
)
def test_redirect_uri_is_compared_exactly_and_never_redirected_to_otherwise(world: World, uri: str) -> None:
    with pytest.raises(ServerError, match="redirect_uri"):
        world.authorize(redirect_uri=uri)
    with pytest.raises(ServerError, match="redirect_uri"):  # not for an error either
        world.authorize(redirect_uri=uri, response_type="no-such-type")


def test_an_unknown_client_is_never_redirected(world: World) -> None:
    with pytest.raises(ServerError, match="Client not found"):
        world.authorize(client_id="nobody")


@pytest.mark.parametrize("name", ["client_id", "redirect_uri", "state", "scope", "code_challenge"])
def test_a_repeated_parameter_is_refused_without_a_redirect(world: World, name: str) -> None:
    pairs = [("client_id", "spa"), ("redirect_uri", CALLBACK), ("response_type", "code"), (name, "x"), (name, "x")]
    with pytest.raises(ServerError, match="duplicated parameter"):
        world.visit(pairs)


def test_the_only_registered_redirect_uri_may_be_left_out(world: World) -> None:
    assert isinstance(world.authorize(redirect_uri=None), LoginNeeded)
    world.clients = (replace(SPA, redirect_uris=(CALLBACK, "https://app.example/two")),)
    with pytest.raises(ServerError, match="redirect_uri"):
        world.authorize(redirect_uri=None)


@pytest.mark.parametrize(
    ("registered", "uri", "expected"),
    [
        ("http://127.0.0.1/cb", "http://127.0.0.1:5123/cb", True),
        ("http://127.0.0.1:80/cb", "http://127.0.0.1:5123/cb", True),
        ("http://127.0.0.1/cb", "http://127.0.0.1:5123/other", False),
        ("http://127.0.0.1/cb", "http://localhost:5123/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1.evil.example/cb", False),
        ("http://127.0.0.1/cb", "http://127.0.0.1:80@evil.example/cb", False),
        ("http://127.0.0.1/*", "http://127.0.0.1:5123/any/path?q=1", True),
        ("http://127.0.0.1/*", "http://127.0.0.1\\@evil.example/", False),
        ("http://127.0.0.1/app/*", "http://127.0.0.1/app/../admin", False),
        ("http://127.0.0.1/app/*", "http://127.0.0.1/app/%2e%2E/admin", False),
        ("http://127.0.0.1/app/*", "http://127.0.0.1/other", False),
        ("http://127.0.0.1/*", "https://127.0.0.1/cb", False),
        ("http://127.0.0.1/*", "http://127.0.0.1/cb#fragment", False),
        ("https://app.example/*", "https://app.example/cb", False),
        ("https://app.example/cb", "https://app.example:8443/cb", False),
    ],
)
def test_only_on_loopback_is_the_port_free_and_the_path_open(registered: str, uri: str, expected: bool) -> None:
    assert is_registered(uri, (registered,)) is expected


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unauthorized_client"),
        ({"response_type": "code id_token"}, "unauthorized_client"),
        ({"response_type": "other"}, "unsupported_response_type"),
        ({"scope": "openid other"}, "invalid_scope"),
        ({"response_mode": "other"}, "invalid_request"),
        ({"request": "a.b.c"}, "request_not_supported"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "x" * 44}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
    ],
)
def test_what_the_client_did_wrong_is_told_to_the_client(
    world: World, changes: dict[str, str | None], error: str
) -> None:
    outcome = world.authorize(**changes)
    assert isinstance(outcome, Response)
    location = outcome.header("location") or ""
    assert location.startswith("https://app.example/cb")
    assert f"error={error}" in location
    assert "state=a-state" in location
    assert "iss=" in location


def test_plain_pkce_is_refused_also_where_none_is_required(world: World) -> None:
    assert refused(world.authorize(client_id="app", code_challenge_method="plain")) == "invalid_request"


def test_the_callback_brings_code_state_and_issuer_and_keeps_the_registered_query(world: World) -> None:
    done = logged_in(world)
    assert done.response.status == 303
    brought = callback(done.response)
    assert (brought["fixed"], brought["state"], brought["iss"]) == ("1", "a-state", ISSUER)
    assert len(brought["code"]) >= 43


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
    with pytest.raises(ServerError, match="not the one that was sent"):
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


def test_an_authorization_request_that_is_too_long_is_told_to_the_person(world: World) -> None:
    with pytest.raises(ServerError, match="too long"):
        world.authorize(state="x" * 40_000)


@pytest.mark.parametrize(
    "uri", ["http://127.0.0.1/\u2603", "http://127.0.0.1/caf\u00e9", "http://127.0.0.1/a b", "http://127.0.0.1/\x7f"]
)
def test_a_redirect_uri_beyond_ascii_is_refused(world: World, uri: str) -> None:
    world.clients = (replace(SPA, redirect_uris=("http://127.0.0.1/*",)),)
    with pytest.raises(ServerError, match="redirect_uri"):
        world.authorize(redirect_uri=uri)
    with pytest.raises(UsageError, match="percent-encode"):
        replace(SPA, redirect_uris=(uri,))


def test_a_location_holds_nothing_beyond_ascii() -> None:
    location = redirect("https://app.example/caf\u00e9/\u2603?q=%20&\u00fc=1", {"state": "\u2603"}).header("location")
    assert location == "https://app.example/caf%C3%A9/%E2%98%83?q=%20&%C3%BC=1&state=%E2%98%83"


def test_a_form_without_its_csrf_token_is_refused(world: World) -> None:
    needed = world.authorize()
    assert isinstance(needed, LoginNeeded)
    with pytest.raises(ServerError, match="not the one that was sent"):
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
    for changed in (one.browser[:-1], one.browser[1:], "A" + one.browser[1:], one.browser[:-1] + "_"):
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


def test_an_authorization_request_may_be_posted(world: World) -> None:
    form = {"client_id": "spa", "redirect_uri": CALLBACK, "response_type": "token", "state": "posted"}
    request = Request("POST", ENDPOINTS.authorization, (("Content-Type", FORM),), tuple(form.items()))
    answer = run(authorize(request, world.at, Cookies()), world.perform)
    assert isinstance(answer, Response)
    assert "state=posted" in (answer.header("location") or "")


def test_what_only_the_person_is_told_has_status_400(world: World) -> None:
    needed, other = world.authorize(), world.authorize()
    assert isinstance(needed, LoginNeeded)
    assert isinstance(other, LoginNeeded)
    calls: list[Callable[[], object]] = [
        lambda: world.authorize(client_id="nobody"),
        lambda: world.authorize(client_id=None),
        lambda: world.authorize(redirect_uri="https://evil.example/"),
        lambda: world.authorize(state="x" * 40_000),
        lambda: world.fill_in(needed, browser=other.browser),
        lambda: world.fill_in(needed, browser=""),
        lambda: world.fill_in(needed, csrf="guessed"),
        lambda: world.fill_in(needed, csrf=""),
        lambda: world.fill_in(needed, transaction="garbage"),
        lambda: world.fill_in(needed, transaction=""),
        lambda: world.fill_in(needed, headers=(("Origin", "null"),)),
    ]
    for call in calls:
        with pytest.raises(ServerError) as caught:
            call()
        assert caught.value.status == 400


def test_a_form_without_a_name_or_a_password_is_a_wrong_one(world: World) -> None:
    needed = world.authorize()
    assert isinstance(needed, LoginNeeded)
    for again in (world.fill_in(needed, password=""), world.fill_in(needed, username="")):
        assert isinstance(again, LoginNeeded)
        assert again.failed


def test_nothing_of_a_browser_shows_its_secrets(world: World) -> None:
    done = logged_in(world)
    cookies = Cookies("the browser's id", done.session_key)
    for value, secret in ((cookies, "browser's id"), (cookies, done.session_key), (done, done.session_key)):
        assert secret not in repr(value)


def test_every_login_is_a_new_session_with_a_new_key(world: World) -> None:
    one, two = logged_in(world), logged_in(world)
    assert one.session_key != two.session_key
    assert callback(one.response)["session_state"] != callback(two.response)["session_state"]


def test_a_browser_that_is_logged_in_is_not_asked_again(world: World) -> None:
    done = logged_in(world)
    cookies = Cookies(session=done.session_key)
    again = world.authorize(cookies, client_id="app", prompt="none")
    assert isinstance(again, Response)
    assert callback(again)["session_state"] == callback(done.response)["session_state"]
    assert isinstance(world.authorize(cookies, prompt="login"), LoginNeeded)
    assert isinstance(world.authorize(cookies, max_age="0"), Response)
    world.advance(1)
    assert isinstance(world.authorize(cookies, max_age="0"), LoginNeeded)
    assert refused(world.authorize(cookies, max_age="soon")) == "invalid_request"


def test_a_key_nobody_gave_out_is_no_session(world: World) -> None:
    assert isinstance(world.authorize(Cookies(session="guessed")), LoginNeeded)


def test_a_client_without_the_code_grant_has_no_login(world: World) -> None:
    world.clients = (replace(APP, grants=frozenset({"password"})),)
    with pytest.raises(ServerError, match="Client not found"):
        world.authorize(client_id="app")


def test_nothing_that_waits_for_a_login_shows_its_secrets(world: World) -> None:
    needed = world.authorize()
    assert isinstance(needed, LoginNeeded)
    assert needed.csrf not in repr(needed)
    assert needed.browser not in repr(needed)


def test_form_post_sends_the_answer_in_a_form_and_nothing_in_a_url(world: World) -> None:
    needed = world.authorize(response_mode="form_post", state='"><script>alert(1)</script>')
    assert isinstance(needed, LoginNeeded)
    done = world.fill_in(needed)
    assert isinstance(done, LoggedIn)
    assert (done.response.status, done.response.header("location")) == (200, None)
    page = done.response.body.decode()
    (form,) = forms(page, ISSUER)
    assert (form.action, form.method) == (CALLBACK, "post")
    assert set(form.fields) == {"state", "session_state", "iss", "code"}
    assert form.fields["state"] == '"><script>alert(1)</script>'
    assert page.count("<script") == 1  # its own
    assert world.exchange(form.fields["code"]).status == 200


def test_form_post_runs_its_own_script_and_no_other(world: World) -> None:
    answer = world.authorize(response_mode="form_post", prompt="none")
    assert isinstance(answer, Response)
    script = answer.body.decode().partition("<script>")[2].partition("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in (answer.header("content-security-policy") or "")
    assert forms(answer.body.decode(), ISSUER)[0].fields["error"] == "login_required"
