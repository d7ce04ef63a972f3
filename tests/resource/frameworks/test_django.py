"""What only Django and its REST framework have: views of two kinds, classes, users, other permissions."""

from __future__ import annotations

from typing import Any

import pytest

from doorkey.errors import UsageError
from doorkey.resource import AccessToken, AccessTokenVerifier, AsyncAccessTokenVerifier
from doorkey.resource.on_django import DjangoGuard
from tests.support.django_apis import django_api
from tests.support.django_project import project
from tests.support.framework_requests import Call, bearer
from tests.support.resource_server import API, token


def test_a_blocking_view_with_an_asynchronous_verifier_is_a_usage_error(awaiting: AsyncAccessTokenVerifier) -> None:
    guard = DjangoGuard(awaiting)

    @guard.require()
    async def good(request: Any) -> None: ...

    with pytest.raises(UsageError, match="give an AccessTokenVerifier, or make the view async"):

        @guard.require()
        def bad(request: Any) -> None: ...

    middleware: Any = guard.middleware()
    assert (middleware.sync_capable, middleware.async_capable) == (False, True)


def test_a_decorated_view_keeps_its_name_and_its_marks(blocking: AccessTokenVerifier) -> None:
    with project():
        from django.views.decorators.csrf import csrf_exempt

    @csrf_exempt
    def orders(request: Any) -> None:
        """List the orders."""

    view: Any = DjangoGuard(blocking).require()(orders)
    assert (view.__name__, view.__doc__, view.csrf_exempt) == ("orders", "List the orders.", True)


@pytest.mark.parametrize("is_async", [False, True])
def test_a_class_of_views_is_protected(blocking: AccessTokenVerifier, is_async: bool) -> None:
    with project():
        from django.http import HttpRequest, JsonResponse
        from django.urls import path
        from django.views import View

    class Orders(View):
        def get(self, request: HttpRequest, number: int) -> JsonResponse:
            found: Any = request
            return JsonResponse({"sub": found.access_token.sub, "number": number})

    class AsyncOrders(View):
        async def get(self, request: HttpRequest, number: int) -> JsonResponse:
            found: Any = request
            return JsonResponse({"sub": found.access_token.sub, "number": number})

    view = (AsyncOrders if is_async else Orders).as_view()
    patterns = [path("orders/<int:number>", DjangoGuard(blocking).require("orders:read")(view))]
    api = django_api(patterns, awaiting=is_async)
    assert api(bearer(token(), path="/orders/7")).json == {"sub": "alice", "number": 7}
    assert api(Call("/orders/7")).status == 401


def rest(guard: Any, permissions: list[Any], authentications: list[Any] | None = None) -> Any:
    """An API of the REST framework with one view, which responds with the user."""
    with project():
        from django.urls import path
        from rest_framework.request import Request
        from rest_framework.response import Response
        from rest_framework.views import APIView

        class Endpoint(APIView):
            authentication_classes = authentications or [guard.authentication]
            permission_classes = permissions

            def get(self, request: Request) -> Response:
                return Response({"user": str(request.user), "pk": request.user.pk})

        return django_api([path("orders", Endpoint.as_view())])


def rest_guard(verifier: Any, **options: Any) -> Any:
    with project():
        from doorkey.resource.on_rest_framework import RestFrameworkGuard

        return RestFrameworkGuard(verifier, **options)


def test_the_user_is_the_subject_of_the_token(blocking: AccessTokenVerifier) -> None:
    with project():
        from rest_framework.permissions import IsAuthenticated

    api = rest(rest_guard(blocking), [IsAuthenticated])
    assert api(bearer(token())).json == {"user": "alice", "pk": "alice"}


def test_another_permission_class_denies_with_the_challenge_of_the_guard(blocking: AccessTokenVerifier) -> None:
    with project():
        from rest_framework.permissions import IsAuthenticated

    answer = rest(rest_guard(blocking, realm="orders", resource=API), [IsAuthenticated])(Call())
    assert answer.status == 401
    assert (answer.challenge or "").startswith('Bearer realm="orders", resource_metadata=')


def test_the_user_of_a_token_has_no_permission_of_django(blocking: AccessTokenVerifier) -> None:
    with project():
        from rest_framework.permissions import BasePermission, IsAdminUser

        class MayChangeOrders(BasePermission):
            def has_permission(self, request: Any, view: Any) -> bool:
                return bool(request.user.has_perms([]) and request.user.has_perm("shop.change_order"))

        class MayChangeAll(BasePermission):
            def has_permission(self, request: Any, view: Any) -> bool:
                user = request.user
                return bool(user.is_superuser or user.has_module_perms("shop") or user.has_perms(["shop.change_order"]))

    for permission in (IsAdminUser, MayChangeOrders, MayChangeAll):
        assert rest(rest_guard(blocking), [permission])(bearer(token())).status == 403


def test_the_program_finds_the_user_of_a_token(blocking: AccessTokenVerifier) -> None:
    class User:
        is_authenticated = True
        pk = 7

        def __str__(self) -> str:
            return "Alice"

    def user(token: AccessToken) -> User | None:
        return User() if (token.issuer, token.sub) == ("https://as.example", "alice") else None

    guard = rest_guard(blocking, user=user)
    api = rest(guard, [guard.permission("orders:read")])
    assert api(bearer(token())).json == {"user": "Alice", "pk": 7}
    answer = api(bearer(token(sub="mallory")))
    assert answer.status == 401
    assert 'error="invalid_token"' in (answer.challenge or "")


def test_permissions_are_combined_as_the_framework_combines_them(blocking: AccessTokenVerifier) -> None:
    with project():
        from rest_framework.permissions import AllowAny

    guard = rest_guard(blocking)
    both = guard.permission("orders:read") & AllowAny
    assert rest(guard, [both])(bearer(token())).status == 200
    assert rest(guard, [both])(bearer(token(scope="x"))).status == 403


def test_a_token_of_another_guard_does_not_count(blocking: AccessTokenVerifier, server: Any, clock: Any) -> None:
    from tests.resource.frameworks.conftest import verifier_of

    other = verifier_of(AccessTokenVerifier, server, clock, audience="https://other-api.example")
    ours, theirs = rest_guard(blocking), rest_guard(other)
    api = rest(ours, [theirs.permission()])
    assert api(bearer(token())).status == 401
    assert api(bearer(token(aud=[API, "https://other-api.example"]))).status == 200


def test_the_rest_framework_needs_a_verifier_that_blocks(awaiting: AsyncAccessTokenVerifier) -> None:
    with pytest.raises(UsageError, match="give an AccessTokenVerifier"):
        rest_guard(awaiting)
