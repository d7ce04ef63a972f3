"""What of a request and of a response passes between a browser and the API behind its site."""

from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorkey.errors import UsageError
from doorkey.login.web.messages import WebRequest
from doorkey.login.web.proxied_api import ProxiedAPI

API = ProxiedAPI.of("/api", "https://api.example/v1", ["X-Tenant"], ["X-Total"])


def request_for(path: str, query: str = "", root: str = "", **headers: str) -> WebRequest:
    pairs = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return WebRequest("GET", "https", "app.example", path, query, pairs, root=root)


@pytest.mark.parametrize(
    ("path", "query", "target"),
    [
        ("/api", "", "https://api.example/v1"),
        ("/api/", "", "https://api.example/v1/"),
        ("/api/orders/7", "page=2&q=a%20b", "https://api.example/v1/orders/7?page=2&q=a%20b"),
        ("/api/käse/a b", "", "https://api.example/v1/k%C3%A4se/a%20b"),
        ("/api/a?b#c%2e", "", "https://api.example/v1/a%3Fb%23c%252e"),
        ("/api/users/@me;v=1", "", "https://api.example/v1/users/@me;v=1"),
    ],
)
def test_a_path_below_the_prefix_is_one_of_the_api(path: str, query: str, target: str) -> None:
    assert API.target(request_for(path, query)) == target


@pytest.mark.parametrize(
    ("path", "query"),
    [
        *((path, "") for path in ("/apix", "/ap", "/", "/other/api", "/api@evil.example", "/api.evil.example/a")),
        *((path, "") for path in ("/api/../admin", "/api/a/..", "/api/.", "/api//evil.example", "/api/a//b")),
        *((path, "") for path in ("/api/..;/admin", "/api/a/.;b=c", "/api/a/..;")),
        *((path, "") for path in ("/api/\\evil.example", "/api/a\r\nHost: evil", "/api/a\x00", "/api/\t")),
        *(("/api/a", query) for query in ("a=b#c", "a=b c", "a=\r\nb", "a=ä", "a\\b")),
    ],
)
def test_any_other_path_and_any_unsafe_one_is_none_of_the_api(path: str, query: str) -> None:
    assert API.target(request_for(path, query)) is None


def test_the_path_of_the_application_itself_is_left_out() -> None:
    assert API.target(request_for("/shop/api/a", root="/shop")) == "https://api.example/v1/a"
    assert API.target(request_for("/api/a", root="/shop")) is None


def test_the_api_gets_neither_cookies_nor_credentials_nor_anything_about_the_connection() -> None:
    sent = {
        "Cookie": "session=secret",
        "Authorization": "Bearer of-the-browser",
        "Host": "app.example",
        "Connection": "X-Internal",
        "X_Internal": "1",
        "Transfer_Encoding": "chunked",
        "Content_Length": "5",
        "Origin": "https://app.example",
        "Referer": "https://app.example/page",
        "X_CSRF": "1",
        "X_Forwarded_For": "10.0.0.1",
        "Proxy_Authorization": "Basic eA==",
        "Sec_Fetch_Site": "same-origin",
    }
    kept = {"Content_Type": "application/json", "X_Tenant": "t-1", "If_Match": '"1"'}
    assert API.forwarded(request_for("/api/a", **sent, **kept)) == {
        "content-type": "application/json",
        "x-tenant": "t-1",
        "if-match": '"1"',
        "accept-encoding": "identity",
    }


def test_a_repeated_header_is_one_list() -> None:
    given = WebRequest("GET", "https", "app.example", "/api", "", (("Accept", "a/b"), ("accept", "c/d")))
    assert API.forwarded(given)["accept"] == "a/b, c/d"


def test_the_browser_gets_no_cookie_no_challenge_and_no_permission_of_the_api() -> None:
    given = [
        ("Content-Type", "application/json"),
        ("X-Total", "7"),
        ("ETag", '"1"'),
        ("Set-Cookie", "a=b"),
        ("WWW-Authenticate", "Basic"),
        ("Access-Control-Allow-Origin", "*"),
        ("Clear-Site-Data", '"*"'),
        ("Content-Security-Policy", "default-src *"),
        ("Cache-Control", "public, max-age=600"),
        ("Authorization", "Bearer x"),
        ("X-Access-Token", "x"),
    ]
    assert API.returned(given) == (("Content-Type", "application/json"), ("X-Total", "7"), ("ETag", '"1"'))


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("https://api.example/v1/orders/8", "/api/orders/8"),
        ("/v1/orders/8?a=b", "/api/orders/8?a=b"),
        ("8", "/api/orders/8"),
        ("https://api.example/v1", "/api"),
        ("https://api.example/v2/orders", None),
        ("https://api.example/v1x", None),
        ("https://evil.example/v1/a", None),
        ("//evil.example/", None),
        ("https://api.example/v1//evil.example", None),
        ("https://[", None),
    ],
)
def test_a_location_is_a_path_of_the_site_or_none(location: str, path: str | None) -> None:
    assert API.location("https://api.example/v1/orders/7", location, "") == path
    shown = None if path is None else f"/shop{path}"
    assert API.location("https://api.example/v1/orders/7", location, "/shop") == shown


@pytest.mark.parametrize("prefix", ["", "/", "api", "/api/", "//api", "/api?a", "/a%20b", "/api/..", None])
def test_a_prefix_is_a_path_of_the_site(prefix: Any) -> None:
    with pytest.raises(UsageError):
        ProxiedAPI.of(prefix, "https://api.example", (), ())


@pytest.mark.parametrize("url", ["", "api.example", "http://api.example", "https://u:p@api.example", "https://a?b", 5])
def test_the_url_of_an_api_is_https_or_on_this_machine(url: Any) -> None:
    with pytest.raises(UsageError):
        ProxiedAPI.of("/api", url, (), ())
    assert ProxiedAPI.of("/api", "http://127.0.0.1:8001/", (), ()).url == "http://127.0.0.1:8001"


@pytest.mark.parametrize("name", ["Authorization", "cookie", "Set-Cookie", "HOST", "Proxy-X", "Access-Control-X", ":"])
def test_no_option_passes_cookies_or_credentials_on(name: str) -> None:
    with pytest.raises(UsageError):
        ProxiedAPI.of("/api", "https://api.example", [name], ())
    with pytest.raises(UsageError):
        ProxiedAPI.of("/api", "https://api.example", (), [name])


NASTY = st.sampled_from(("..", ".", "/", "\\", "%2e", "%2f", "%5c", "//", "@evil", ";", "?", "#", "\r\n", "\x00"))


@settings(max_examples=60)
@given(st.lists(NASTY | st.text(max_size=5), max_size=6), st.lists(NASTY | st.text(max_size=5), max_size=4))
def test_no_path_and_no_query_leads_away_from_the_api(path: list[str], query: list[str]) -> None:
    target = API.target(request_for("/api" + "".join(path), "".join(query)))
    if target is not None:
        assert target.isascii()
        assert target.isprintable()
        parts = urlsplit(urljoin(target, "")), urlsplit(str(httpx2.URL(target)))
        for url in parts:
            assert (url.scheme, url.netloc, url.fragment) == ("https", "api.example", "")
            assert url.path == "/v1" or url.path.startswith("/v1/")
            assert ".." not in unquote(url.path).split("/")
