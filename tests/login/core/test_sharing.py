"""One registration for all users: one connection pool, one set of metadata and keys, and a token for each user."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
import requests
from anyio.from_thread import BlockingPortal
from requests.adapters import BaseAdapter

from doorkey.errors import UsageError
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.login import AsyncLoginClient, LoginClient, LoginResult
from doorkey.login.errors import LoginReplayed
from doorkey.oidc.core import TenantIssuer
from tests.login.core.conftest import Application
from tests.support.every_adapter import together
from tests.support.hostile_server import Exchange, Whole, reply
from tests.support.openid_provider import CLIENT, HOME, SECRET, SUB, OpenIDProvider

TOKEN = {"access_token": "at", "token_type": "Bearer"}


@Whole
def echo_token(exchange: Exchange) -> None:
    """Answer with the token that came."""
    exchange.send(reply(200, exchange.request.token or "none"))


def test_ten_logins_at_a_cold_start_fetch_the_metadata_and_the_keys_once(app: Application) -> None:
    app.client()
    results = together(10, app.log_in)
    assert [result.sub for result in results] == [SUB] * 10
    assert app.provider.request_count("/.well-known/openid-configuration") == 1
    assert app.provider.request_count("/jwks") == 1
    assert app.provider.request_count("/token") == 10


def test_the_metadata_of_a_provider_is_one_value_for_all_users(app: Application) -> None:
    client = app.client()
    first = app.call(client.discover)
    assert first is app.call(client.discover)
    app.log_in()
    assert first is app.call(client.discover)
    assert first.token_endpoint == app.provider.metadata["token_endpoint"]


def test_logins_at_a_multi_tenant_server_share_its_metadata_too(app: Application) -> None:
    tenants = TenantIssuer(app.provider.server.url("/{tenantid}"), tenants=["t-1"])
    metadata = {**app.provider.metadata, "issuer": app.provider.server.url("/{tenantid}")}
    app.provider.server.on("/common/.well-known/openid-configuration", reply(json=metadata))
    app.provider.changed = {"iss": app.provider.server.url("/t-1"), "tid": "t-1"}
    app.client(issuer=app.provider.server.url("/common"), tenant_issuer=tenants)
    results = [app.log_in() for _ in range(3)]
    assert [result.iss for result in results] == [app.provider.server.url("/t-1")] * 3
    assert app.provider.request_count("/common/.well-known/openid-configuration") == 1
    assert app.provider.request_count("/jwks") == 1


def test_twenty_calls_of_twenty_users_use_one_connection(app: Application) -> None:
    app.provider.server.on("/api", echo_token)
    client = app.client()
    told: list[str] = []
    for number in range(20):
        session = client.session({**TOKEN, "access_token": f"at-of-{number}"})
        told.append(app.get(session, app.provider.server.url()).text)
        app.call(session.aclose if app.adapter.kind.is_async else session.close)
    assert told == [f"at-of-{number}" for number in range(20)]
    assert app.provider.server.accepted == 1


def test_forty_calls_at_once_leave_connections_for_the_next_forty(app: Application) -> None:
    arrived = threading.Barrier(40)

    @Whole
    def when_all_are_there(exchange: Exchange) -> None:
        arrived.wait(30)
        exchange.send(reply(200, exchange.request.token or "none"))

    app.provider.server.on("/api", when_all_are_there)
    client = app.client()
    for _ in range(2):
        told = together(40, lambda: app.get(client.session(TOKEN), app.provider.server.url()).text)
        assert told == ["at"] * 40
        assert app.provider.server.accepted == 40


def test_a_login_and_the_calls_after_it_use_one_connection(app: Application) -> None:
    app.provider.server.on("/api", echo_token)
    result = app.log_in()
    session = app.native.session(result.token)
    assert app.get(session, app.provider.server.url()).text == result.token["access_token"]
    assert app.call(app.native.userinfo, result.token)["sub"] == SUB
    assert app.provider.server.accepted == 1


def test_sessions_of_two_users_have_their_own_cookies_and_headers(app: Application) -> None:
    app.provider.server.on("/api", reply(200, "", {"Set-Cookie": "who=alice; Path=/"}))
    alice, bob = app.native.session(TOKEN), app.native.session(TOKEN)
    alice.headers["X-Only"] = "alice"
    app.get(alice, app.provider.server.url())
    app.get(alice, app.provider.server.url())
    app.get(bob, app.provider.server.url())
    seen = [(one.header("cookie"), one.header("x-only")) for one in app.provider.server.to("/api")]
    assert seen == [(None, "alice"), ("who=alice", "alice"), (None, None)]
    assert "X-Only" not in app.native.session().headers


def test_a_session_has_the_settings_and_hooks_of_the_registration_and_its_own_options(app: Application) -> None:
    saved: list[str] = []

    def save(token: Any, refresh_token: Any = None, access_token: Any = None) -> None:
        saved.append(token["access_token"])

    client = app.client(headers={"X-App": "ours"}) if app.adapter.kind.name != "requests" else app.client()
    expired = {**TOKEN, "refresh_token": "rt-0", "expires_at": 1}
    session = client.session(expired, update_token=app.adapter.function(save))
    app.provider.server.on("/api", echo_token)
    assert app.get(session, app.provider.server.url()).text == saved[0] == "at-1"
    if app.adapter.kind.name != "requests":
        assert app.provider.server.to("/api")[0].header("x-app") == "ours"
    assert client.session().token is None
    assert type(session) is app.adapter.kind.make


def test_one_callback_in_many_threads_is_finished_once(app: Application) -> None:
    begun = app.begin()
    callback = app.provider.log_in(begun.url)
    outcomes = together(8, lambda: app.finish(callback, begun.pending))
    assert sum(isinstance(one, LoginResult) for one in outcomes) == 1
    assert sum(isinstance(one, LoginReplayed) for one in outcomes) == 7
    assert app.provider.request_count("/token") == 1


def test_32_logins_at_once_have_their_own_tokens(app: Application) -> None:
    app.client()
    barrier = threading.Barrier(32)

    def log_in() -> tuple[str, str]:
        begun = app.begin()
        callback = app.provider.log_in(begun.url)
        barrier.wait(30)  # all are at the provider now
        result = app.finish(callback, begun.pending)
        assert result.claims is not None
        assert result.claims["nonce"] == begun.pending.transaction.nonce
        return result.token["access_token"], result.token["id_token"]

    tokens = together(32, log_in)
    assert len({token for pair in tokens for token in pair}) == 64


def test_one_client_serves_several_event_loops(provider: OpenIDProvider, portals: dict[str, BlockingPortal]) -> None:
    client = AsyncLoginClient(CLIENT, SECRET, issuer=provider.issuer, redirect_uri=HOME, clock=provider.clock)
    provider.server.on("/api", echo_token)
    for portal in [*portals.values()] * 2:
        begun = portal.call(client.begin)
        result = portal.call(client.finish, provider.log_in(begun.url), begun.pending)
        session = client.session(result.token)
        assert portal.call(session.get, provider.server.url()).text == result.token["access_token"]
    portals["asyncio"].call(client.aclose)
    assert provider.request_count("/.well-known/openid-configuration") == 1


class Echo(BaseAdapter):
    """Answers each request with the token that it carries, without a network."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        response = requests.Response()
        response.status_code, response.url = 200, request.url or ""
        response._content = (request.headers["Authorization"] or "").encode()
        return response

    def close(self) -> None:
        raise AssertionError("the adapters are those of the registration")


def on_requests() -> Any:
    client = requests.Session()
    client.mount("https://", Echo())
    return client


def on_httpx2() -> Any:
    echo = httpx2.MockTransport(lambda request: httpx2.Response(200, text=request.headers["Authorization"]))
    return httpx2.Client(transport=echo)


@pytest.mark.parametrize(("http_client", "times"), [(on_httpx2, 10_000), (on_requests, 1_000)])
def test_two_users_interleaved_ten_thousand_times_never_see_the_others_token(
    http_client: Callable[[], Any], times: int
) -> None:
    client = LoginClient(CLIENT, token_endpoint="https://as.example/token", http_client=http_client())
    kept = {name: client.session({**TOKEN, "access_token": name}) for name in ("alice", "bob")}

    def call(number: int) -> bool:
        name = ("alice", "bob")[number % 2]
        fresh = number % 10 < 2  # a session of this request, as web applications have
        session = client.session({**TOKEN, "access_token": name}) if fresh else kept[name]
        told: str = session.get("https://api.example/").text
        if fresh:
            session.close()
        return told == f"Bearer {name}"

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(call, range(times))) == times


def test_the_http_client_that_is_given_is_used_and_stays_open() -> None:
    given = on_httpx2()
    client = LoginClient(CLIENT, token_endpoint="https://as.example/token", http_client=given)
    with client, client.session(TOKEN) as session:
        assert session.get("https://api.example/").text == "Bearer at"
    assert not given.is_closed
    assert given.get("https://api.example/", headers={"Authorization": "x"}).text == "x"
    adapters = on_requests()
    adapters.proxies, adapters.verify, adapters.auth = {"https": "http://proxy.example"}, "/no/such/file", ("u", "p")
    with LoginClient(CLIENT, token_endpoint="https://as.example/token", http_client=adapters) as other:
        session = other.session(TOKEN)
    assert isinstance(session, OAuth2Session)
    assert (session.proxies, session.verify, session.auth) == (adapters.proxies, adapters.verify, None)
    assert session.proxies is not adapters.proxies


class OwnSession(OAuth2Session):
    """A session class of a program, with an attribute and a constructor of its own."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.base = "https://api.example"


def test_the_session_class_of_a_program_is_kept() -> None:
    with LoginClient(CLIENT, issuer="https://as.example", client_cls=OwnSession) as client:
        session = client.session()
        assert type(session) is OwnSession
        assert session.base == "https://api.example"
        assert session.scope == "openid"


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (LoginClient, {"client_cls": httpx2.AsyncClient}, "LoginClient needs a synchronous"),
        (AsyncLoginClient, {"client_cls": requests.Session}, "AsyncLoginClient an asynchronous"),
        (LoginClient, {"client_cls": dict}, "client_cls"),
        (LoginClient, {"client_cls": "requests"}, "client_cls"),
        (LoginClient, {"http_client": object()}, "client_cls"),
        (LoginClient, {"http_client": requests.Session(), "timeout": 3}, "timeout is an option of the HTTP client"),
        (LoginClient, {"issuer": None}, "provider is missing"),
        (LoginClient, {"nonce": "n"}, "nonce belongs to one user"),
        (LoginClient, {"token": TOKEN}, "token belongs to one user"),
        (LoginClient, {"fetch_userinfo": "yes"}, "fetch_userinfo"),
        (LoginClient, {"userinfo_compliance_fix": "yes"}, "userinfo_compliance_fix"),
        (LoginClient, {"no_such_option": 1}, "no_such_option"),
    ],
)
def test_wrong_options_are_refused_at_construction(kind: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        kind(CLIENT, SECRET, **{"issuer": "https://as.example", "redirect_uri": HOME, **options})


def test_a_login_without_a_redirect_uri_or_a_code_is_refused(app: Application) -> None:
    with pytest.raises(UsageError, match="redirect_uri"):
        app.call(app.client(redirect_uri=None).begin)
    with pytest.raises(UsageError, match="response_type"):
        app.call(app.client().begin, response_type="id_token")


def test_a_server_that_requires_pushed_requests_is_told_of_at_once(app: Application) -> None:
    metadata = {**app.provider.metadata, "require_pushed_authorization_requests": True}
    with pytest.raises(UsageError, match="RFC 9126"):
        app.call(app.client(issuer=None, metadata=metadata).begin)


def test_the_session_of_a_vault_has_no_siblings() -> None:
    from doorkey.sessions.siblings import sibling_of
    from doorkey.stores import MemoryStore
    from doorkey.vault import TokenVault

    session = TokenVault(MemoryStore(), client_id="c", token_endpoint="https://as.example/token").client("alice")
    with pytest.raises(UsageError, match="vault"):
        sibling_of(session)
