"""The replies for people: errors, as a page or as JSON, and the pages of a login."""

from __future__ import annotations

import math
from collections.abc import Iterable
from copy import copy

from doorkey.errors import InvalidResponse, OAuthError, ServerError, TransportError, UsageError, VerificationError
from doorkey.login.errors import LoginError, LoginRefused
from doorkey.login.web.errors import ForgedLogout
from doorkey.login.web.messages import WebReply, WebRequest, html_reply, json_reply
from doorkey.observe.logs import logger
from doorkey.pages import choice_page, error_page, logged_out_page, page_headers
from doorkey.pages.layout import page
from doorkey.pages.parts import form, paragraph, problem, submit

_PROVIDER_FAILED = "The provider did not respond as expected."
_LATER = "Try again in a moment."
_SITE_PROBLEM = "This site has a problem"
_TELL = "Tell the people who run this site."
_WRONG_CLIENT = ("invalid_client", "unauthorized_client")
"""Keycloak responds to a wrong secret with `unauthorized_client`, in place of `invalid_client` (RFC 6749 §5.2)."""
_CREDENTIALS = (
    "Compare the client ID and the client secret with the registration at the provider: DOORKEY_CLIENT_ID and "
    "DOORKEY_CLIENT_SECRET, or client_id= and client_secret=."
)


def error_reply(
    error: OAuthError,
    request: WebRequest,
    *,
    retry_path: str | None,
    site: str = "",
    cookies: Iterable[tuple[str, str]] = (),
) -> WebReply:
    """Return the reply for an error: a page for a browser, otherwise JSON with the members of RFC 6749 §5.2."""
    status = status_of(error)
    level = logger.info if isinstance(error, LoginError) else logger.warning if status < 500 else logger.error
    shown = str(error)
    level("a login failed: %s", shown if shown.startswith(error.code) else f"{error.code}: {shown}")
    headers: list[tuple[str, str]] = list(cookies)
    if isinstance(error, ServerError) and error.retry_after is not None:
        headers.append(("Retry-After", f"{math.ceil(error.retry_after)}"))
    title, cause, fix, note = explanation_of(error)
    if not request.wants_html:
        members = {"error": error.error, "error_description": f"{cause} {fix}", "code": error.code}
        return json_reply(status, {**members, **({"login_url": retry_path} if retry_path else {})}, headers)
    text = error_page(title, cause, fix, retry_url=retry_path, developer_note=note, site=site)
    return html_reply(status, text, (*page_headers(), *headers))


def status_of(error: OAuthError) -> int:
    """Return the status of the reply, which is 503 if a later attempt may succeed."""
    if isinstance(error, LoginRefused | ForgedLogout):
        return 403
    if isinstance(error, UsageError):
        return 500
    if isinstance(error, VerificationError):
        return 400
    if isinstance(error, TransportError | InvalidResponse):
        return 503
    if isinstance(error, ServerError):
        later = error.status is None or error.status >= 500 or error.status == 429
        return 503 if later or error.retry_after is not None else 502
    return 500


def explanation_of(error: OAuthError) -> tuple[str, str, str, str]:
    """Return the title, the cause, the fix for the user, and the note for the developer."""
    if isinstance(error, LoginError):
        return error.title, error.problem, error.fix, error.for_developers
    if isinstance(error, ServerError) and error.error in _WRONG_CLIENT:
        return _SITE_PROBLEM, "The provider did not accept this site's credentials.", _TELL, f"{error}. {_CREDENTIALS}"
    if isinstance(error, TransportError | InvalidResponse | ServerError):
        return "The login is not available now", _PROVIDER_FAILED, _LATER, _without_excerpt(error)
    if isinstance(error, VerificationError):
        cause = "The provider's response did not pass a check."
        return "The login failed", cause, "Start the login again.", str(error)
    return _SITE_PROBLEM, "The login of this site is not set up correctly.", _LATER, str(error)


def _without_excerpt(error: OAuthError) -> str:
    """Return the text of an error without the response that it quotes, which visitors must not see."""
    if not isinstance(error, InvalidResponse) or not error.excerpt:
        return str(error)
    plain = copy(error)
    plain.excerpt = ""
    return f"{plain}. The log of this site shows how the response begins."


def choice_reply(choices: Iterable[tuple[str, str]], site: str) -> WebReply:
    """Return the page on which the user chooses a provider.

    choices: pairs of a label and a path.
    """
    return html_reply(200, choice_page(choices, site=site), page_headers())


def logged_out_reply(login_path: str, home: str, site: str) -> WebReply:
    """Return the logout page for a browser that is not logged in."""
    return html_reply(200, logged_out_page(login_url=login_path, home_url=home, site=site), page_headers())


def logout_reply(action: str, csrf_token: str, site: str, warning: str = "", status: int = 200) -> WebReply:
    """Return the page that asks whether to log out."""
    button = form(action, [("csrf_token", csrf_token)], submit("Log out"))
    note = problem(warning) if warning else paragraph("Do you want to log out?")
    return html_reply(status, page("Log out", note, button, site=site), page_headers())
