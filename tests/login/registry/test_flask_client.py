"""`doorkey.integrations.flask_client`: what only Flask has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import flask
import pytest
from anyio.from_thread import BlockingPortal

from doorkey.errors import UsageError
from doorkey.integrations import flask_client
from doorkey.integrations.flask_client import FlaskIntegration, FlaskOAuth2App, OAuth, apps, token_update
from tests.support.openid_provider import CLIENT, SUB, OpenIDProvider
from tests.support.registries import NAME, Steps, Visit, World


@pytest.fixture
def world(provider: OpenIDProvider, portal: BlockingPortal) -> World:
    return World("flask", provider, portal)


@pytest.fixture
def app() -> flask.Flask:
    application = flask.Flask("tests")
    application.secret_key = "of the session cookie"
    return application


@pytest.fixture
def signals() -> Iterator[list[dict[str, Any]]]:
    """The signals that were sent."""
    sent: list[dict[str, Any]] = []

    def receive(sender: Any, **values: Any) -> None:
        sent.append({"sender": sender, **values})

    token_update.connect(receive)
    yield sent
    token_update.disconnect(receive)


def test_the_names_of_the_package() -> None:
    assert issubclass(FlaskOAuth2App, apps.FlaskOAuth2App)
    assert OAuth.oauth2_client_cls is FlaskOAuth2App
    assert OAuth.framework_integration_cls is FlaskIntegration
    assert flask_client.__all__ == ["FlaskIntegration", "FlaskOAuth2App", "OAuth", "OAuthError", "token_update"]


def test_the_registry_is_an_extension_of_the_application(app: flask.Flask) -> None:
    oauth = OAuth(app)
    assert app.extensions["doorkey.integrations.flask_client"] is oauth
    assert oauth.app is app


def test_a_registration_before_the_application_is_a_lazy_client(app: flask.Flask) -> None:
    oauth = OAuth()
    client = oauth.register(NAME, client_id="c")
    with pytest.raises(UsageError, match=r"call oauth.init_app\(app\) first"):
        client.get("https://api.example")
    with pytest.raises(UsageError, match="has no application yet"):
        oauth.create_client(NAME)
    app.config["OP_CLIENT_SECRET"] = "of-the-settings"
    oauth.init_app(app)
    assert (client.client_id, client.client_secret) == ("c", "of-the-settings")
    assert client == oauth.create_client(NAME)


def test_init_app_replaces_what_it_names(app: flask.Flask) -> None:
    oauth = OAuth(cache="a cache", fetch_token=len, update_token=max)
    oauth.init_app(app)
    assert (oauth.cache, oauth.fetch_token, oauth.update_token) == ("a cache", len, max)
    oauth.init_app(app, cache="another", fetch_token=min, update_token=sum)
    assert (oauth.cache, oauth.fetch_token, oauth.update_token) == ("another", min, sum)


def test_the_settings_of_the_application_are_options(app: flask.Flask) -> None:
    config: Any = app.config
    config.update(
        OP_CLIENT_ID="of-the-settings", OP_CLIENT_KWARGS={"scope": "openid"}, OP_API_BASE_URL="https://a.example/"
    )
    oauth = OAuth(app)
    client = oauth.register(NAME, client_secret="s")
    assert (client.client_id, client.api_base_url) == ("of-the-settings", "https://a.example/")
    assert client.client_kwargs == {"scope": "openid"}
    assert oauth.register("other", client_id="own").client_id == "own"


def test_a_second_application_has_clients_of_its_own_settings(app: flask.Flask) -> None:
    app.config["OP_CLIENT_ID"] = "first"
    oauth = OAuth(app)
    assert oauth.register(NAME).client_id == "first"
    second = flask.Flask("second")
    second.config["OP_CLIENT_ID"] = "second"
    oauth.init_app(second)
    assert oauth.create_client(NAME).client_id == "second"
    oauth.init_app(second)
    assert oauth.op is oauth.create_client(NAME)


def test_requests_without_a_token_use_that_of_the_login(world: World) -> None:
    browser = world.browser()
    response = world.answer(world.begin(browser))

    def view(visit: Visit) -> Steps:
        token = yield visit.client.authorize_access_token()
        info = yield visit.client.userinfo()
        answer = yield visit.client.get(world.provider.server.url("/userinfo"))
        return token, info, answer, visit.client.token

    token, info, answer, own = world.ask(view, browser, query=response)
    assert own is token
    assert info["sub"] == answer.json()["sub"] == SUB


def test_the_token_belongs_to_one_request(world: World) -> None:
    world.log_in()

    def view(visit: Visit) -> Steps:
        yield None
        return visit.client.token

    assert world.ask(view) is None


def test_the_token_of_a_request_can_be_assigned(world: World) -> None:
    def view(visit: Visit) -> Steps:
        visit.client.token = {"access_token": "assigned"}
        yield visit.client.get(world.provider.server.url("/userinfo"))

    world.visit(view)
    assert world.provider.server.to("/userinfo")[-1].token == "assigned"


def test_fetch_token_is_called_once_in_a_request(world: World) -> None:
    asked: list[str] = []

    def fetch_token(name: str) -> dict[str, Any]:
        asked.append(name)
        return {"access_token": "stored"}

    world.registry(fetch_token=fetch_token)

    def view(visit: Visit) -> Steps:
        yield None
        return visit.client.token, visit.client.token

    assert world.ask(view)[0] == {"access_token": "stored"}
    assert asked == [NAME]


def test_outside_of_a_request_fetch_token_is_asked(world: World) -> None:
    def fetch_token(_: str) -> dict[str, Any]:
        return {"access_token": "stored"}

    world.registry(fetch_token=fetch_token)
    client = world.register()
    assert client.token == {"access_token": "stored"}
    client.get(world.provider.server.url("/userinfo"))
    assert world.provider.server.to("/userinfo")[-1].token == "stored"


def test_a_renewed_token_is_that_of_the_request_and_is_signaled(world: World, signals: list[dict[str, Any]]) -> None:
    past = int(world.provider.clock()) - 10
    old = {"access_token": "old", "refresh_token": "rt", "expires_at": past}

    def view(visit: Visit) -> Steps:
        yield visit.client.get(world.provider.server.url("/userinfo"), token=old)
        return visit.client.token

    token = world.ask(view)
    (signal,) = signals
    assert signal["token"] == token
    assert (signal["name"], signal["refresh_token"], signal["access_token"]) == (NAME, "rt", None)
    assert signal["sender"] is world.oauth.app


def test_a_renewal_outside_of_a_request_is_signaled_too(world: World, signals: list[dict[str, Any]]) -> None:
    past = int(world.provider.clock()) - 10
    world.client.get(
        world.provider.server.url("/userinfo"),
        token={"access_token": "old", "refresh_token": "rt", "expires_at": past},
    )
    assert [signal["name"] for signal in signals] == [NAME]


def test_an_application_without_a_secret_key_says_what_to_set(world: World) -> None:
    world.registry()
    world.oauth.app.secret_key = None
    with pytest.raises(UsageError, match="set the application's SECRET_KEY"):
        world.begin(world.browser())


def test_the_http_session_is_that_of_requests_or_of_httpx2(monkeypatch: pytest.MonkeyPatch) -> None:
    from doorkey.integrations.base_client import session_classes
    from doorkey.integrations.httpx_client import OAuth2Client
    from doorkey.integrations.requests_client import OAuth2Session

    assert session_classes.default_session_class() is FlaskOAuth2App.client_cls is OAuth2Session

    def find_nothing(_: str) -> None:
        return None

    monkeypatch.setattr(session_classes, "find_spec", find_nothing)
    assert session_classes.default_session_class() is OAuth2Client


def test_a_login_with_httpx2(world: World) -> None:
    from doorkey.integrations.httpx_client import OAuth2Client

    kind = type("OnHttpx2", (FlaskOAuth2App,), {"client_cls": OAuth2Client})
    world.register(client_cls=kind, client_kwargs={"scope": "openid", "timeout": 20.0})
    token = world.log_in()
    assert world.call("userinfo", token=token)["sub"] == SUB
    assert world.client.client_id == CLIENT


@pytest.mark.parametrize("httpx_timeout", [True, False])
def test_the_timeout_of_client_kwargs_is_that_of_requests(world: World, *, httpx_timeout: bool) -> None:
    import httpx2

    timeout: Any = httpx2.Timeout(7.0, connect=3.0) if httpx_timeout else 7.0
    world.register(client_kwargs={"scope": "openid", "timeout": timeout})
    world.log_in()
    assert world.client._sets._sets[-1].origin.default_timeout == ((3.0, 7.0) if httpx_timeout else 7.0)
