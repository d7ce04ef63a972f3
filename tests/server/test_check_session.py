"""The frame that says whether a browser still has its session, as the server answers it."""

import pytest

from doorkey.errors import InvalidRequest
from doorkey.server.clients.redirect_uris import is_origin_of
from doorkey.server.endpoints.check_session import check_session, session_frame, session_script
from doorkey.server.endpoints.forms import Cookies
from doorkey.server.endpoints.login import LoggedIn, LoginNeeded
from doorkey.wire.flow import run
from doorkey.wire.messages import FORM, Pairs, Request
from tests.server.world import ENDPOINTS, World

APP = "https://app.example"


@pytest.fixture
def world() -> World:
    return World()


def logged_in(world: World) -> tuple[str, Cookies]:
    """Log in, and return the `session_state` and the cookies of the browser."""
    needed = world.authorize()
    assert isinstance(needed, LoginNeeded)
    done = world.fill_in(needed)
    assert isinstance(done, LoggedIn)
    location = done.response.header("location") or ""
    return location.partition("session_state=")[2].partition("&")[0], Cookies(session=done.session_key)


def said(world: World, form: dict[str, str], cookies: Cookies, headers: Pairs = ()) -> str:
    request = Request("POST", ENDPOINTS.check_session, (("Content-Type", FORM), *headers), tuple(form.items()))
    response = run(check_session(request, world.at, cookies), world.perform)
    assert (response.status, response.header("cache-control")) == (200, "no-store")
    return response.body.decode()


def test_a_session_that_is_there_is_unchanged_and_one_that_has_ended_is_changed(world: World) -> None:
    state, cookies = logged_in(world)
    form = {"client_id": "spa", "origin": APP, "session_state": state}
    assert said(world, form, cookies) == "unchanged"
    assert said(world, {**form, "session_state": "another"}, cookies) == "changed"
    assert said(world, form, Cookies()) == "changed"
    assert said(world, form, Cookies(session="unknown")) == "changed"
    world.advance(world.settings.session_max + 1)
    assert said(world, form, cookies) == "changed"


@pytest.mark.parametrize(
    "change", [{"client_id": "unknown"}, {"client_id": ""}, {"origin": "https://evil.example"}, {"origin": ""}]
)
def test_a_page_of_another_origin_learns_nothing(world: World, change: dict[str, str]) -> None:
    state, cookies = logged_in(world)
    assert said(world, {"client_id": "spa", "origin": APP, "session_state": state, **change}, cookies) == "error"


@pytest.mark.parametrize("headers", [(("Origin", "https://evil.example"),), (("Sec-Fetch-Site", "cross-site"),)])
def test_only_the_frame_itself_may_ask(world: World, headers: Pairs) -> None:
    state, cookies = logged_in(world)
    with pytest.raises(InvalidRequest, match="another site"):
        said(world, {"client_id": "spa", "origin": APP, "session_state": state}, cookies, headers)


def test_the_frame_has_one_script_and_any_page_may_load_it(world: World) -> None:
    frame = run(session_frame(Request("GET", ENDPOINTS.check_session), world.at), world.perform)
    assert b'<script src="/realms/one/check_session.js"></script>' in frame.body
    policy = frame.header("content-security-policy") or ""
    assert "default-src 'none'" in policy
    assert "frame-ancestors" not in policy
    script = run(session_script(Request("GET", ENDPOINTS.check_session_script), world.at), world.perform)
    assert (script.header("content-type") or "").startswith("text/javascript")


@pytest.mark.parametrize(
    ("origin", "registered", "expected"),
    [
        ("https://app.example", "https://app.example/cb", True),
        ("https://app.example:8443", "https://app.example/cb", False),
        ("http://app.example", "https://app.example/cb", False),
        ("https://app.example.evil.example", "https://app.example/cb", False),
        ("http://127.0.0.1:8123", "http://127.0.0.1/*", True),
        ("http://127.0.0.1:8123", "http://127.0.0.1:8000/cb", True),
        ("https://127.0.0.1:8123", "http://127.0.0.1/cb", False),
        ("http://localhost:8123", "http://127.0.0.1/cb", False),
        ("http://[::1", "http://[::1]/cb", False),
        ("null", "https://app.example/cb", False),
    ],
)
def test_the_origins_of_a_client_are_those_of_its_redirect_uris(origin: str, registered: str, expected: bool) -> None:
    assert is_origin_of(origin, (registered,)) is expected
