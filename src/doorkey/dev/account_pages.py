"""The consent page and the account page of the embedded provider."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime

from doorkey.dev.client_names import ClientNames
from doorkey.dev.pages import SITE
from doorkey.pages.layout import page
from doorkey.pages.markup import EMPTY, Html, fill, joined
from doorkey.pages.parts import form, paragraph, submit
from doorkey.server.endpoints.account import END, END_OTHERS, REVOKE, Account
from doorkey.server.endpoints.consent import ACCEPT, CANCEL, ConsentNeeded
from doorkey.server.model import Consent, Session
from doorkey.server.responses.responses import page_response
from doorkey.wire.messages import Response

_SCOPES = {
    "openid": "Know who you are",
    "profile": "See your name and your profile",
    "email": "See your email address",
    "address": "See your postal address",
    "phone": "See your phone number",
    "offline_access": "Keep access while you do not use it",
}
"""Descriptions of the scopes of OpenID Connect Core §5.4 and §11 for a user."""


def consent_page(needed: ConsentNeeded, names: ClientNames, action: str, account_url: str) -> Response:
    """Return the page that asks the user for consent to the scopes that a client requests."""
    intro = fill(
        "<p>{client} wants to use your account <strong>{user}</strong>. It asks to:</p>",
        client=names.marked(needed.client_id),
        user=needed.username,
    )
    buttons = joined(
        (submit("Allow", name=ACCEPT, value="Yes"), submit("Do not allow", name=CANCEL, value="No", other=True))
    )
    note = fill(
        '<p class="soft">You can revoke this at any time in <a href="{url}">your account</a>.</p>', url=account_url
    )
    fields = (("transaction", needed.consent_id), ("csrf", needed.csrf))
    title = f"Allow {names.title(needed.client_id)}?"
    content = form(action, fields, buttons)
    return page_response(page(title, intro, scope_list(needed.scope), content, note, site=SITE))


def account_page(shown: Account, names: ClientNames, action: str, logout_url: str, now: float) -> Response:
    """Return the page with the sessions and the consents of a user, at the time `now` (POSIX seconds)."""
    csrf = (("csrf", shown.csrf),)
    sessions: list[Html] = []
    for number, one in enumerate((shown.current, *shown.others), 1):
        title = f"Session {number}" if number > 1 else "This browser"
        end = form(action, csrf, _end(one, title[0].lower() + title[1:]))
        sessions.append(_session(one, title, now, names, end))
    others = EMPTY
    if shown.others:
        others = form(action, csrf, submit("End all other sessions", name=END_OTHERS, value="yes", other=True))
    consents = paragraph("You have allowed no application anything.", soft=True)
    if shown.consents:
        consents = _list(_consent(one, names, form(action, csrf, _revoke(one, names))) for one in shown.consents)
    text = page(
        "Your account",
        fill("<p>You are logged in as <strong>{user}</strong>.</p>", user=shown.username),
        fill("<h2>Sessions</h2>"),
        _list(sessions),
        others,
        fill("<h2>Applications that you have allowed</h2>"),
        consents,
        fill('<p><a href="{url}">Log out</a></p>', url=logout_url),
        site=SITE,
        wide=True,
    )
    return page_response(text)


def scope_list(scope: Iterable[str]) -> Html:
    """Return the list of the descriptions of scopes."""
    return fill("<ul>\n{items}\n</ul>", items=joined(fill("<li>{it}</li>", it=scope_description(one)) for one in scope))


def scope_description(scope: str) -> Html:
    """Return the description of a scope for a user. The description of an unknown scope contains its name."""
    known = _SCOPES.get(scope)
    return fill("Use <code>{scope}</code>", scope=scope) if known is None else fill("{known}", known=known)


def _session(session: Session, name: str, now: float, names: ClientNames, end: Html) -> Html:
    apps = ", ".join(dict.fromkeys(names.text(grant.client_id) for grant in session.grants))
    return _row(
        name,
        f"Used by {apps}" if apps else "Used by no application",
        f"Started {_ago(session.started_at, now)}, last used {_ago(session.seen_at, now)}",
        end,
    )


def _consent(consent: Consent, names: ClientNames, revoke: Html) -> Html:
    day = datetime.fromtimestamp(consent.given_at, UTC)
    given = f"Allowed on {day:%B} {day.day}, {day.year}"
    return _row(names.text(consent.client_id), f"Scopes: {', '.join(consent.scope)}", given, revoke)


def _row(name: str, first: str, second: str, button: Html) -> Html:
    return fill(
        '<li>\n<div class="about"><h3>{name}</h3>\n<p>{first}</p>\n<p class="soft">{second}</p></div>\n{button}\n</li>',
        name=name,
        first=first,
        second=second,
        button=button,
    )


def _list(rows: Iterable[Html]) -> Html:
    return fill('<ul class="rows">\n{rows}\n</ul>', rows=joined(rows))


def _end(session: Session, about: str) -> Html:
    return submit("End", name=END, value=session.id, other=True, about=about)


def _revoke(consent: Consent, names: ClientNames) -> Html:
    return submit("Revoke", name=REVOKE, value=consent.client_id, other=True, about=names.text(consent.client_id))


def _ago(moment: float, now: float) -> str:
    seconds = now - moment
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            number = math.floor(seconds / size)
            return f"{number} {unit}{'' if number == 1 else 's'} ago"
    return "just now"
