"""HTML pages for people: what the login and the authorization server show in a browser. Pure.

Each page is plain HTML with one style sheet. No page needs a script. `page_headers` are the headers to send with it.
"""

from __future__ import annotations

from doorkey.pages.headers import page_headers
from doorkey.pages.logins import choice_page, error_page, logged_out_page

__all__ = ["choice_page", "error_page", "logged_out_page", "page_headers"]
