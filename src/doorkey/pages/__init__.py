"""The HTML pages for people that the login and the authorization server show in a browser. Pure.

Each page is plain HTML with one style sheet. No page needs a script. `page_headers` returns the headers of a page.
"""

from __future__ import annotations

from doorkey.pages.headers import page_headers
from doorkey.pages.logins import choice_page, error_page, logged_out_page

__all__ = ["choice_page", "error_page", "logged_out_page", "page_headers"]
