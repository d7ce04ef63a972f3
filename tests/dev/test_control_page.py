"""The control page over the provider's socket: what each form does, and whose requests are refused."""

import re
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from doorkey.dev import Provider, client, user
from doorkey.dev.control_page.actions import ACTIONS, DONE, EXPIRE, FAILURES, REQUESTS
from doorkey.errors import UsageError
from doorkey.integrations.requests_client import OAuth2Session, OAuthError
from doorkey.jose.verification import unsafe_claims
from tests.recordings.realm import Realm
from tests.servers.browser import forms
from tests.servers.handle import CALLBACK
from tests.support.page_reading import Page

HOSTILE = '"><img src=x onerror=alert(1)>'


class Developer:
    """A browser on the control page."""

    def __init__(self, provider: Provider, http: requests.Session) -> None:
        assert provider.control_page is not None
        self.provider, self.http, self.url = provider, http, provider.control_page

    def see(self, path: str = "") -> requests.Response:
        return self.http.get(self.url + path)

    def post(self, path: str, **fields: str) -> requests.Response:
        """Send a form as the page's own, with its token."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.see().text)
        assert found
        return self.http.post(self.url + path, {"csrf": found[1], **fields})


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider(control_page=True) as provider:
        yield provider


@pytest.fixture
def developer(provider: Provider, http: requests.Session) -> Developer:
    return Developer(provider, http)


def session_of(provider: Provider) -> OAuth2Session:
    session = OAuth2Session("client-1", "my-secret", token_endpoint=provider.token_endpoint, clock=provider.clock)
    session.fetch_token(username="alice", password="wonderland")
    return session


def refresh(session: OAuth2Session) -> None:
    assert session.token is not None
    session.fetch_token(grant_type="refresh_token", refresh_token=session.token["refresh_token"])


def test_only_a_provider_that_was_told_to_has_the_page(http: requests.Session) -> None:
    with Provider() as provider:
        assert provider.control_page is None
        assert [http.get(provider.origin + path).status_code for path in ("/", "/dev", "/dev/requests")] == [404] * 3
        login = http.get(Realm(provider.origin).authorization_url())
        assert "Log in as" not in login.text


@pytest.mark.parametrize(
    "options",
    [
        {"host": "192.0.2.1", "public_url": "http://login.example", "allow_remote": True},
        {"public_url": "https://login.example"},
        {"host_names": ["keycloak"]},
        {"trusted_proxies": ["127.0.0.1"]},
    ],
)
def test_a_provider_that_others_reach_cannot_have_the_page(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="only this machine can reach: remove"):
        Provider(control_page=True, **options)


def test_the_origin_alone_leads_to_the_page(developer: Developer) -> None:
    answer = developer.http.get(developer.provider.origin + "/")
    assert (answer.status_code, answer.url) == (200, developer.url)
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "script-src" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert Page(answer.text).all("script") == []


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "rebound.example"}, 400),
        ({"Host": "127.0.0.1.evil:{port}"}, 400),
        ({"X-Forwarded-For": "192.0.2.1"}, 403),
        ({"Forwarded": "for=192.0.2.1"}, 403),
        ({"Via": "1.1 proxy"}, 403),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_from_elsewhere_is_refused(
    developer: Developer, headers: dict[str, str], status: int, method: str
) -> None:
    sent = {name: value.format(port=developer.provider.port) for name, value in headers.items()}
    answer = developer.http.request(method, developer.url, headers=sent)
    assert answer.status_code == status
    assert "Development provider" not in answer.text


@pytest.mark.parametrize(
    ("fields", "headers", "with_cookie"),
    [
        ({}, {}, True),
        ({"csrf": "guessed"}, {}, True),
        ({"csrf": "the page's"}, {}, False),
        ({"csrf": "the page's"}, {"Origin": "http://evil.example"}, True),
        ({"csrf": "the page's"}, {"Origin": "null"}, True),
        ({"csrf": "the page's"}, {"Sec-Fetch-Site": "cross-site"}, True),
        ({"csrf": "the page's"}, {"Sec-Fetch-Site": "same-site"}, True),
    ],
)
def test_a_forged_form_changes_nothing(
    developer: Developer, fields: dict[str, str], headers: dict[str, str], with_cookie: bool
) -> None:
    form = forms(developer.see().text, developer.url)[0]
    if fields.get("csrf") == "the page's":
        fields = {**form.fields, "what": "everything", "seconds": "5", "realm": "master", "username": "eve"}
    if not with_cookie:
        developer.http.cookies.clear()
    before = developer.provider.clock()
    for path in (*ACTIONS, "/user"):
        answer = developer.http.post(developer.url + path, {**fields, "password": "x"}, headers=headers)
        assert answer.status_code == 400
        assert "This form" in answer.text
    assert "eve" not in developer.provider.users
    assert developer.provider.clock() - before < 4
    assert developer.provider.faults.unused == ()


def test_a_form_of_another_browser_is_refused(developer: Developer) -> None:
    form = forms(developer.see().text, developer.url)[0]
    with requests.Session() as other:
        other.trust_env = False
        other.get(developer.url)
        assert other.post(developer.url + "/clear-log", form.fields).status_code == 400


def test_the_cookie_is_for_this_page_alone(developer: Developer) -> None:
    cookie = developer.see().headers["Set-Cookie"]
    assert re.fullmatch(r"doorkey_dev=[\w-]{43}; Path=/dev; HttpOnly; SameSite=Strict", cookie)
    with Provider(control_page=True, https=True) as provider, requests.Session() as http:
        cookie = http.get(provider.origin + "/dev", verify=provider.ca_file).headers["Set-Cookie"]
    assert re.fullmatch(r"__Host-doorkey_dev=[\w-]{43}; Path=/; Secure; HttpOnly; SameSite=Strict", cookie)


def test_the_next_refresh_fails_and_the_one_after_it_works(developer: Developer) -> None:
    with session_of(developer.provider) as session:
        page = developer.post("/fail", requests="refresh", failure="invalid_grant", times="1")
        assert DONE["failing"] in page.text
        assert "refresh_token" in page.text
        with pytest.raises(OAuthError, match="invalid_grant: Session not active"):
            refresh(session)
    with session_of(developer.provider) as session:
        refresh(session)


@pytest.mark.parametrize("failure", FAILURES)
def test_each_failure_reaches_the_client(developer: Developer, failure: str) -> None:
    with session_of(developer.provider) as session:
        developer.post("/fail", requests="token", failure=failure, times="1")
        with pytest.raises(OAuthError):
            refresh(session)
    assert developer.provider.faults.unused == ()


@pytest.mark.parametrize("requests_for", REQUESTS)
def test_a_failure_waits_for_its_kind_of_request_until_it_is_removed(developer: Developer, requests_for: str) -> None:
    page = developer.post("/fail", requests=requests_for, failure="503", times="3")
    assert REQUESTS[requests_for].path_end in Page(page.text).text
    waiting = developer.provider.faults.unused
    assert len(waiting) == 1
    assert DONE["forgotten"] in developer.post("/forget-faults").text
    assert developer.provider.faults.unused == ()


@pytest.mark.parametrize(
    ("path", "fields", "told"),
    [
        ("/fail", {"requests": "nothing", "failure": "503", "times": "1"}, "a choice that this page does not offer"),
        (
            "/fail",
            {"requests": "refresh", "failure": "503", "times": "0"},
            "The number of requests must be a whole number",
        ),
        ("/fail", {"requests": "refresh", "failure": "503", "times": "9" * 5000}, "The number of requests"),
        ("/expire", {}, "a choice that this page does not offer"),
        ("/clock", {"seconds": "-5"}, "The number of seconds must be a whole number"),
        ("/clock", {"seconds": "٣"}, "The number of seconds must be a whole number"),
        ("/keys", {"realm": HOSTILE}, "the provider has no realm"),
        ("/user", {"username": "alice", "password": "x"}, "A user with this name already exists"),
        ("/user", {"username": "ALICE", "password": "x"}, "A user with this name already exists"),
        ("/user", {"password": "x"}, "The user needs a name"),
        ("/user", {"username": "eve"}, "The user needs a password"),
        ("/user", {"username": "eve", "password": "x", "id_token_claims": "[1]"}, "Write a JSON object"),
        ("/user", {"username": "eve", "password": "x", "id_token_claims": '{"a":1,"a":2}'}, "Write a JSON object"),
        (
            "/user",
            {"username": "eve", "password": "x", "id_token_claims": '{"iss": "x"}'},
            "because the server sets it",
        ),
    ],
)
def test_a_mistake_in_a_form_is_told_on_the_page(
    developer: Developer, path: str, fields: dict[str, str], told: str
) -> None:
    answer = developer.post(path, **fields)
    read = Page(answer.text)
    assert answer.status_code == 400
    assert told in read.text
    assert not read.all("img")
    assert "eve" not in developer.provider.users


def test_a_mistake_in_a_user_keeps_what_was_typed_except_the_password(developer: Developer) -> None:
    answer = developer.post("/user", username=HOSTILE, password="typed-password", id_token_claims="</textarea>{")
    read = Page(answer.text)
    assert HOSTILE in [tag.get("value") for tag in read.all("input")]
    assert read.texts["textarea"][0].strip() == "</textarea>{"
    assert "typed-password" not in answer.text


def test_a_change_of_a_user_is_in_the_next_login(developer: Developer) -> None:
    provider = developer.provider
    page = developer.see(f"/user/{provider.users['alice'].sub}")
    assert page.status_code == 200
    (form,) = forms(page.text, page.url)
    assert form.fields["email"] == "alice@example.org"
    assert form.fields["password"] == ""
    done = developer.http.post(
        form.action, {**form.fields, "email": "new@example.org", "id_token_claims": '{"groups": ["ops"]}'}
    )
    assert DONE["saved"] in done.text
    assert "new@example.org" in done.text
    with OAuth2Session("client-1", "my-secret", token_endpoint=provider.token_endpoint) as session:
        token = session.fetch_token(username="alice", password="wonderland", scope="openid email")
    claims = unsafe_claims(token["id_token"])
    assert (claims["email"], claims["groups"]) == ("new@example.org", ["ops"])


def test_a_new_user_logs_in_with_the_new_password(developer: Developer) -> None:
    developer.post(
        "/user", username="Carol", password="c", roles="admin auditor", access_token_claims='{"plan": "pro"}'
    )
    assert {"admin", "auditor"} <= set(developer.provider.users["carol"].roles)
    with OAuth2Session("client-1", "my-secret", token_endpoint=developer.provider.token_endpoint) as session:
        token = session.fetch_token(username="carol", password="c")
    assert unsafe_claims(token["access_token"])["plan"] == "pro"


def test_a_user_of_the_page_logs_in_without_a_password(developer: Developer) -> None:
    developer.post("/user", username="carol", password="c")
    url = Realm(developer.provider.origin).authorization_url()
    page = developer.http.get(url)
    form = forms(page.text, url)[1]
    assert re.findall(r'name="pick_user" value="([^"]+)"', page.text) == ["carol", "user", "alice", "admin"]
    answer = developer.http.post(form.action, {**form.fields, "pick_user": "carol"}, allow_redirects=False)
    assert answer.headers["Location"].startswith(CALLBACK)
    assert "code" in parse_qs(urlsplit(answer.headers["Location"]).query)


def test_a_login_without_a_password_needs_the_form_of_the_login_page(developer: Developer) -> None:
    page = developer.http.get(Realm(developer.provider.origin).authorization_url())
    form = forms(page.text, page.url)[1]
    developer.http.cookies.clear()
    answer = developer.http.post(form.action, {**form.fields, "pick_user": "alice"}, allow_redirects=False)
    assert (answer.status_code, answer.headers.get("Location")) == (400, None)


def test_no_other_provider_takes_a_login_without_a_password(http: requests.Session) -> None:
    with Provider() as provider:
        page = http.get(Realm(provider.origin).authorization_url())
        (form,) = forms(page.text, page.url)
        answer = http.post(form.action, {**form.fields, "pick_user": "alice"}, allow_redirects=False)
    assert answer.status_code == 200
    assert "is wrong" in answer.text


@pytest.mark.parametrize("what", EXPIRE)
def test_what_is_expired_counts_no_more(developer: Developer, what: str) -> None:
    provider = developer.provider
    with session_of(provider) as session:
        token = dict(session.token or {})
        assert DONE[f"expired-{what}"].split(".")[0] in Page(developer.post("/expire", what=what).text).text
        bearer = {"Authorization": f"Bearer {token['access_token']}"}
        assert (developer.http.get(provider.echo, headers=bearer).status_code == 401) == (what != "refresh")
        if what == "access":
            refresh(session)
        else:
            with pytest.raises(OAuthError, match="invalid_grant"):
                refresh(session)


def test_the_end_of_a_session_is_told_to_its_clients(http: requests.Session) -> None:
    told = client("told", "its-secret", backchannel_logout_uri="http://127.0.0.1:9/backchannel")
    with Provider(clients=[told], control_page=True) as provider:
        with OAuth2Session("told", "its-secret", token_endpoint=provider.token_endpoint) as session:
            session.fetch_token(username="alice", password="wonderland", scope="openid")
        Developer(provider, http).post("/expire", what="sessions")
        assert [one.uri for one in provider.logout_calls] == ["http://127.0.0.1:9/backchannel"]


def test_the_clock_moves_on(developer: Developer) -> None:
    before = developer.provider.clock()
    developer.post("/clock", seconds="3600")
    assert developer.provider.clock() - before >= 3600


@pytest.mark.parametrize("withdraw", [True, False])
def test_keys_are_rotated(developer: Developer, withdraw: bool) -> None:
    def kids() -> set[str]:
        return {key["kid"] for key in developer.http.get(developer.provider.jwks_uri).json()["keys"]}

    before = kids()
    fields = {"withdraw": "yes"} if withdraw else {}
    page = developer.post("/keys", realm="master", **fields)
    assert DONE["withdrawn" if withdraw else "rotated"] in page.text
    assert (before & kids() == set()) == withdraw
    assert kids() - before


def test_the_page_counts_sessions_and_tokens_and_not_its_own_requests(developer: Developer) -> None:
    def counts() -> dict[str, str]:
        page = developer.see().text
        return dict(re.findall(r"<dt>([\w ]+)</dt><dd>([^<]+)</dd>", page))

    before = counts()
    with session_of(developer.provider), session_of(developer.provider):
        after = counts()
    names = ("Sessions", "Refresh tokens", "Token responses", "Requests")
    assert [before[name] for name in names] == ["0"] * 4
    assert [after[name] for name in names] == ["2"] * 4


def test_the_log_shows_names_and_no_values(developer: Developer) -> None:
    with session_of(developer.provider):
        page = developer.see("/requests")
    assert "POST /realms/master/protocol/openid-connect/token" in page.text
    assert "200 · password · " in page.text
    assert "wonderland" not in page.text
    assert "Refresh" not in page.headers
    assert developer.see("/requests?reload=yes").headers["Refresh"] == "2"
    assert "No request yet." in Page(developer.post("/clear-log").text and developer.see("/requests").text).text


def test_a_fault_never_hits_the_page_itself(developer: Developer) -> None:
    developer.provider.faults.add("/requests", status=500)
    assert developer.see("/requests").status_code == 200
    developer.provider.faults.clear()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/user/00000000-0000-0000-0000-000000000000", 404),
        ("GET", "/user/../fail", 404),
        ("PUT", "", 405),
        ("DELETE", "/user", 405),
    ],
)
def test_what_is_not_there_is_a_page_that_says_so(developer: Developer, method: str, path: str, status: int) -> None:
    answer = developer.http.request(method, developer.url + path)
    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith("text/html")
    assert developer.post("/nothing").status_code == 404


def test_a_form_that_is_too_long_is_refused(developer: Developer) -> None:
    assert developer.post("/user", username="x" * 300_000).status_code == 413


def test_nothing_on_the_page_is_reflected_unescaped(http: requests.Session) -> None:
    hostile = user(HOSTILE, "x", given_name=HOSTILE, email=HOSTILE, id_token_claims={HOSTILE: HOSTILE})
    with Provider(users=[hostile], clients=[client(HOSTILE)], control_page=True) as provider:
        developer = Developer(provider, http)
        for path in ("", f"/user/{hostile.sub}", f"?done={HOSTILE}"):
            read = Page(developer.see(path).text)
            assert not read.all("img")
        login = Page(http.get(Realm(provider.origin).authorization_url()).text)
        assert not login.all("img")
        assert HOSTILE in [tag.get("value") for tag in login.all("button")]


def test_set_user_takes_users_only(provider: Provider) -> None:
    with pytest.raises(UsageError, match=r"a user must be a value of doorkey\.dev\.user"):
        provider.set_user(cast(Any, {"username": "eve"}))
