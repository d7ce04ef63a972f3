"""`RestFrameworkGuard`: authentication and permission classes of Django REST framework."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException
from rest_framework.permissions import BasePermission

from doorkey.arguments import function
from doorkey.protocol.protected_resource import ProtectedResource
from doorkey.protocol.rejections import InvalidAccessToken
from doorkey.resource.access_token import AccessToken
from doorkey.resource.framework_guard import CertificateSource, Claims, accepted_without_token, requirement_of
from doorkey.resource.guard import DPoPCheck
from doorkey.resource.messages import Rejection
from doorkey.resource.on_django import DjangoGuard
from doorkey.resource.requirement import Requirement
from doorkey.resource.verifier import AccessTokenVerifier

if TYPE_CHECKING:
    from rest_framework.request import Request
    from rest_framework.views import APIView

__all__ = ["RestFrameworkGuard", "TokenUser"]

_ANY: Final = Requirement()


@dataclass(frozen=True, slots=True)
class TokenUser:
    """The user of a request, described by the access token only. `pk` is the subject at `access_token.issuer`.

    access_token: the verified access token.

    The user has no Django permissions and is not a member of the staff, because a token has scopes and claims instead.
    """

    access_token: AccessToken
    is_authenticated: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False
    is_active: ClassVar[bool] = True
    is_staff: ClassVar[bool] = False
    is_superuser: ClassVar[bool] = False

    @property
    def pk(self) -> str | None:
        """The subject of the token."""
        return self.access_token.sub

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Return False.

        perm: the name of a Django permission.
        obj: the object of the permission, or None.
        """
        return False

    def has_perms(self, perm_list: Iterable[str], obj: object = None) -> bool:
        """Return False, unless `perm_list` is empty.

        perm_list: names of Django permissions.
        obj: the object of the permissions, or None.
        """
        return not perm_list

    def has_module_perms(self, app_label: str) -> bool:
        """Return False.

        app_label: the name of an application of the project.
        """
        return False

    def __str__(self) -> str:
        return self.access_token.sub or ""


class RestFrameworkGuard(DjangoGuard):
    """Checks the access token of each request to an API of Django REST framework.

    ``authentication_classes = [guard.authentication]`` sets `request.auth` to the `AccessToken` and `request.user`;
    ``permission_classes = [guard.permission("orders:read")]`` requires scopes or claims of the token. The verifier must
    be an `AccessTokenVerifier`.

    user: a function that returns the user for an `AccessToken`, for instance an instance of your user model. If there
        is no such user, it returns None, and the request is rejected. The default is a `TokenUser`.

    The other arguments are those of `FrameworkGuard`.
    """

    _blocks: ClassVar[bool] = True

    def __init__(
        self,
        verifier: AccessTokenVerifier,
        *,
        realm: str | None = None,
        resource: str | ProtectedResource | None = None,
        token_in_query: bool = False,
        dpop: DPoPCheck | None = None,
        client_certificate: CertificateSource = None,
        user: Callable[[AccessToken], Any] | None = None,
    ) -> None:
        super().__init__(
            verifier,
            realm=realm,
            resource=resource,
            token_in_query=token_in_query,
            dpop=dpop,
            client_certificate=client_certificate,
        )
        if user is not None:
            function(user, "user must be a function that returns the user of an AccessToken")
        self._user = user or TokenUser

    @cached_property
    def authentication(self) -> type[BaseAuthentication]:
        """The authentication class. A request without a token is unauthenticated; an invalid token is rejected."""
        return type("AccessTokenAuthentication", (_Authentication,), {"owner": self})

    def permission(
        self,
        *scopes: str,
        claims: Claims | None = None,
        acr: str | Iterable[str] = (),
        max_age: float | None = None,
    ) -> type[BasePermission]:
        """Return a permission class that requires an access token.

        scopes, claims, acr, max_age: the requirement for the token; see `Requirement`.

        Raises `UsageError` for invalid arguments.
        """
        requirement = requirement_of(scopes, claims, acr, max_age)
        return type("AccessTokenPermission", (_Permission,), {"owner": self, "requirement": requirement})

    def _checked(self, request: Request, requirement: Requirement = _ANY) -> AccessToken | Rejection:
        """Return the token of a request, or the rejection."""
        return self.guard.check(self._api_request(request._request), requirement)


class _Rejected(APIException):
    """A rejection as an exception, from which the framework makes the response with its status and its challenge."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(json.loads(rejection.body))
        self.status_code = rejection.status
        self.auth_header = rejection.challenge
        pause: float | None = getattr(rejection.error, "retry_after", None)
        self.wait = None if pause is None else math.ceil(pause)


class _Authentication(BaseAuthentication):
    owner: ClassVar[RestFrameworkGuard]

    def authenticate(self, request: Request) -> tuple[Any, AccessToken] | None:
        """Return the user and the token, or None for a request without a token."""
        found = self.owner._checked(request)
        if accepted_without_token(found, optional=True):
            return None
        if isinstance(found, Rejection):
            raise _Rejected(found)
        user = self.owner._user(found)
        if user is None:
            unknown = InvalidAccessToken("sub", "is not a user of this API")
            raise _Rejected(self.owner.guard._rejection(unknown, "Bearer"))
        return user, found

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge for a request that another permission class has denied."""
        found = self.owner._checked(request)
        return (found.challenge if isinstance(found, Rejection) else None) or "Bearer"


class _Permission(BasePermission):
    owner: ClassVar[RestFrameworkGuard]
    requirement: ClassVar[Requirement]

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Return True, or raise the rejection. False would lose the challenge of the guard."""
        found = self.owner._checked(request, self.requirement)
        if isinstance(found, Rejection):
            raise _Rejected(found)
        return True
