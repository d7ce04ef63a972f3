from collections.abc import Callable
from dataclasses import replace

import pytest

from doorkey.errors import ServerError, UsageError
from doorkey.server.clients.redirect_uris import is_registered
from doorkey.server.endpoints.authorize import authorize
from doorkey.server.endpoints.forms import Cookies
from doorkey.server.endpoints.login import LoggedIn, LoginNeeded
from doorkey.server.endpoints.script import script
from doorkey.server.responses.responses import redirect
from doorkey.wire.flow import run
from doorkey.wire.messages import FORM, Request, Response
from tests.server.world import APP, CALLBACK, ENDPOINTS, ISSUER, SPA, World, callback
from tests.servers.browser import forms
from tests.support.page_reading import Page


@pytest.fixture
def world() -> World:
    return World()


def refused(outcome: object) -> str:
    assert isinstance(outcome, Response)
    return callback(outcome)["error"]


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


def test_the_only_registered_redirect_uri_may_be_omitted(world: World) -> None:
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
        ({"request_uri": "https://app.example/request"}, "request_uri_not_supported"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": "x" * 44}, "invalid_request"),
        ({"prompt": "none"}, "login_required"),
        ({"prompt": "none login"}, "invalid_request"),
    ],
)
def test_an_error_of_the_client_is_sent_to_the_client(world: World, changes: dict[str, str | None], error: str) -> None:
    outcome = world.authorize(**changes)
    assert isinstance(outcome, Response)
    location = outcome.header("location") or ""
    assert location.startswith("https://app.example/cb")
    assert f"error={error}" in location
    assert "state=a-state" in location
    assert "iss=" in location


def test_only_a_client_that_must_use_pkce_is_refused_without_it(world: World) -> None:
    without: dict[str, str | None] = {"code_challenge": None, "code_challenge_method": None}
    assert isinstance(world.authorize(client_id="app", **without), LoginNeeded)
    assert refused(world.authorize(client_id="spa", **without)) == "invalid_request"
    for half in without:
        assert refused(world.authorize(client_id="app", **{half: None})) == "invalid_request"


def test_plain_pkce_is_refused_also_where_none_is_required(world: World) -> None:
    assert refused(world.authorize(client_id="app", code_challenge_method="plain")) == "invalid_request"


@pytest.mark.parametrize(
    ("changes", "description"),
    [
        ({"code_challenge_method": None}, "Missing parameter: code_challenge_method"),
        (
            {"code_challenge_method": "plain"},
            "Invalid parameter: code challenge method is not matching the configured one",
        ),
        ({"code_challenge": None}, "Missing parameter: code_challenge"),
        ({"code_challenge": "x" * 42}, "Invalid parameter: code_challenge"),
    ],
)
def test_a_refusal_of_the_code_challenge_names_the_parameter(
    world: World, changes: dict[str, str | None], description: str
) -> None:
    outcome = world.authorize(**changes)
    assert isinstance(outcome, Response)
    brought = callback(outcome)
    assert (brought["error"], brought["error_description"]) == ("invalid_request", description)


@pytest.mark.parametrize("cookies", [Cookies(), Cookies(session="no-session")])
def test_a_browser_without_a_session_logs_in_whatever_the_age_and_class_of_the_login_may_be(
    world: World, cookies: Cookies
) -> None:
    for asked in ({"max_age": "0"}, {"max_age": "3600"}, {"acr_values": "1"}, {"prompt": "login"}):
        assert isinstance(world.authorize(cookies, **asked), LoginNeeded)
        assert refused(world.authorize(cookies, **{**asked, "prompt": "none"})) == "login_required"


def test_a_class_that_the_realm_does_not_have_is_no_reason_to_log_in_again(world: World) -> None:
    cookies = Cookies(session=world.logged_in().session_key)
    assert isinstance(world.authorize(cookies, acr_values="urn:unknown"), Response)
    assert isinstance(world.authorize(cookies, acr_values="urn:unknown 1"), Response)


def test_a_session_of_a_user_that_was_removed_is_none(world: World) -> None:
    cookies = Cookies(session=world.logged_in().session_key)
    assert isinstance(world.authorize(cookies), Response)
    world.users = ()
    assert isinstance(world.authorize(cookies), LoginNeeded)
    assert refused(world.authorize(cookies, prompt="none")) == "login_required"


def test_the_callback_brings_code_state_and_issuer_and_keeps_the_registered_query(world: World) -> None:
    done = world.logged_in()
    assert done.response.status == 303
    brought = callback(done.response)
    assert (brought["fixed"], brought["state"], brought["iss"]) == ("1", "a-state", ISSUER)
    assert len(brought["code"]) >= 43


def test_an_authorization_request_that_is_too_long_is_an_error_page(world: World) -> None:
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


def test_an_authorization_request_may_be_posted(world: World) -> None:
    form = {"client_id": "spa", "redirect_uri": CALLBACK, "response_type": "token", "state": "posted"}
    request = Request("POST", ENDPOINTS.authorization, (("Content-Type", FORM),), tuple(form.items()))
    answer = run(authorize(request, world.at, Cookies()), world.perform)
    assert isinstance(answer, Response)
    assert "state=posted" in (answer.header("location") or "")


def test_an_error_page_has_status_400(world: World) -> None:
    calls: list[Callable[[], object]] = [
        lambda: world.authorize(client_id="nobody"),
        lambda: world.authorize(client_id=None),
        lambda: world.authorize(redirect_uri="https://evil.example/"),
        lambda: world.authorize(state="x" * 40_000),
    ]
    for call in calls:
        with pytest.raises(ServerError) as caught:
            call()
        assert caught.value.status == 400


def test_a_browser_that_is_logged_in_is_not_asked_again(world: World) -> None:
    done = world.logged_in()
    cookies = Cookies(session=done.session_key)
    again = world.authorize(cookies, client_id="app", prompt="none")
    assert isinstance(again, Response)
    assert callback(again)["session_state"] == callback(done.response)["session_state"]
    assert isinstance(world.authorize(cookies, prompt="login"), LoginNeeded)
    assert isinstance(world.authorize(cookies, max_age="0"), Response)
    world.advance(1)
    assert isinstance(world.authorize(cookies, max_age="0"), LoginNeeded)
    assert refused(world.authorize(cookies, max_age="soon")) == "invalid_request"


def test_an_unknown_session_key_is_no_session(world: World) -> None:
    assert isinstance(world.authorize(Cookies(session="guessed")), LoginNeeded)


def test_a_client_without_the_code_grant_has_no_login(world: World) -> None:
    world.clients = (replace(APP, grants=frozenset({"password"})),)
    with pytest.raises(ServerError, match="Client not found"):
        world.authorize(client_id="app")


def test_form_post_sends_the_response_in_a_form_and_nothing_in_a_url(world: World) -> None:
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


def test_form_post_loads_the_script_of_the_pages_and_no_other(world: World) -> None:
    answer = world.authorize(response_mode="form_post", prompt="none")
    assert isinstance(answer, Response)
    page = Page(answer.body.decode())
    assert page.all("script") == [{"src": ENDPOINTS.script, "defer": None}]
    assert f"; script-src {ENDPOINTS.script}; " in (answer.header("content-security-policy") or "")
    assert page.all("button") == [{"type": "submit", "id": "continue"}]  # works where scripts are off
    assert forms(answer.body.decode(), ISSUER)[0].fields["error"] == "login_required"


def test_the_script_of_the_pages_is_a_script_and_may_be_cached(world: World) -> None:
    answer = run(script(Request("GET", ENDPOINTS.script), world.at), world.perform)
    assert (answer.status, answer.header("content-type")) == (200, "text/javascript;charset=utf-8")
    assert b'getElementById("continue").click()' in answer.body
    assert "max-age" in (answer.header("cache-control") or "")
