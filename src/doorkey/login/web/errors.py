"""The errors that only the login's routes raise, in addition to those of a `LoginClient`."""

from __future__ import annotations

from doorkey.login.errors import LoginError

__all__: list[str] = []


class WrongAddress(LoginError):
    """A request arrived at an address that is not the base URL of the application."""

    code = "wrong_address"
    title = "This site does not know its own address"
    problem = "This request arrived at an address for which the site is not set up."
    fix = "Open the site at its usual address. If you did, tell the people who run it."


class ForgedLogout(LoginError):
    """A logout request did not come from a page of this application (RFC 9700 §4.7)."""

    code = "forged_logout"
    title = "You are still logged in"
    problem = "The request to log out did not come from a page of this site."
    fix = "Log out on this page."
    for_developers = (
        "A logout is a POST with the field csrf_token, or the header X-CSRF-Token, whose value is user.csrf_token."
    )


class SessionEnded(LoginError):
    """The provider ended the session while the login was being finished (Back-Channel Logout 1.0 §2.7)."""

    code = "session_ended"
    title = "You have been logged out"
    problem = "The provider ended this session while you were logging in."


class NoUser(LoginError):
    """The provider did not identify the user who logged in."""

    code = "no_user"
    title = "The provider did not name you"
    problem = "The provider logged a user in, but did not identify the user."
    fix = "Start the login again, or use another provider."
    for_developers = (
        "A provider without OpenID Connect needs a userinfo endpoint, and userinfo_compliance_fix= if its responses "
        "have no sub."
    )
