"""Programs of Authlib's documentation for Django."""

from __future__ import annotations

from typing import Any

import pytest

from tests.resource.validators.tokens import Model
from tests.support.django_apis import django_api
from tests.support.django_project import project
from tests.support.framework_requests import Call, bearer


@pytest.fixture
def require_oauth() -> Any:
    with project():
        from doorkey.integrations.django_oauth2 import BearerTokenValidator, ResourceProtector

        protector = ResourceProtector()
        protector.register_token_validator(BearerTokenValidator(Model))
        return protector


def api(view: Any, *, awaiting: bool = False) -> Any:
    with project():
        from django.urls import path

        return django_api([path("user", view)], awaiting=awaiting)


def profile(request: Any) -> Any:
    from django.http import JsonResponse

    return JsonResponse({"user": request.oauth_token.user if request.oauth_token else "public"})


async def aprofile(request: Any) -> Any:
    return profile(request)


@pytest.mark.parametrize("awaiting", [False, True])
def test_a_view_is_protected_by_a_scope(require_oauth: Any, awaiting: bool) -> None:
    ask = api(require_oauth("profile email")(aprofile if awaiting else profile), awaiting=awaiting)
    assert ask(bearer("good", path="/user")).json == {"user": "alice"}
    names = ("narrow", "none", "expired", "revoked", "unknown")
    assert [ask(bearer(name, path="/user")).status for name in names] == [403, 403, 401, 401, 401]
    missing = ask(Call("/user"))
    assert (missing.status, missing.challenge, missing.json["error"]) == (401, "Bearer", "missing_authorization")
    wrong = ask(bearer("unknown", path="/user"))
    assert 'error="invalid_token"' in (wrong.challenge or "")
    assert wrong.all("cache-control") == ["no-store"]


@pytest.mark.parametrize("called_with", [None, (), (None,)], ids=["bare", "empty", "None"])
def test_a_view_is_protected_without_a_scope(require_oauth: Any, called_with: Any) -> None:
    decorator = require_oauth if called_with is None else require_oauth(*called_with)
    ask = api(decorator(profile))
    assert ask(bearer("none", path="/user")).status == 200
    assert ask(Call("/user")).status == 401


def test_an_optional_view_runs_without_a_token(require_oauth: Any) -> None:
    ask = api(require_oauth(optional=True)(profile))
    assert ask(Call("/user")).json == {"user": "public"}
    assert ask(bearer("good", path="/user")).json == {"user": "alice"}
    assert ask(bearer("expired", path="/user")).status == 401


def test_a_view_acquires_the_token_itself(require_oauth: Any) -> None:
    from doorkey.integrations.django_oauth2 import return_error_response
    from doorkey.oauth2 import OAuth2Error

    def view(request: Any) -> Any:
        try:
            request.oauth_token = require_oauth.acquire_token(request, "profile email")
        except OAuth2Error as error:
            return return_error_response(error)
        return profile(request)

    ask = api(view)
    assert ask(bearer("good", path="/user")).json == {"user": "alice"}
    assert ask(bearer("narrow", path="/user")).status == 403
    assert ask(Call("/user")).status == 401


def test_a_signal_tells_of_accepted_requests(require_oauth: Any) -> None:
    from doorkey.integrations.django_oauth2 import token_authenticated

    seen: list[Any] = []

    def receiver(sender: Any, token: Any, **_: Any) -> None:
        seen.append((sender, token.user))

    token_authenticated.connect(receiver)
    try:
        api(require_oauth("profile")(profile))(bearer("good", path="/user"))
    finally:
        token_authenticated.disconnect(receiver)
    assert seen == [(type(require_oauth), "alice")]
