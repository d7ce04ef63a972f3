"""Pending logins, each sealed in its own cookie, so that each belongs to one browser, and several tabs work.

The name of the cookie is derived from the state, so that the callback can find it. A browser keeps only a few of these
cookies: a further login removes the oldest. A login is not in the store before it is finished.
"""

from __future__ import annotations

import hashlib
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from doorkey.errors import OAuthError, UsageError
from doorkey.login.errors import LoginSecretChanged
from doorkey.login.pending import PendingLogin
from doorkey.login.web.cookies import CookieRules
from doorkey.login.web.messages import WebRequest
from doorkey.stores.encryption import Sealer
from doorkey.values import hides_locals
from doorkey.wire.strict_json import JSONProblem, parse_object

MAX_PENDING: Final = 8
MAX_BYTES: Final = 5_000
"""The maximum bytes of all pending logins of a browser. Servers accept 8 KiB, with the cookies of the application."""
MAX_ONE: Final = 2_500
KEPT: Final = 3600.0
"""The seconds for which a browser keeps the cookie. The login expires sooner, so an expired login is recognized."""


class _PendingCookie(NamedTuple):
    name: str
    size: int
    pending: PendingLogin | None


@dataclass(frozen=True, slots=True)
class PendingLogins:
    """The pending logins of browsers at one base URL."""

    sealer: Sealer
    rules: CookieRules

    def find(self, request: WebRequest, state: str) -> PendingLogin | None:
        """Return the login of this browser with this `state`, or None. Raises `LoginSecretChanged`."""
        name = self._name(state)
        value = request.cookies.get(name)
        if value is None:
            return None
        pending = self._opened(name, value)
        if pending is None or pending.state != state:
            raise LoginSecretChanged
        return pending

    def added(self, request: WebRequest, pending: PendingLogin) -> list[tuple[str, str]]:
        """Return the headers that add a login to this browser, and remove the oldest logins above the limits."""
        name = self._name(pending.state)
        value = self._sealed(name, pending)
        found = sorted(self._pending_cookies(request), key=_age)
        size, headers = len(name) + len(value) + sum(one.size for one in found), list[tuple[str, str]]()
        while found and (len(found) >= MAX_PENDING or size > MAX_BYTES):
            oldest = found.pop(0)
            size -= oldest.size
            headers.append(self.rules.drop(oldest.name, cross_site=_is_posted(oldest.pending)))
        return [*headers, self.rules.set(name, value, KEPT, cross_site=_is_posted(pending))]

    def removed(self, pending: PendingLogin) -> tuple[str, str]:
        """Return the header that removes a login from this browser."""
        return self.rules.drop(self._name(pending.state), cross_site=_is_posted(pending))

    def _name(self, state: str) -> str:
        digest = hashlib.sha256(state.encode("utf-8", "surrogatepass")).hexdigest()
        return self.rules.name(f"-login-{digest[:16]}")

    def _pending_cookies(self, request: WebRequest) -> list[_PendingCookie]:
        beginning = self.rules.name("-login-")
        mine = [(name, value) for name, value in request.cookies.items() if name.startswith(beginning)]
        return [_PendingCookie(name, len(name) + len(value), self._opened(name, value)) for name, value in mine]

    @hides_locals
    def _sealed(self, name: str, pending: PendingLogin) -> str:
        """Return the value of a cookie, without the URL, and without a `next` that is too long."""
        kept = replace(pending, transaction=replace(pending.transaction, url="-"))
        for one in (kept, replace(kept, next="/")):
            data = json.dumps(one.to_dict(), separators=(",", ":")).encode()
            value = urlsafe_b64encode(self.sealer.seal(name, data)).decode().rstrip("=")
            if len(value) <= MAX_ONE:
                return value
        raise UsageError("this login does not fit into a cookie: its scope, resources or redirect URI are too long")

    @hides_locals
    def _opened(self, name: str, value: str) -> PendingLogin | None:
        try:
            sealed = urlsafe_b64decode(value + "=" * (-len(value) % 4))
            return PendingLogin.from_dict(parse_object(self.sealer.open(name, sealed)))
        except (ValueError, OAuthError, JSONProblem):
            return None


def _age(found: _PendingCookie) -> float:
    return 0.0 if found.pending is None else found.pending.expires_at


def _is_posted(pending: PendingLogin | None) -> bool:
    return pending is not None and pending.transaction.response_mode == "form_post"
