"""A Django project with the login: `request.user`, its groups, the admin, Django's own decorators, and logouts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from doorkey.testing import Provider, client, user
from tests.support.django_login_project import MIDDLEWARE, forget_connections, site
from tests.support.django_login_site import on_django
from tests.support.login_browser import Browser
from tests.support.web_browser import JSON

LOCAL = "http://127.0.0.1:8000"
MakeBrowser = Callable[..., Browser]


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    registered = client(
        "web-app",
        "its-secret",
        redirect_uris=[f"{LOCAL}/accounts/callback"],
        post_logout_redirect_uris=[f"{LOCAL}/"],
        backchannel_logout_uri=f"{LOCAL}/accounts/backchannel-logout",
    )
    bob = user("bob", "builder", given_name="Bob", email="bob@example.org", id_token_claims={"groups": ["/editors"]})
    with Provider(clients=[registered], users=[bob]) as running:
        yield running


def views(api: str) -> list[Any]:
    from django.contrib import admin
    from django.contrib.auth.decorators import login_required
    from django.http import HttpRequest, HttpResponse, JsonResponse
    from django.middleware.csrf import get_token
    from django.urls import include, path

    from doorkey.login.django import login_user

    def me(request: HttpRequest) -> JsonResponse:
        user: Any = request.user
        known = login_user(request)
        return JsonResponse(
            {
                "username": user.get_username(),
                "pk": user.pk,
                "groups": [] if user.pk is None else sorted(user.groups.values_list("name", flat=True)),
                "sub": None if known is None else known.sub,
                "claims": None if user.claims is None else user.claims.email,
                "csrf": get_token(request),
            }
        )

    @login_required
    def private(request: HttpRequest) -> HttpResponse:
        return HttpResponse(request.user.get_username())

    @login_required
    async def private_async(request: HttpRequest) -> HttpResponse:
        user: Any = await request.auser()
        return HttpResponse(user.get_username())

    def call_api(request: HttpRequest) -> HttpResponse:
        user: Any = request.user
        return JsonResponse(user.client.get(api).json())

    return [
        path("me", me),
        path("private", private),
        path("private-async", private_async),
        path("api", call_api),
        path("admin/", admin.site.urls),
        path("accounts/", include("doorkey.login.django.urls")),
    ]


@pytest.fixture
def make_browser(provider: Provider, database_path: Path) -> Iterator[MakeBrowser]:
    """Return what makes a browser at a project with these settings."""
    with ExitStack() as stack:

        def make(login: dict[str, Any] | None = None, **settings: Any) -> Browser:
            options = {"issuer": provider.issuer, "client_id": "web-app", "client_secret": "its-secret"}
            urls: Any = ModuleType("urls_of_the_project")
            own = {
                "DOORKEY_LOGIN": {**options, **(login or {})},
                "AUTHENTICATION_BACKENDS": [
                    "doorkey.login.django.LoginBackend",
                    "django.contrib.auth.backends.ModelBackend",
                ],
                "MIDDLEWARE": [*MIDDLEWARE, "doorkey.login.django.LoginMiddleware"],
                "LOGIN_URL": "doorkey_login:login",
                "CSRF_COOKIE_HTTPONLY": True,
                "ROOT_URLCONF": urls,
            }
            stack.enter_context(site(database_path, **{**own, **settings}))
            urls.urlpatterns = views(provider.userinfo_endpoint)
            return Browser(on_django())

        yield make


@pytest.fixture
def browser(make_browser: MakeBrowser) -> Browser:
    return make_browser()


def log_in(browser: Browser, provider: Provider, username: str = "alice") -> dict[str, Any]:
    """Log in, and return what the project knows of the user."""
    done = browser.log_in(provider, username, "/accounts/login")
    assert done.status == 303, done.text
    found: dict[str, Any] = browser.get("/me", JSON).json
    return found


def test_a_login_makes_a_user_of_the_project_and_the_next_one_finds_it(browser: Browser, provider: Provider) -> None:
    first = log_in(browser, provider)
    assert first["username"].startswith("alice-")
    assert first["claims"] == "alice@example.org"
    other = Browser(browser.site)
    assert log_in(other, provider)["pk"] == first["pk"]
    assert log_in(Browser(browser.site), provider, "bob")["pk"] != first["pk"]


@pytest.mark.parametrize("path", ["/private", "/private-async"])
def test_djangos_own_decorator_leads_to_the_login_and_back(browser: Browser, provider: Provider, path: str) -> None:
    asked = browser.get(f"{path}?a=1")
    assert asked.status == 302
    assert asked.location == f"/accounts/login?next={path}%3Fa%3D1"
    done = browser.log_in(provider, path=asked.location)
    assert done.location == f"{path}?a=1"
    assert browser.get(path).text.startswith("alice-")


def test_the_users_client_sends_the_users_token(browser: Browser, provider: Provider) -> None:
    log_in(browser, provider)
    assert browser.get("/api").json["email"] == "alice@example.org"


def test_the_session_id_of_django_is_renewed_at_the_login(browser: Browser, provider: Provider) -> None:
    from django.contrib.sessions.models import Session

    before = Session.objects.create(session_key="a" * 32, session_data="", expire_date="2100-01-01 00:00Z")
    fixed = Browser(browser.site)
    fixed.jar["127.0.0.1"] = {}
    begun = fixed.get("/accounts/login")
    fixed.more = {}
    log_in(browser, provider)
    assert browser.cookies_of()["sessionid"] != before.session_key
    first = browser.cookies_of()["sessionid"]
    log_in(browser, provider)
    assert browser.cookies_of()["sessionid"] != first
    thief = Browser(browser.site, more={"Cookie": f"sessionid={first}"})
    assert thief.get("/me", JSON).json["pk"] is None
    assert begun.status == 303


def test_a_cookie_of_the_login_counts_only_from_djangos_session(browser: Browser, provider: Provider) -> None:
    from django.contrib.sessions.backends.db import SessionStore

    log_in(browser, provider)
    stored = SessionStore(browser.cookies_of()["sessionid"]).load()
    identifier = stored["_doorkey_login"]
    thief = Browser(browser.site, more={"Cookie": f"doorkey={identifier}"})
    assert thief.get("/accounts/me", JSON).status == 401
    assert browser.get("/accounts/me", JSON).status == 200


def test_the_admin_is_open_to_staff_and_to_nobody_else(browser: Browser, provider: Provider) -> None:
    from django.contrib.auth.models import User

    known = log_in(browser, provider)
    assert browser.get("/admin/").status == 302
    User.objects.filter(pk=known["pk"]).update(is_staff=True, is_superuser=True)
    assert browser.get("/admin/").status == 200
    assert browser.get("/admin/doorkey_login/identity/").status == 200
    assert browser.get("/admin/auth/user/").status == 200


def test_a_logout_with_djangos_token_ends_both_sessions_and_leads_to_the_provider(
    browser: Browser, provider: Provider
) -> None:
    known = log_in(browser, provider)
    refused = browser.post("/accounts/logout", {"csrfmiddlewaretoken": "x" * 32})
    assert refused.status == 403
    assert browser.get("/me", JSON).json["pk"] == known["pk"]
    csrf = browser.get("/me", JSON).json["csrf"]
    done = browser.post("/accounts/logout", {"csrfmiddlewaretoken": csrf})
    assert done.status == 303
    assert done.location.startswith(provider.issuer)
    assert browser.get("/me", JSON).json["pk"] is None
    assert browser.get("/accounts/me", JSON).status == 401


def test_the_logout_page_of_the_login_works_without_djangos_token(browser: Browser, provider: Provider) -> None:
    log_in(browser, provider)
    token = browser.get("/accounts/me", JSON).json["csrf_token"]
    assert token in browser.get("/accounts/logout").text
    assert browser.post("/accounts/logout", {"csrf_token": "forged"}).status == 403
    assert browser.post("/accounts/logout").status == 403
    assert browser.get("/me", JSON).json["pk"] is not None
    assert browser.post("/accounts/logout", {"csrf_token": token}).status == 303
    assert browser.get("/me", JSON).json["pk"] is None


def test_a_user_with_a_password_logs_out_with_djangos_token_alone(browser: Browser) -> None:
    from django.contrib.auth.models import User

    User.objects.create_superuser("root", password="a password")
    page = browser.get("/admin/login/").text
    token = page.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    form = {"csrfmiddlewaretoken": token, "username": "root", "password": "a password", "next": "/admin/"}
    assert browser.post("/admin/login/", form).location == "/admin/"
    me = browser.get("/me", JSON).json
    assert (me["username"], me["sub"], me["claims"]) == ("root", None, None)
    browser.post("/accounts/logout")
    assert browser.get("/me", JSON).json["username"] == "root"
    browser.post("/accounts/logout", {"csrfmiddlewaretoken": browser.get("/me", JSON).json["csrf"]})
    assert browser.get("/me", JSON).json["pk"] is None


def test_a_logout_at_the_provider_ends_every_session_of_the_user(browser: Browser, provider: Provider) -> None:
    second, bob = Browser(browser.site), Browser(browser.site)
    log_in(browser, provider)
    log_in(second, provider)
    other = log_in(bob, provider, "bob")
    token = provider.logout_token("alice", client_id="web-app")
    posted = Browser(browser.site).post("/accounts/backchannel-logout", {"logout_token": token}, {})
    assert posted.status == 200, posted.text
    for one in (browser, second):
        assert one.get("/me", JSON).json["pk"] is None
        assert one.get("/private").status == 302
        assert "sessionid" not in one.cookies_of()
    assert bob.get("/me", JSON).json["pk"] == other["pk"]
    again = Browser(browser.site).post("/accounts/backchannel-logout", {"logout_token": token}, {})
    assert again.status == 400


def test_a_user_who_is_not_active_sees_why_and_has_no_session(browser: Browser, provider: Provider) -> None:
    from django.contrib.auth.models import User

    from doorkey.login.django.models import StoredRecord

    known = log_in(browser, provider)
    User.objects.filter(pk=known["pk"]).update(is_active=False)
    assert browser.get("/me", JSON).json["pk"] is None
    fresh = Browser(browser.site)
    records = StoredRecord.objects.filter(data__isnull=False).count()
    done = fresh.log_in(provider, path="/accounts/login")
    assert done.status == 400
    assert "no active account" in done.text
    assert fresh.cookies_of() == {}, "the login is finished"
    assert fresh.get("/me", JSON).json["pk"] is None
    assert fresh.get("/accounts/me", JSON).status == 401
    assert StoredRecord.objects.filter(data__isnull=False).count() <= records + 1  # that the login was used


def test_only_known_identities_log_in_where_no_user_is_created(make_browser: MakeBrowser, provider: Provider) -> None:
    from django.contrib.auth.models import User

    browser = make_browser({"create_users": False})
    assert browser.log_in(provider, path="/accounts/login").status == 400
    assert User.objects.count() == 0


def test_groups_come_from_a_claim_of_the_provider(make_browser: MakeBrowser, provider: Provider) -> None:
    browser = make_browser({"groups": {"/editors": "editors", "/staff": "staff"}})
    assert log_in(browser, provider)["groups"] == []
    assert log_in(browser, provider, "bob")["groups"] == ["editors"]


def test_the_records_are_in_the_database_of_the_project_and_sealed(browser: Browser, provider: Provider) -> None:
    from doorkey.login.django.models import StoredRecord

    log_in(browser, provider)
    stored = [bytes(one) for one in StoredRecord.objects.values_list("data", flat=True) if one is not None]
    assert len(stored) >= 3
    assert not any(b"alice" in one or b"access_token" in one for one in stored)


def test_the_test_client_of_django_logs_in_without_a_provider(browser: Browser) -> None:
    from django.contrib.auth.models import User
    from django.test import Client

    user = User.objects.create_user("tester")
    of_django = Client()
    of_django.force_login(user)
    assert of_django.get("/me").json()["username"] == "tester"
    assert of_django.get("/private").content == b"tester"


def test_the_routes_are_open_where_every_view_needs_a_login(make_browser: MakeBrowser, provider: Provider) -> None:
    of_django = "django.contrib.auth.middleware.LoginRequiredMiddleware"
    own = "doorkey.login.django.LoginMiddleware"
    browser = make_browser(MIDDLEWARE=[*MIDDLEWARE, own, of_django])
    assert browser.get("/me").status == 302
    assert log_in(browser, provider)["username"].startswith("alice-")


def test_a_token_that_cannot_be_renewed_leads_to_the_login(browser: Browser, provider: Provider) -> None:
    log_in(browser, provider)
    provider.expire_access_tokens()
    provider.reject_refresh_tokens()
    refused = browser.get("/api")
    assert (refused.status, refused.location) == (303, "/accounts/login?next=%2Fapi")
    assert browser.get("/me", JSON).json["pk"] is None


def test_a_database_that_fails_is_a_page_and_no_stack_trace(browser: Browser, provider: Provider) -> None:
    from django.db import connection

    log_in(browser, provider)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE doorkey_login_storedrecord RENAME TO gone")
    page = browser.get("/me")
    assert page.status == 503
    assert "not available now" in page.text


@pytest.mark.anyio
@pytest.mark.parametrize("path", ["/private", "/private-async"])
async def test_an_asynchronous_project_knows_the_same_user(
    browser: Browser, provider: Provider, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    from asgiref.sync import sync_to_async
    from django.test import AsyncClient

    await sync_to_async(forget_connections)()  # of the thread in which asynchronous projects block
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # of the lines before the request
    log_in(browser, provider)
    cookies = browser.cookies_of()
    monkeypatch.delenv("DJANGO_ALLOW_ASYNC_UNSAFE")
    client = AsyncClient(headers={"host": "127.0.0.1:8000"})
    refused = await client.get(path)
    client.cookies.load(cookies)
    answer = await client.get(path)
    await sync_to_async(forget_connections)()
    assert refused.status_code == 302
    assert answer.status_code == 200
    assert answer.content.decode().startswith("alice-")
