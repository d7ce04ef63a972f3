"""Real providers as an application of a test has them: a client is registered for it, and a user logs in by browser.

registered = register(keycloak, "http://127.0.0.1:8000")
steps = at_provider(page, "http://127.0.0.1:8000")        # ["login", "consent"]
"""

from __future__ import annotations

import json
import secrets
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.servers.handle import RealServer
from tests.servers.keycloak_realms import Admin

if TYPE_CHECKING:
    from playwright.sync_api import Page

USER: Final = ("alice", "wonderland")
MOST_PAGES: Final = 6


@dataclass(frozen=True, slots=True)
class Registered:
    """A client at a provider."""

    issuer: str
    client_id: str
    client_secret: str


@dataclass(frozen=True, slots=True)
class Routes:
    """Where an application has what the provider must know."""

    callback: str = "/auth/callback"
    logged_out: str = "/"
    backchannel: str | None = "/auth/backchannel-logout"


def register(server: RealServer, origin: str, routes: Routes | None = None) -> Registered:
    """Register a client for the application at `origin`, which must ask its user for consent."""
    return {"keycloak": _at_keycloak, "oidc-provider": _at_oidc_provider}[server.name](
        server, origin, routes or Routes()
    )


def _at_keycloak(server: RealServer, origin: str, routes: Routes) -> Registered:
    client_id, secret = f"app-{secrets.token_hex(4)}", secrets.token_urlsafe()
    attributes = {"post.logout.redirect.uris": origin + routes.logged_out}
    if routes.backchannel is not None:
        attributes["backchannel.logout.url"] = origin + routes.backchannel
        attributes["backchannel.logout.session.required"] = "true"
    client = {
        "clientId": client_id,
        "secret": secret,
        "redirectUris": [origin + routes.callback],
        "consentRequired": True,
        "attributes": attributes,
    }
    Admin(server.origin).call("POST", "/admin/realms/master/clients", client)
    return Registered(server.issuer, client_id, secret)


def _at_oidc_provider(server: RealServer, origin: str, routes: Routes) -> Registered:
    client: dict[str, Any] = {
        "redirect_uris": [origin + routes.callback],
        "post_logout_redirect_uris": [origin + routes.logged_out],
        "grant_types": ["authorization_code", "refresh_token"],
    }
    if routes.backchannel is not None:
        client |= {"backchannel_logout_uri": origin + routes.backchannel, "backchannel_logout_session_required": True}
    made = _post(f"{server.origin}/reg", client)
    return Registered(server.issuer, made["client_id"], made["client_secret"])


def _post(url: str, document: Mapping[str, Any]) -> Any:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    request = urllib.request.Request(url, json.dumps(document).encode(), {"Content-Type": "application/json"})
    with opener.open(request, timeout=30) as answer:
        return json.loads(answer.read())


def at_provider(page: Page, origin: str, user: tuple[str, str] = USER) -> list[str]:
    """Act as the user at the provider until the browser is back at `origin`, and return the pages: login, consent, …"""
    steps: list[str] = []
    for _ in range(MOST_PAGES):
        page.wait_for_load_state()
        if page.url.startswith(f"{origin}/"):
            return steps
        password = page.locator("input[type=password]")
        if password.count():
            page.locator("input[name=username], input[name=login]").first.fill(user[0])
            password.first.fill(user[1])
            steps.append("login")
        else:
            steps.append("consent" if "logout" not in page.url and "session/end" not in page.url else "logout")
        page.locator("button[type=submit], input[type=submit]").first.click()
    raise AssertionError(f"the user did not come back: {steps}, now at {page.url}: {page.inner_text('body')[:500]}")


def log_out(page: Page, origin: str) -> None:
    """Log out of an application with a `Login`, and wait for the login page: the page after the logout needs a user."""
    page.goto(f"{origin}/auth/logout")
    page.get_by_role("button", name="Log out").click()
    page.wait_for_load_state()
    if "session/end" in page.url:  # oidc-provider always asks
        page.locator("button[type=submit]").first.click()
    page.locator("input[type=password]").wait_for()
