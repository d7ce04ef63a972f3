"""What a session may be constructed with: its own options, and every one of its HTTP client's."""

import threading
from collections.abc import Callable
from typing import Any

import httpx
import httpx2
import pytest
import requests
from anyio.from_thread import BlockingPortal
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar

from doorkey.errors import TransportError, UsageError
from doorkey.oauth2.client import OAuth2Client
from tests.support.every_adapter import KINDS, Adapter, adapter_of, together
from tests.support.hostile_server import Endless, Hostile, token

TOKEN = {"access_token": "at-1"}

on_requests = pytest.mark.parametrize("adapter", ["requests"], indirect=True)
on_httpx = pytest.mark.parametrize("adapter", [name for name in KINDS if name != "requests"], indirect=True)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("lee_way", "leeway"),
        ("client_secrets", "client_secret"),
        ("token_url", "token"),
        ("update_tokens", "update_token"),
        ("tokenendpoint", "token_endpoint"),
    ],
)
def test_an_unknown_option_names_the_nearest(adapter: Adapter, given: str, meant: str) -> None:
    with pytest.raises(UsageError, match=rf"no option '{given}': did you mean '{meant}"):
        adapter.client(**{given: "x"})


def test_an_option_like_no_other_is_an_error_too(adapter: Adapter) -> None:
    with pytest.raises(UsageError, match=r"no option 'zzzzzz'$"):
        adapter.client(zzzzzz=1)


@pytest.mark.parametrize("leeway", [-1, "60", True, [1]])
def test_a_leeway_is_a_number_of_seconds(adapter: Adapter, leeway: Any) -> None:
    with pytest.raises(UsageError, match="leeway"):
        adapter.client(leeway=leeway)


@pytest.mark.parametrize(
    "options",
    [
        {"client_id": 7},
        {"token": "at-1"},
        {"token": {"access_token": ""}},
        {"token": {}},
        {"metadata": "https://as.example"},
        {"metadata": []},
        {"scope": 7},
        {"scope": 'a"b'},
        {"token_endpoint_auth_method": 7},
        {"exchange": 7},
        {"clock": 7},
    ],
)
def test_a_value_that_cannot_be_is_a_usage_error(adapter: Adapter, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        adapter.client(**options)


def test_arguments_are_never_mutated(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())
    stored, scope = {"access_token": "at-1", "expires_in": 60}, ["a"]
    metadata = {"token_endpoint": hostile.token_endpoint}
    body, headers = {"x": "1"}, {"X-A": "1"}
    client = adapter.client(token=stored, scope=scope, metadata=metadata)
    client.fetch_token(body=body, headers=headers)
    assert (stored, scope) == ({"access_token": "at-1", "expires_in": 60}, ["a"])
    assert metadata == {"token_endpoint": hostile.token_endpoint}
    assert (body, headers) == ({"x": "1"}, {"X-A": "1"})


def test_options_may_be_given_in_the_documents_order(adapter: Adapter) -> None:
    native: Any = adapter.kind.make("id", "secret", "client_secret_post", None, "a b")
    assert native.client_id == "id"
    assert native.scope == "a b"
    adapter.adopt(native)


def test_a_session_shows_what_it_is(adapter: Adapter) -> None:
    native: Any = adapter.client("id", "s", scope=["a", "b"], redirect_uri="https://rp/cb", leeway=7).native
    assert isinstance(native, OAuth2Client)
    assert (native.client_id, native.scope, native.redirect_uri, native.leeway) == ("id", "a b", "https://rp/cb", 7)
    assert native.token is None


def test_a_timeout_of_one_call_holds_for_it(adapter: Adapter, hostile: Hostile) -> None:
    silent = Endless(b"HTTP/1.1 200 OK\r\n", b"", pause=0.05)
    hostile.on("/token", silent)
    with pytest.raises(TransportError):
        adapter.client(token_endpoint=hostile.token_endpoint).fetch_token(timeout=0.1)


# -- requests --------------------------------------------------------------------------------------------------------


class Recording(HTTPAdapter):
    """A transport adapter of a user's own."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def send(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        self.sent.append((request.url, kwargs))
        return super().send(request, timeout=kwargs["timeout"], proxies=kwargs["proxies"])


@on_requests
def test_the_session_is_a_requests_session_in_the_documents_order(adapter: Adapter) -> None:
    session: Any = adapter.client().native.__class__
    expected: Any = (session, OAuth2Client, requests.Session, requests.sessions.SessionRedirectMixin, object)
    assert session.__mro__ == expected
    assert session.__name__ == "OAuth2Session"


@on_requests
def test_mounted_adapters_carry_token_requests_too(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())
    client, mounted = adapter.client(token_endpoint=hostile.token_endpoint), Recording()
    client.native.mount("http://", mounted)
    client.fetch_token()
    client.get(hostile.url())
    assert [url for url, _ in mounted.sent] == [hostile.token_endpoint, hostile.url()]


@on_requests
def test_tls_and_proxy_settings_of_the_session_hold_for_token_requests(
    adapter: Adapter, hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # requests itself puts these before a session's verify
        monkeypatch.delenv(name, raising=False)
    hostile.on("/token", token())
    client, mounted = adapter.client(token_endpoint=hostile.token_endpoint), Recording()
    client.native.mount("http://", mounted)
    client.native.verify = "/etc/ssl/own.pem"
    client.native.cert = ("/own.crt", "/own.key")
    client.fetch_token()
    client.fetch_token(verify=False, cert=None)
    first, second = (settings for _, settings in mounted.sent)
    assert first["verify"] == "/etc/ssl/own.pem"
    assert first["cert"] == ("/own.crt", "/own.key")
    assert second["verify"] is False
    client.native.proxies = {"http": f"http://127.0.0.1:{hostile.port}"}
    client.fetch_token("http://localhost:9/token")
    assert hostile.received[-1].target == "http://localhost:9/token"


@on_requests
def test_the_default_timeout_is_for_requests_that_name_none(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())
    client, mounted = adapter.client(token_endpoint=hostile.token_endpoint, default_timeout=13), Recording()
    client.native.mount("http://", mounted)
    client.fetch_token()
    client.get(hostile.url())
    client.get(hostile.url(), timeout=11)
    assert [settings["timeout"] for _, settings in mounted.sent] == [13, 13, 11]


@on_requests
def test_hooks_and_cookies_of_requests_go_on_working_for_the_api(adapter: Adapter, hostile: Hostile) -> None:
    seen: list[int] = []
    client = adapter.client(token=TOKEN)

    def see(response: Any, **kwargs: Any) -> None:
        seen.append(response.status_code)

    client.native.hooks["response"].append(see)
    client.native.cookies.set("own", "yes", domain="127.0.0.1", path="/")
    client.get(hostile.url())
    assert seen == [200]
    assert hostile.received[0].header("cookie") == "own=yes"


@on_requests
def test_what_can_be_set_on_a_session_can_be_given_to_it(adapter: Adapter, hostile: Hostile) -> None:
    seen, mounted = list[int](), Recording()

    def see(response: Any, **_: Any) -> None:
        seen.append(response.status_code)

    client = adapter.client(
        token=TOKEN,
        headers={"X-Api": "yes"},
        cookies={"own": "yes"},
        params={"a": "1"},
        hooks={"response": see},
        adapters={"http://": mounted},
        proxies={"https": "http://127.0.0.1:9"},
        verify="/etc/ssl/own.pem",
        cert=("/own.crt", "/own.key"),
        max_redirects=0,
        stream=True,
        trust_env=False,
    )
    session: Any = client.native
    client.get(hostile.url())
    request, (_, settings) = hostile.received[0], mounted.sent[0]
    assert (request.header("x-api"), request.header("cookie"), request.query) == ("yes", "own=yes", {"a": "1"})
    assert (request.header("user-agent") or "").startswith("python-requests")
    assert seen == [200]
    assert (settings["verify"], settings["cert"], settings["stream"]) == (
        "/etc/ssl/own.pem",
        ("/own.crt", "/own.key"),
        True,
    )
    assert (session.max_redirects, session.trust_env, session.proxies) == (0, False, {"https": "http://127.0.0.1:9"})


@on_requests
def test_settings_hold_for_token_requests_and_none_leaves_one_as_it_is(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())
    nothing = dict.fromkeys(("verify", "cert", "headers", "cookies", "auth", "stream", "params", "max_redirects"))
    client = adapter.client(**nothing, proxies={"http": f"http://127.0.0.1:{hostile.port}"})
    client.fetch_token("http://localhost:9/token")
    assert hostile.received[0].target == "http://localhost:9/token"
    plain = requests.Session()
    for name in nothing:
        assert getattr(client.native, name) == getattr(plain, name)


@on_requests
def test_a_cookie_jar_of_the_users_own_is_the_sessions(adapter: Adapter) -> None:
    jar = RequestsCookieJar()
    assert adapter.client(cookies=jar).native.cookies is jar


@on_requests
@pytest.mark.parametrize(
    "wrong",
    [
        *({"headers": 7}, {"proxies": "http://p"}, {"hooks": [1]}, {"adapters": 7}, {"cookies": 7}, {"verify": 7}),
        *({"cert": 7}, {"cert": ("a", "b", "c")}, {"max_redirects": -1}, {"max_redirects": "3"}, {"auth": ("u", "p")}),
    ],
)
def test_a_setting_that_cannot_be_is_a_usage_error(adapter: Adapter, wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        adapter.client(**wrong)


@on_requests
def test_an_option_near_to_one_of_requests_names_it(adapter: Adapter) -> None:
    with pytest.raises(UsageError, match="did you mean 'max_redirects'"):
        adapter.client(max_redirect=3)


# -- httpx2 and httpx ------------------------------------------------------------------------------------------------


def mock_of(adapter: Adapter, answer: Callable[[Any], Any]) -> Any:
    return adapter.kind.library.MockTransport(answer)


@on_httpx
def test_a_transport_carries_token_requests_and_api_requests(adapter: Adapter) -> None:
    seen: list[tuple[str, str | None]] = []

    def answer(request: Any) -> Any:
        seen.append((str(request.url), request.headers.get("authorization")))
        return adapter.kind.library.Response(200, json={"access_token": "at-1", "token_type": "Bearer"})

    client = adapter.client(transport=mock_of(adapter, answer), token_endpoint="https://as.example/token")
    client.fetch_token()
    assert client.get("https://api.example/").status_code == 200
    assert seen == [("https://as.example/token", None), ("https://api.example/", "Bearer at-1")]


@on_httpx
def test_mounts_carry_token_requests_too(adapter: Adapter) -> None:
    def answer(request: Any) -> Any:
        return adapter.kind.library.Response(200, json={"access_token": "mounted", "token_type": "Bearer"})

    client = adapter.client(mounts={"https://as.example": mock_of(adapter, answer)})
    assert client.fetch_token("https://as.example/token")["access_token"] == "mounted"


@on_httpx
def test_other_options_of_the_library_are_passed_on(adapter: Adapter, hostile: Hostile) -> None:
    told: list[str] = []

    def plain(request: Any) -> None:
        told.append(request.url.path)

    async def awaited(request: Any) -> None:
        told.append(request.url.path)

    hostile.on("/token", token())
    client = adapter.client(
        token=TOKEN,
        headers={"X-Api": "yes"},
        params={"a": "1"},
        base_url=hostile.url("/v1"),
        event_hooks={"request": [awaited if adapter.kind.is_async else plain]},
        timeout=70,
    )
    client.get("/things")
    assert hostile.received[0].target == "/v1/things?a=1"
    assert hostile.received[0].header("x-api") == "yes"
    assert client.native.timeout.read == 70
    client.fetch_token(hostile.token_endpoint)
    assert told == ["/v1/things"], "the hooks of the API do not see secrets of the token request"


@on_httpx
def test_a_proxy_carries_token_requests(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())
    client = adapter.client(proxy=f"http://127.0.0.1:{hostile.port}", token_endpoint="http://localhost:9/token")
    client.fetch_token()
    assert hostile.received[0].target == "http://localhost:9/token"


@on_httpx
def test_an_auth_at_construction_would_take_the_tokens_place_and_is_refused(adapter: Adapter) -> None:
    with pytest.raises(UsageError, match="auth="):
        adapter.client(auth=("u", "p"))


@on_httpx
def test_a_closed_client_says_so(adapter: Adapter, hostile: Hostile) -> None:
    client = adapter.client(token_endpoint=hostile.token_endpoint)
    client.close()
    with pytest.raises(UsageError, match="closed"):
        client.fetch_token()


def test_every_client_is_the_librarys_own() -> None:
    for name, base in {
        "httpx2": httpx2.Client,
        "httpx2-async": httpx2.AsyncClient,
        "httpx": httpx.Client,
        "httpx-async": httpx.AsyncClient,
    }.items():
        made: Any = KINDS[name].make
        assert issubclass(made, base)


def marked(url: str, headers: Any, body: Any) -> Any:
    """A hook of one session."""
    return url, {**headers, "X-One": "1"}, body


def test_two_sessions_share_nothing(portal: BlockingPortal, hostile: Hostile) -> None:
    for name in KINDS:
        with adapter_of(name, portal) as adapter:
            one, other = adapter.client(token=TOKEN), adapter.client(token={"access_token": "at-2"})
            one.native.register_compliance_hook("protected_request", marked)
            one.native.register_client_auth_method(("mine", marked))
            other.get(hostile.url())
            assert hostile.received[-1].token == "at-2"
            assert hostile.received[-1].header("x-one") is None
            with pytest.raises(UsageError):
                other.fetch_token(hostile.token_endpoint, auth="mine")


def test_one_session_serves_many_threads(adapter: Adapter, hostile: Hostile) -> None:
    client = adapter.client(token=TOKEN)
    barrier = threading.Barrier(8)

    def call() -> int:
        barrier.wait(60)
        return client.get(hostile.url()).status_code

    assert together(8, call) == [200] * 8
