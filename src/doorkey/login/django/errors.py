"""The errors of logins that only a Django project has."""

from __future__ import annotations

from doorkey.login.errors import LoginError

__all__: list[str] = []


class NoAccount(LoginError):
    """The project has no active user for this user of the provider."""

    code = "no_account"
    title = "You cannot log in here"
    problem = "The provider logged you in, but this site has no active account for you."
    fix = "Ask the people who run this site for an account."
    for_developers = (
        "The user is not active, or DOORKEY_LOGIN has create_users=False and there is no Identity of this issuer and "
        "subject."
    )
