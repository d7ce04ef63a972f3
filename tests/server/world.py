"""An authorization server without a socket: requests are values, and the test sets the time."""

from __future__ import annotations

import base64
import json
import math
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode, urlsplit

from doorkey.jose.generation import private_jwk
from doorkey.jose.keys import import_key
from doorkey.protocol.pkce import challenge_of
from doorkey.server.context import At, Endpoints
from doorkey.server.ended_sessions import SendLogoutToken
from doorkey.server.endpoints.authorize import authorize
from doorkey.server.endpoints.consent import ConsentNeeded
from doorkey.server.endpoints.device_question import DeviceQuestion
from doorkey.server.endpoints.forms import Cookies
from doorkey.server.endpoints.introspect import introspect
from doorkey.server.endpoints.login import LoggedIn, LoginNeeded, log_in
from doorkey.server.endpoints.revoke import revoke
from doorkey.server.endpoints.token import token
from doorkey.server.model import Settings
from doorkey.server.registrations import NONE, Client, User
from doorkey.server.storage.effects import Directory, Storage
from doorkey.server.storage.records import MemoryRecords, Records
from doorkey.server.tokens.keys import KeyRing
from doorkey.values import Secret
from doorkey.wire.flow import run
from doorkey.wire.messages import FORM, Pairs, Request, Response

ISSUER = "https://as.example/realms/one"
_NAMES = (
    "auth",
    "token",
    "introspect",
    "revoke",
    "me",
    "jwks",
    "end",
    "account",
    "script.js",
    "device_authorization",
    "device",
    "check_session",
    "check_session.js",
)
ENDPOINTS = Endpoints(*(f"{ISSUER}/{name}" for name in _NAMES))
CALLBACK = "https://app.example/cb?fixed=1"
VERIFIER = "v" * 43
SECRET = "a-secret-of-at-least-thirty-two-bytes"

APP = Client(client_id="app", secret=Secret(SECRET), redirect_uris=(CALLBACK,))
SPA = Client(client_id="spa", auth_methods=(NONE,), redirect_uris=(CALLBACK,), require_pkce=True)
OTHER = Client(client_id="other", secret=Secret("other-secret"), redirect_uris=("https://other.example/cb",))
ALICE = User(sub="sub-of-alice", username="alice", password=Secret("wonderland"), email="alice@example.org")


def with_known_key(store: Records) -> Records:
    """Put a key of the realm into `store` that is the same in each run.

    It decides in which of 65,536 buckets failed logins of an account or address count (`server.attempts`). If it is
    random, two accounts or addresses of a test share a bucket now and then.
    """
    key = import_key({"kty": "oct", "k": base64.urlsafe_b64encode(b"k" * 64).rstrip(b"=").decode(), "alg": "HS512"})
    assert store.add("key", "one/refresh", private_jwk(key).reveal(), expires_at=math.inf, now=0)
    return store


@dataclass
class World:
    """One realm at one issuer."""

    settings: Settings = field(default_factory=Settings)
    clients: tuple[Client, ...] = (APP, SPA, OTHER)
    users: tuple[User, ...] = (ALICE,)
    store: Records = field(default_factory=MemoryRecords)
    now: float = 1_800_000_000.0
    address: str | None = None
    sent: list[SendLogoutToken] = field(default_factory=list[SendLogoutToken])

    def __post_init__(self) -> None:
        self.keys = KeyRing(self.store)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    @property
    def at(self) -> At:
        """The circumstances of a request now."""
        return At(ISSUER, ENDPOINTS, self.settings, self.keys.of("one"), self.now, self.address)

    def perform(self, effect: Any) -> Any:
        """Perform one effect now: a storage effect, or sending a logout token."""
        if isinstance(effect, SendLogoutToken):
            return self.sent.append(effect)
        directory = Directory({one.client_id: one for one in self.clients}, {one.username: one for one in self.users})
        return Storage("one", directory, self.store, self.settings, self.now).perform(effect)

    def post(self, endpoint: Any, form: Pairs | dict[str, str], basic: tuple[str, str] | None = None) -> Response:
        """POST a form to an endpoint's flow."""
        pairs = tuple(form.items()) if isinstance(form, dict) else form
        headers: Pairs = (("Content-Type", FORM),)
        if basic:
            text = ":".join(quote_plus(part) for part in basic)
            headers += (("Authorization", "Basic " + base64.b64encode(text.encode()).decode()),)
        request = Request("POST", ENDPOINTS.token, headers, pairs)
        response: Response = run(endpoint(request, self.at), self.perform)
        return response

    def token(self, form: Pairs | dict[str, str], basic: tuple[str, str] | None = ("app", SECRET)) -> Answer:
        """Ask the token endpoint, as the confidential client unless told otherwise."""
        return Answer.of(self.post(token, form, basic))

    def login(self) -> Answer:
        """Get tokens by password."""
        return self.token({"grant_type": "password", "username": "alice", "password": "wonderland", "scope": "openid"})

    def refresh(self, refresh_token: str, basic: tuple[str, str] | None = ("app", SECRET)) -> Answer:
        """Refresh."""
        return self.token({"grant_type": "refresh_token", "refresh_token": refresh_token}, basic)

    def refresh_public(self, refresh_token: str) -> Answer:
        """Refresh as the public client."""
        form = {"grant_type": "refresh_token", "client_id": "spa", "refresh_token": refresh_token}
        return self.token(form, None)

    def is_active(self, token_text: str, basic: tuple[str, str] = ("app", SECRET)) -> bool:
        """Ask the introspection endpoint."""
        return bool(Answer.of(self.post(introspect, {"token": token_text}, basic)).json["active"])

    def revoke(self, token_text: str) -> Answer:
        """Ask the revocation endpoint."""
        return Answer.of(self.post(revoke, {"token": token_text}, ("app", SECRET)))

    def authorize(
        self, cookies: Cookies | None = None, /, **changes: str | None
    ) -> Response | LoginNeeded | ConsentNeeded:
        """Visit the authorization endpoint; a change to None omits a parameter."""
        parameters = {
            "response_type": "code",
            "client_id": "spa",
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "state": "a-state",
            "nonce": "a-nonce",
            "code_challenge": challenge_of(VERIFIER),
            "code_challenge_method": "S256",
            **changes,
        }
        return self.visit([(name, value) for name, value in parameters.items() if value is not None], cookies)

    def visit(
        self, pairs: list[tuple[str, str]], cookies: Cookies | None = None
    ) -> Response | LoginNeeded | ConsentNeeded:
        """Visit the authorization endpoint with these parameters and no others."""
        request = Request("GET", f"{ENDPOINTS.authorization}?{urlencode(pairs)}")
        return run(authorize(request, self.at, cookies or Cookies()), self.perform)

    def fill_in(
        self,
        needed: LoginNeeded,
        password: str = "wonderland",
        browser: str | None = None,
        headers: Pairs = (),
        **changes: str,
    ) -> LoggedIn | LoginNeeded | ConsentNeeded | DeviceQuestion:
        """Send the login form, from the browser it was shown in unless told otherwise."""
        form = {"transaction": needed.login_id, "csrf": needed.csrf, "username": "alice", "password": password}
        request = Request("POST", ISSUER, (("Content-Type", FORM), *headers), tuple({**form, **changes}.items()))
        cookies = Cookies(needed.browser if browser is None else browser)
        return run(log_in(request, self.at, cookies), self.perform)

    def logged_in(self, **changes: str | None) -> LoggedIn:
        """Log in by the page."""
        needed = self.authorize(**changes)
        assert isinstance(needed, LoginNeeded)
        done = self.fill_in(needed)
        assert isinstance(done, LoggedIn)
        return done

    def code(self, **changes: str | None) -> str:
        """Log in by the page, and return the code."""
        return callback(self.logged_in(**changes).response)["code"]

    def exchange(self, code: str, **changes: str) -> Answer:
        """Exchange a code as the public client."""
        form = {"grant_type": "authorization_code", "client_id": "spa", "code": code, "redirect_uri": CALLBACK}
        return self.token({**form, "code_verifier": VERIFIER, **changes}, None)


@dataclass(frozen=True)
class Answer:
    """A status and the JSON that came with it."""

    status: int
    json: dict[str, Any]

    @classmethod
    def of(cls, response: Response) -> Answer:
        """Read a response."""
        return cls(response.status, json.loads(response.body) if response.body else {})

    @property
    def problem(self) -> tuple[int, str]:
        """The status and the error."""
        return self.status, self.json.get("error", "")


def callback(response: Response) -> dict[str, str]:
    """The parameters a redirect brings to the client."""
    location = response.header("location")
    assert location is not None
    return dict(parse_qsl(urlsplit(location).query))
