"""The pages of the embedded provider, made from the results of its endpoints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from doorkey.dev.client_names import ClientNames
from doorkey.dev.login_buttons import PICK
from doorkey.pages.layout import page
from doorkey.pages.markup import EMPTY, attribute, fill, joined
from doorkey.pages.parts import button_link, details, done, form, frames, paragraph, problem, submit
from doorkey.server.endpoints.login import LoginNeeded
from doorkey.server.endpoints.logout import ConfirmLogout, LoggedOut
from doorkey.server.responses.responses import page_response
from doorkey.wire.messages import Response

SITE = "doorkey"
_FOR_DEVELOPERS = {
    "Client not found.": "The realm has no client with the client_id of this request, or one without the grant type "
    "authorization_code. Register it: Provider(clients=[client(…)]), or [[clients]] of the TOML file.",
    "Invalid parameter: redirect_uri": "The redirect URI of this request is not registered. Add it to redirect_uris of "
    "the client. It is compared exactly; only for a loopback address does any port match.",
    "Invalid redirect uri": "The post_logout_redirect_uri of this request is not registered. Add it to "
    "post_logout_redirect_uris of the client that client_id or id_token_hint names.",
    "Invalid parameter: id_token_hint": "This realm did not issue the ID token, or the client in client_id is not the "
    "client of the ID token.",
}
"""The fix for a developer, by the description of the error."""


def login_page(needed: LoginNeeded, names: ClientNames, action: str, realm: str, users: Iterable[str] = ()) -> Response:
    """Return the page with the form for a user name and a password. It also reports a wrong password, or a delay.

    users: the names of the users who have a button to log in without a password.
    """
    wrong = ""
    if needed.retry_after is not None:
        wrong = too_often(needed.retry_after)
    elif needed.failed:
        wrong = "The user name or the password is wrong."
    described = fill(' aria-invalid="true" aria-describedby="problem"') if wrong else EMPTY
    focus = fill(" autofocus")
    fields = fill(
        """<label for="username">User name</label>
<input id="username" name="username" type="text" autocomplete="username" autocapitalize="none" spellcheck="false" \
required value="{username}"{described}{first}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required{described}{second}>""",
        username=attribute(needed.username),
        described=described,
        first=EMPTY if needed.username else focus,
        second=focus if needed.username else EMPTY,
    )
    hidden = (("transaction", needed.login_id), ("csrf", needed.csrf))
    content = form(action, hidden, fields, submit("Log in"))
    picks = joined(submit(f"Log in as {name}", name=PICK, value=name, other=True) for name in users)
    if picks:
        picks = joined((paragraph("For development, without a password:", soft=True), form(action, hidden, picks)))
    title = f"Log in to {realm}"
    your_account = fill("<strong>your account</strong>")
    goal = your_account if needed.client_id is None else names.marked(needed.client_id)
    to_client = fill("<p>You will go on to {goal}.</p>", goal=goal)
    parts = (problem(wrong) if wrong else EMPTY, to_client, content, picks)
    text = page(title, *parts, site=SITE, tab=f"Problem: {title}" if wrong else title)
    if needed.retry_after is None:
        return page_response(text)
    response = page_response(text, 429)
    return replace(response, headers=(*response.headers, ("Retry-After", str(needed.retry_after))))


def error_page(description: str, status: int) -> Response:
    """Return the page that explains to the user why the login cannot continue."""
    fix = (
        "Go back to the application and try again. If this happens again, send the text of this page to its developer."
    )
    note = details("For the developer of the application", _FOR_DEVELOPERS.get(description, ""))
    return page_response(page("We are sorry", problem(description), paragraph(fix), note, site=SITE), status)


def logout_page(confirm: ConfirmLogout, action: str) -> Response:
    """Return the page that asks whether to log out."""
    question = paragraph("Do you want to log out?")
    content = form(action, (("csrf", confirm.csrf), *confirm.fields), question, submit("Log out"))
    return page_response(page("Log out", content, site=SITE))


def logged_out_page(ended: LoggedOut, script: str) -> Response:
    """Return the page that reports the end of the session, notifies clients by frames, and has a link to the app.

    The script at the URL `script` follows the link after the frames have been loaded.
    """
    back = EMPTY
    if ended.redirect is not None:
        back = button_link(ended.redirect, "Go back to the application", goes_on=True)
    runs = None if ended.redirect is None else script
    text = page("Logged out", done("You are logged out."), frames(ended.frames), back, site=SITE, script=runs)
    return page_response(text, frames=ended.frames, script=runs)


def too_often(retry_after: int) -> str:
    """Return the sentence that a page shows after too many wrong passwords or codes; `retry_after` is in seconds."""
    return f"Too many failed logins. Try again in {_duration(retry_after)}."


def _duration(seconds: int) -> str:
    number, unit = (-(-seconds // 60), "minute") if seconds > 60 else (seconds, "second")
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"
