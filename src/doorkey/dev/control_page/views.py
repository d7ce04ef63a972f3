"""The HTML of the control page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from doorkey.dev.control_page.actions import EXPIRE, FAILURES, MAX_SECONDS, REQUESTS, Controlled
from doorkey.dev.control_page.fields import checkbox, choice, fields, number_field
from doorkey.dev.control_page.people import Values, user_fields
from doorkey.dev.faults import MAX_TIMES
from doorkey.dev.keycloak import PROTOCOL
from doorkey.dev.request_log import LoggedRequest
from doorkey.pages.layout import page
from doorkey.pages.markup import EMPTY, Html, fill, href, joined
from doorkey.pages.parts import done, form, paragraph, problem, submit
from doorkey.server.registrations import Client, User
from doorkey.server.responses.responses import page_response
from doorkey.wire.messages import Response

SITE = "doorkey dev"
SHOWN = 50
"""The number of requests on a page, newest first."""
RELOAD_SECONDS = 2


@dataclass(frozen=True, slots=True, repr=False)
class Shown:
    """The values for every view: the path of the control page, the CSRF token of its forms, and the result or the
    problem of the last action."""

    path: str
    csrf: str
    done: str = ""
    problem: str = ""

    @property
    def note(self) -> Html:
        """The message about the last action, or nothing."""
        return problem(self.problem) if self.problem else done(self.done) if self.done else EMPTY

    def form(self, action: str, *content: Html, hidden: tuple[tuple[str, str], ...] = ()) -> Html:
        """Return a form that posts to an action of this page."""
        return form(self.path + action, (("csrf", self.csrf), *hidden), *content)


def overview(on: Controlled, shown: Shown) -> str:
    """Return the page with the state of a provider, and a form for each action."""
    return page(
        "Development provider",
        paragraph(
            "For development only: the passwords are public, and this page logs any user in without a password.",
            soft=True,
        ),
        shown.note,
        _state(on, shown),
        *_failing(on, shown),
        *_expiry(on, shown),
        fill("<h2>Users</h2>"),
        paragraph("The login page has a button for each user with a password. Edit a user to change the claims."),
        _list(_user(person, shown) for person in on.service.users.values()),
        _link(f"{shown.path}/user", "Add a user"),
        fill("<h2>Clients</h2>"),
        _list(_row(one.client_id, _kind(one)) for one in on.service.clients.values()),
        site=SITE,
        wide=True,
    )


def request_log(on: Controlled, shown: Shown, *, reloads: bool) -> str:
    """Return the page with the newest requests. `reloads` is whether the browser reloads the page periodically."""
    newest = list(on.log)[: -SHOWN - 1 : -1]
    here = f"{shown.path}/requests"
    again = _link(here, "Stop") if reloads else _link(f"{here}?reload=yes", f"Reload every {RELOAD_SECONDS} seconds")
    entries = fill("<p>No request yet.</p>")
    if newest:
        entries = joined(
            (_list(map(_request, newest)), shown.form("/clear-log", submit("Clear the log", other=True))),
        )
    return page(
        "Requests",
        paragraph("The log does not contain the values of parameters.", soft=True),
        shown.note,
        joined((_link(here, "Reload"), again, _link(shown.path, "Back"))),
        fill("<h2>Newest first</h2>"),
        entries,
        site=SITE,
        wide=True,
    )


def user_page(person: User | None, values: Values, shown: Shown) -> str:
    """Return the page that edits a user, or that adds a user if `person` is None."""
    hidden = () if person is None else (("name", person.username),)
    title = "Add a user" if person is None else f"User {person.username}"
    return page(
        title,
        shown.note,
        shown.form(
            "/user",
            user_fields(values, is_new=person is None),
            submit("Save"),
            hidden=hidden,
        ),
        _link(shown.path, "Back"),
        site=SITE,
        tab=f"Problem: {title}" if shown.problem else title,
        wide=True,
    )


def refusal(text: str, status: int) -> Response:
    """Return the page that states why a request was refused."""
    return page_response(page("Not possible", problem(text), site=SITE, tab="Problem"), status)


def _state(on: Controlled, shown: Shown) -> Html:
    live = [session for realm in on.service.realms for session in on.sessions(realm)]
    grants = [grant for session in live for grant in session.grants]
    token_responses = [one for one in on.log.to(f"{PROTOCOL}/token") if one.status == 200]
    facts = {
        "Time of the provider": f"{datetime.fromtimestamp(on.service.clock(), UTC):%Y-%m-%d %H:%M:%S} UTC",
        "Sessions": f"{len(live)}",
        "Refresh tokens": f"{sum(grant.refresh_id is not None for grant in grants)}",
        "Token responses": f"{len(token_responses)}",
        "Requests": f"{len(on.log)}",
    }
    items = (fill("<div><dt>{name}</dt><dd>{value}</dd></div>", name=name, value=text) for name, text in facts.items())
    issuers = (_row(realm, on.service.issuer_of(realm)) for realm in on.service.realms)
    return joined(
        (
            fill("<dl>\n{items}\n</dl>", items=joined(items)),
            _link(f"{shown.path}/requests", "Show the request log"),
            fill("<h2>Issuers</h2>"),
            _list(issuers),
        )
    )


def _failing(on: Controlled, shown: Shown) -> Iterable[Html]:
    yield fill("<h2>Make requests fail</h2>")
    yield shown.form(
        "/fail",
        fields(
            choice("requests", "Which requests", ((name, one.label) for name, one in REQUESTS.items())),
            choice("failure", "What happens", ((name, label) for name, (label, _) in FAILURES.items())),
            number_field("times", "How many", 1, most=MAX_TIMES),
        ),
        submit("Make them fail"),
    )
    if waiting := on.faults.unused:
        yield _list(_row("Waiting", text) for text in waiting)
        yield shown.form("/forget-faults", submit("Remove these faults", other=True))


def _expiry(on: Controlled, shown: Shown) -> Iterable[Html]:
    yield fill("<h2>Expire now</h2>")
    buttons = (submit(label, name="what", value=what, other=bool(n)) for n, (what, label) in enumerate(EXPIRE.items()))
    yield shown.form("/expire", fill('<div class="buttons">\n{buttons}\n</div>', buttons=joined(buttons)))
    yield fill("<h2>Advance the clock</h2>")
    yield shown.form(
        "/clock", fields(number_field("seconds", "Seconds", 3600, most=MAX_SECONDS)), submit("Advance the clock")
    )
    yield fill("<h2>Rotate the keys</h2>")
    yield shown.form(
        "/keys",
        fields(choice("realm", "Realm", ((name, name) for name in on.service.realms))),
        checkbox("withdraw", "Withdraw the earlier keys at once"),
        submit("Rotate the keys"),
    )


def _user(person: User, shown: Shown) -> Html:
    edit = fill(
        '<p><a href="{url}" aria-label="Edit: {name}">Edit</a></p>',
        url=href(f"{shown.path}/user/{person.sub}"),
        name=person.username,
    )
    name = " ".join(part for part in (person.given_name, person.family_name) if part)
    return _row(person.username, " · ".join(part for part in (name, person.email) if part) or "No name", edit)


def _kind(client: Client) -> str:
    proof = "public" if client.is_public else " or ".join(client.auth_methods)
    return f"{proof}; {', '.join(sorted(client.grants))}"


def _request(one: LoggedRequest) -> Html:
    grant = f" · {one.grant_type}" if one.grant_type else ""
    status = "reset" if not one.status else str(one.status)
    return _row(f"{one.method} {one.path}", f"{status}{grant} · {' '.join(one.parameters) or 'no parameters'}")


def _row(name: str, text: str, more: Html = EMPTY) -> Html:
    return fill(
        '<li>\n<div class="about"><h3>{name}</h3>\n<p class="soft">{text}</p></div>\n{more}\n</li>',
        name=name,
        text=text,
        more=more,
    )


def _list(rows: Iterable[Html]) -> Html:
    return fill('<ul class="rows">\n{rows}\n</ul>', rows=joined(rows))


def _link(url: str, label: str) -> Html:
    return fill('<p><a href="{url}">{label}</a></p>', url=href(url), label=label)
