"""Logging in as any user without a password: buttons on the login page of a provider with a control page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from doorkey.server.registrations import User
from doorkey.server.responses.parameters import form_of
from doorkey.wire.flow import Effect
from doorkey.wire.messages import Request, form_encoded

PICK = "pick_user"
"""The name of the buttons. The value of a button is the name of a user."""

MAX_USERS = 12
"""The limit of buttons on the login page."""


@dataclass(frozen=True, slots=True)
class UsersToPick(Effect[Mapping[str, User]]):
    """The users who may log in without a password, by name. Empty unless the provider has a control page."""


def pickable(users: Mapping[str, User]) -> dict[str, User]:
    """Return the last `MAX_USERS` of `users` who have a password, by name. The user who was added last comes first."""
    newest_first = [user for user in reversed(list(users.values())) if user.password is not None]
    return {user.username: user for user in newest_first[:MAX_USERS]}


def with_picked_user(request: Request, users: Mapping[str, User]) -> Request:
    """Return the login form with the name and the password of the user whose button was clicked.

    A form without such a button is returned unchanged. The form is then checked like any other. Raises
    `InvalidRequest` for a repeated parameter.
    """
    form = form_of(request)
    user = users.get(form.get(PICK) or "")
    if user is None or user.password is None:
        return request
    kept = [(name, form.get(name) or "") for name in form if name not in (PICK, "username", "password")]
    filled = [*kept, ("username", user.username), ("password", user.password.reveal())]
    return replace(request, body=form_encoded(filled).encode())
