"""`LoginBackend`: authenticates the user of a finished login, and has the permissions of Django's own backend."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.http import HttpRequest

from doorkey.login.django.apps import project_login
from doorkey.login.django.users import claim_values, set_groups, user_of_identity
from doorkey.login.web.user import User

__all__ = ["LoginBackend"]


class LoginBackend(ModelBackend):
    """The backend of logins, for the setting `AUTHENTICATION_BACKENDS`.

    It accepts no passwords. Add ``django.contrib.auth.backends.ModelBackend`` for users with a password.
    """

    def authenticate(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self, request: HttpRequest | None, login_user: User | None = None, **credentials: Any
    ) -> Any:
        """Return the project's user for a finished login. Return None without a login or user, or for an inactive user.

        request, credentials: ignored; Django passes them.
        login_user: the user of the finished login.
        """
        if not isinstance(login_user, User):
            return None
        options, known = project_login().users, login_user.claims
        user = user_of_identity(login_user.iss, login_user.sub, known, create=options.create_users)
        if user is None or not self.user_can_authenticate(user):
            return None
        if options.groups:
            set_groups(user, claim_values(known, options.groups_claim), options.groups)
        return user
