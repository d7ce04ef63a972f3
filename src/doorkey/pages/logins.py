"""The pages of a login in an application: an error, the choice of a provider, and the end of a session."""

from __future__ import annotations

from collections.abc import Iterable

from doorkey.pages.layout import page
from doorkey.pages.markup import EMPTY, fill, joined
from doorkey.pages.parts import button_link, details, done, paragraph, problem


def error_page(
    title: str,
    cause: str,
    fix: str,
    *,
    retry_url: str | None = None,
    retry_label: str = "Try again",
    developer_note: str | None = None,
    site: str = "",
) -> str:
    """Return the page that explains an error.

    title: the heading.
    cause: what happened, in words for the end user.
    fix: what the end user can do.
    retry_url: the URL that begins the login again; None: the page has no such link.
    retry_label: the text of that link.
    developer_note: what the developer of the application must change. It is collapsed at first.
    site: the name of the application, above the page and in its title.

    Raises `UsageError` for a `retry_url` that a browser would run as code.
    """
    return page(
        title,
        problem(cause),
        paragraph(fix),
        EMPTY if retry_url is None else button_link(retry_url, retry_label),
        details("For the developer of this application", developer_note or ""),
        site=site,
    )


def choice_page(
    providers: Iterable[tuple[str, str]], *, title: str = "Log in", text: str = "Choose how to log in.", site: str = ""
) -> str:
    """Return the page on which the user chooses a provider.

    providers: for each provider, its name and the URL that begins a login there.

    Raises `UsageError` for a URL that a browser would run as code.
    """
    items = (
        fill("<li>{link}</li>", link=button_link(url, f"Continue with {label}", other=True)) for label, url in providers
    )
    choices = fill('<nav aria-label="Providers">\n<ul class="choices">\n{items}\n</ul>\n</nav>', items=joined(items))
    return page(title, paragraph(text), choices, site=site)


def logged_out_page(*, login_url: str | None = None, home_url: str | None = None, site: str = "") -> str:
    """Return the page that states that the session has ended.

    login_url: the URL at which the user can log in again.
    home_url: the URL of another page of the application.

    Raises `UsageError` for a URL that a browser would run as code.
    """
    home = EMPTY if home_url is None else button_link(home_url, "Go to the start page", other=login_url is not None)
    again = EMPTY if login_url is None else button_link(login_url, "Log in again")
    return page("Logged out", done("You are logged out."), again, home, site=site)
