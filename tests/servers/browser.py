"""Acting as the user in front of the real servers, without a browser.

    callback = Browser(keycloak.name).authorize(authorization_url, CALLBACK)

follows the redirects by hand, fills in the login form, agrees to the consent form, and returns the URL at
which the client would be called back; nothing needs to listen there. For `form_post` the posted fields come
as its query.
"""

import html
import http.cookiejar
import os
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urljoin

import requests
from requests.cookies import RequestsCookieJar

USERS = {
    "keycloak": ("alice", "wonderland"),
    "oidc-provider": ("alice", "any password"),
    "django-oauth-toolkit": ("-".join(filter(None, ("alice", os.environ.get("PYTEST_XDIST_WORKER")))), "wonderland"),
}


@dataclass(slots=True)
class Form:
    """A form of a page: its fields with their values, and its buttons apart from them."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict[str, str])
    buttons: dict[str, str] = field(default_factory=dict[str, str])


def _attributes(tag: str) -> dict[str, str]:
    found: list[tuple[str, str]] = re.findall(r'([\w-]+)\s*=\s*"([^"]*)"', tag)
    return {name.lower(): html.unescape(value) for name, value in found}


def forms(page: str, base: str) -> list[Form]:
    """Every form of a page."""
    found: list[Form] = []
    pairs: list[tuple[str, str]] = re.findall(r"<form\b([^>]*)>(.*?)</form>", page, re.DOTALL | re.IGNORECASE)
    for opening, body in pairs:
        head = _attributes(opening)
        form = Form(urljoin(base, head.get("action") or base), head.get("method", "get").lower())
        tags: list[str] = re.findall(r"<(?:input|button)\b[^>]*>", body, re.IGNORECASE)
        for tag in tags:
            about = _attributes(tag)
            if name := about.get("name"):
                kind = form.buttons if about.get("type") == "submit" else form.fields
                kind[name] = about.get("value", "")
        found.append(form)
    return found


class _Jar(RequestsCookieJar):
    """As browsers do: loopback counts as secure, so that Secure cookies go over http there."""

    def set_cookie(self, cookie: http.cookiejar.Cookie, *args: Any, **kwargs: Any) -> None:
        cookie.secure = False
        super().set_cookie(cookie, *args, **kwargs)  # pyright: ignore[reportUnknownMemberType]


class Browser:
    """One user with one cookie jar, in front of one kind of server (its `RealServer.name`)."""

    def __init__(
        self, server: str, user: str | None = None, password: str | None = None, *, agree: bool = True
    ) -> None:
        usual = USERS.get(server, USERS["keycloak"])  # our embedded provider has Keycloak's users
        self.server, self.agree = server, agree
        self.user, self.password = user or usual[0], password or usual[1]
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.cookies = _Jar()

    def close(self) -> None:
        """Close its connections."""
        self.session.close()

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def authorize(self, url: str, callback: str) -> str:
        """From an authorization URL to the callback. A page with no way on is a RuntimeError."""
        answer = self.session.get(url, allow_redirects=False)
        for _ in range(20):
            if answer.is_redirect:
                target = urljoin(answer.url, answer.headers["location"])
                if target.startswith(callback):
                    return target
                answer = self.session.get(target, allow_redirects=False)
                continue
            if answer.status_code != 200:
                raise RuntimeError(f"{answer.status_code} at {answer.url}: {answer.text[:500]}")
            form = next((f for f in forms(answer.text, answer.url) if f.method == "post"), None)
            if form is None:
                raise RuntimeError(f"no form at {answer.url}: {answer.text[:500]}")
            if form.action.startswith(callback):
                return f"{callback}?{urlencode(form.fields)}"
            if not self.agree and self.server == "oidc-provider" and form.fields.get("prompt"):
                answer = self.session.get(form.action + "/abort", allow_redirects=False)
                continue
            answer = self._submit(form, answer.url, follow=False)
        raise RuntimeError(f"too many steps, now at {answer.url}")

    def device(self, answer: dict[str, Any]) -> None:
        """Approve (or, with agree=False, refuse) a device authorization response as the user."""
        page = self.session.get(answer.get("verification_uri_complete") or answer["verification_uri"])
        for _ in range(6):
            form = next((f for f in forms(page.text, page.url) if f.method == "post"), None)
            if form is None:
                return
            if form.fields.get("user_code") == "":
                form.fields["user_code"] = answer["user_code"]
            if not self.agree and "confirm" in form.fields:  # oidc-provider has its button outside of the form
                form.fields["abort"] = "yes"
                self._submit(form, page.url, follow=True)
                return
            if self.server == "django-oauth-toolkit" and "action" in form.buttons:
                form.fields["action"] = "accept" if self.agree else "deny"
            page = self._submit(form, page.url, follow=True)

    def _submit(self, form: Form, referer: str, *, follow: bool) -> requests.Response:
        fields = dict(form.fields)
        for name in fields:
            if name in ("login", "username"):
                fields[name] = self.user
            elif name == "password":
                fields[name] = self.password
        if self.agree and "allow" in form.buttons:  # django-oauth-toolkit's consent
            fields["allow"] = form.buttons["allow"]
        if "accept" in form.buttons and "cancel" in form.buttons:  # Keycloak's consent
            button = "accept" if self.agree else "cancel"
            fields[button] = form.buttons[button]
        if self.agree:
            fields.pop("abort", None)  # oidc-provider's device page
        headers = {"Referer": referer}
        return self.session.post(form.action, data=fields, headers=headers, allow_redirects=follow)
