"""The pages for people: plain HTML that works with a keyboard, a screen reader, and without scripts or style
files."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from urllib.parse import urlsplit

from doorkey.server.endpoints.login import LoginNeeded
from doorkey.server.endpoints.logout import ConfirmLogout, LoggedOut
from doorkey.server.responses.responses import hidden_fields, html, script_source
from doorkey.wire.messages import Response

_STYLE = """
body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 24rem; margin: 3rem auto; padding: 0 1rem;
  color: #1a1a1a; background: #fff; }
label { display: block; margin-top: 1rem; font-weight: 600; }
input { font: inherit; width: 100%; box-sizing: border-box; padding: .5rem; border: 1px solid #595959;
  border-radius: .25rem; }
button { font: inherit; font-weight: 600; margin-top: 1.5rem; padding: .6rem 1.5rem; border: 0; border-radius: .25rem;
  color: #fff; background: #0b4fa8; }
:focus-visible { outline: 3px solid #e08600; outline-offset: 2px; }
.alert { padding: .75rem; border-left: .3rem solid #b00020; background: #fdecee; }
@media (prefers-color-scheme: dark) {
  body { color: #eee; background: #16181c; }
  input { color: inherit; background: #000; border-color: #999; }
  .alert { background: #3a1016; }
}
"""


_GO_ON = 'addEventListener("load", () => document.getElementById("continue").click())'


def login_page(needed: LoginNeeded, action: str, realm: str) -> Response:
    """Return the form that asks for a name and a password. It states that they were wrong, or wrong too often."""
    alert = described = problem = ""
    if needed.retry_after is not None:
        problem = f"Too many failed logins. Try again in {_duration(needed.retry_after)}."
    elif needed.failed:
        problem = "The user name or the password is wrong."
    if problem:
        alert = f'<p class="alert" role="alert" id="problem">{problem}</p>'
        described = ' aria-invalid="true" aria-describedby="problem"'
    focus = ("", " autofocus") if needed.username else (" autofocus", "")
    content = f"""{alert}
<p>to go on to <strong>{escape(needed.client_id)}</strong></p>
<form method="post" action="{escape(action)}">
<input type="hidden" name="transaction" value="{escape(needed.login_id)}">
<input type="hidden" name="csrf" value="{escape(needed.csrf)}">
<label for="username">User name</label>
<input id="username" name="username" type="text" autocomplete="username" autocapitalize="none" spellcheck="false" \
required value="{escape(needed.username)}"{described}{focus[0]}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required{described}{focus[1]}>
<button type="submit">Log in</button>
</form>"""
    title = f"Log in to {realm}"
    page_title = f"Problem: {title}" if problem else title
    if needed.retry_after is None:
        return _page(title, content, page_title=page_title)
    page = _page(title, content, 429, page_title)
    return replace(page, headers=(*page.headers, ("Retry-After", str(needed.retry_after))))


def error_page(description: str, status: int) -> Response:
    """Return the page that explains to a person why the login cannot continue."""
    return _page("We are sorry", f'<p class="alert" role="alert">{escape(description)}</p>', status)


def logout_page(confirm: ConfirmLogout, action: str) -> Response:
    """Return the page that asks whether to log out."""
    content = f"""<form method="post" action="{escape(action)}">
{hidden_fields((("csrf", confirm.csrf), *confirm.fields))}
<p>Do you want to log out?</p>
<button type="submit">Log out</button>
</form>"""
    return _page("Log out", content)


def logged_out_page(ended: LoggedOut) -> Response:
    """Return the page that states that the session has ended, tells the clients in frames, and goes on to the app."""
    parts = ['<p role="status">You are logged out.</p>']
    parts += [f'<iframe src="{escape(frame)}" title="Logging out of an app" hidden></iframe>' for frame in ended.frames]
    allowed = ""
    if ended.frames:
        origins = dict.fromkeys("{0.scheme}://{0.netloc}".format(urlsplit(uri)) for uri in ended.frames)
        allowed = f"; frame-src {' '.join(origins)}"
    if ended.redirect is not None:
        parts.append(f'<p><a id="continue" href="{escape(ended.redirect)}">Go back to the app</a></p>')
        parts.append(f"<script>{_GO_ON}</script>")
        allowed += f"; {script_source(_GO_ON)}"
    return _page("Logged out", "\n".join(parts), allowed=allowed)


def _duration(seconds: int) -> str:
    number, unit = (-(-seconds // 60), "minute") if seconds > 60 else (seconds, "second")
    return f"{number} {unit}" if number == 1 else f"{number} {unit}s"


def _page(
    heading: str, content: str, status: int = 200, page_title: str | None = None, *, allowed: str = ""
) -> Response:
    text = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(page_title or heading)} · doorkey</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{escape(heading)}</h1>
{content}
</main>
</body>
</html>
"""
    return html(text, f"style-src 'unsafe-inline'{allowed}", status)
