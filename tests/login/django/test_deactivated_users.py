"""A user whom the project has deactivated or deleted: the session in the store does not outlast that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from doorkey.testing import Provider
from tests.support.django_login_site import django_project
from tests.support.hostile_server import Hostile, reply
from tests.support.login_application import login_at, registered
from tests.support.login_browser import Browser
from tests.support.web_browser import JSON

SCRIPT = {**JSON, "X-CSRF": "1"}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider(clients=[registered()]) as running:
        yield running


@pytest.mark.parametrize("ending", ["deactivated", "deleted"])
def test_a_user_who_is_no_longer_active_gets_neither_the_api_nor_the_claims(
    provider: Provider, hostile: Hostile, ending: str
) -> None:
    def views() -> list[object]:
        from django.http import HttpRequest, JsonResponse
        from django.urls import include, path

        from doorkey.login.django import api_proxy, login_user

        def who(request: HttpRequest) -> JsonResponse:
            user = login_user(request)
            return JsonResponse({"sub": None if user is None else user.sub}, status=401 if user is None else 200)

        proxied = path("api/<path:path>", api_proxy(hostile.url("/v1")))
        return [path("auth/", include("doorkey.login.django.urls")), path("who", who), proxied]

    with django_project(login_at(provider), views) as site:
        from django.contrib.auth.models import User

        browser = Browser(site)
        browser.log_in(provider)
        hostile.on("/v1/a", reply(200, "fine"))
        asked = [("/api/a", SCRIPT), ("/auth/me", JSON), ("/who", JSON)]
        assert [browser.get(path, headers).status for path, headers in asked] == [200] * 3
        if ending == "deleted":
            User.objects.all().delete()
        else:
            User.objects.update(is_active=False)
        assert [browser.get(path, headers).status for path, headers in asked] == [401] * 3
        assert len(hostile.received) == 1
