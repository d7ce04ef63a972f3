"""The actions of the control page's buttons."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from doorkey.arguments import count
from doorkey.dev.faults import MAX_TIMES, Faults
from doorkey.dev.keycloak import DISCOVERY, PROTOCOL, Keycloak
from doorkey.dev.lookup import lookup
from doorkey.dev.request_log import RequestLog
from doorkey.dev.service import Service
from doorkey.errors import UsageError
from doorkey.server.ended_sessions import end_session
from doorkey.server.model import Session
from doorkey.server.responses.parameters import Parameters
from doorkey.server.storage.effects import FindSessions

MAX_SECONDS = 10 * 365 * 86400
"""The largest step by which the clock can be advanced, in seconds."""


@dataclass(frozen=True, slots=True)
class Controlled:
    """The parts of a running provider that the control page uses."""

    service: Service
    keycloak: Keycloak
    faults: Faults
    log: RequestLog

    def sessions(self, realm: str) -> list[Session]:
        """Return the live sessions of a realm."""
        return [
            session
            for user in list(self.service.users.values())
            for session in self.keycloak.run_in(realm, iter(FindSessions(user.sub)))
        ]


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests to which a fault can apply: their name on the page, the end of their path, and their grant type."""

    label: str
    path_end: str
    grant_type: str | None = None


REQUESTS: Mapping[str, Requests] = {
    "refresh": Requests("Refresh", f"{PROTOCOL}/token", "refresh_token"),
    "code": Requests("Code exchange", f"{PROTOCOL}/token", "authorization_code"),
    "token": Requests("Any token request", f"{PROTOCOL}/token"),
    "keys": Requests("Keys (JWK Set)", f"{PROTOCOL}/certs"),
    "metadata": Requests("Metadata (discovery)", DISCOVERY),
    "userinfo": Requests("UserInfo", f"{PROTOCOL}/userinfo"),
    "introspection": Requests("Introspection", f"{PROTOCOL}/token/introspect"),
}

_JSON = {"Content-Type": "application/json", "Cache-Control": "no-store"}
FAILURES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "invalid_grant": (
        "invalid_grant: the session has ended",
        {
            "status": 400,
            "headers": _JSON,
            "body": json.dumps({"error": "invalid_grant", "error_description": "Session not active"}),
        },
    ),
    "503": ("503 with Retry-After: 5", {"status": 503, "headers": {"Retry-After": "5"}}),
    "garbage": ("A page in place of JSON", {"status": 200, "headers": {"Content-Type": "text/html"}, "body": "<p>"}),
    "reset": ("Connection reset before the request is processed", {"reset": "before"}),
    "lost": ("Response lost after the request was processed", {"reset": "after"}),
}
"""The faults that the page offers: the text on the page, and the arguments of `Faults.add`."""

EXPIRE = {
    "everything": "Everything",
    "access": "Access tokens",
    "refresh": "Refresh tokens",
    "sessions": "Sessions",
}


def fail(on: Controlled, form: Parameters) -> str:
    """Add a fault for the next requests of the chosen kind."""
    requests = _one(REQUESTS, form.get("requests"))
    _, arguments = _one(FAILURES, form.get("failure"))
    times = _number(form.get("times"), "The number of requests", MAX_TIMES)
    on.faults.add(requests.path_end, grant_type=requests.grant_type, times=times, **arguments)
    return "failing"


def forget_faults(on: Controlled, form: Parameters) -> str:
    """Remove every fault that waits for a request."""
    del form
    on.faults.clear()
    return "forgotten"


def expire(on: Controlled, form: Parameters) -> str:
    """Expire the tokens or sessions that were issued so far."""
    what = form.get("what") or ""
    _one(EXPIRE, what)
    if what in ("access", "everything"):
        on.service.expire_access_tokens()
    if what in ("refresh", "everything"):
        on.service.reject_refresh_tokens()
    if what in ("sessions", "everything"):
        for realm in on.service.realms:
            at = on.keycloak.at_realm(realm, on.service.issuer_of(realm))
            for session in on.sessions(realm):
                on.keycloak.run_in(realm, end_session(at, session.id))
    return f"expired-{what}"


def advance(on: Controlled, form: Parameters) -> str:
    """Advance the clock of the provider."""
    on.service.advance(_number(form.get("seconds"), "The number of seconds", MAX_SECONDS))
    return "advanced"


def rotate(on: Controlled, form: Parameters) -> str:
    """Rotate the keys of a realm."""
    realm = form.get("realm") or ""
    lookup(realm, on.service.realms, "realm")
    withdraw = form.get("withdraw") is not None
    on.service.rotate_keys(realm=realm, withdraw=withdraw)
    return "withdrawn" if withdraw else "rotated"


def clear_log(on: Controlled, form: Parameters) -> str:
    """Remove all requests from the log."""
    del form
    on.log.clear()
    return "cleared"


ACTIONS: Mapping[str, Callable[[Controlled, Parameters], str]] = {
    "/fail": fail,
    "/forget-faults": forget_faults,
    "/expire": expire,
    "/clock": advance,
    "/keys": rotate,
    "/clear-log": clear_log,
}
"""The actions, by the end of the path of their form. Each returns a key of `DONE`, or raises `UsageError`."""

DONE = {
    "failing": "The next requests of this kind will fail.",
    "forgotten": "All waiting faults were removed.",
    **{
        f"expired-{what}": f"{label} issued so far {'are' if label.endswith('s') else 'is'} no longer valid."
        for what, label in EXPIRE.items()
    },
    "advanced": "The clock of the provider was advanced.",
    "rotated": "The realm signs with new keys. The earlier keys stay in its JWK Set.",
    "withdrawn": "The realm signs with new keys. The earlier keys were removed, and their tokens are no longer valid.",
    "cleared": "The request log is empty.",
    "saved": "The user was saved. Tokens and logins from now on have the new values.",
}
"""The texts of the page after an action."""


def _one(known: Mapping[str, Any], name: str | None) -> Any:
    if name is None or name not in known:
        raise UsageError("The form has a choice that this page does not offer. Load the page again.")
    return known[name]


def _number(text: str | None, what: str, most: int) -> int:
    number = int(text) if text and text.isascii() and text.isdecimal() and len(text) <= len(str(most)) else 0
    return count(number, what, most=most)
