"""The small client that scenarios ask with: one realm of a server with Keycloak's face."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from tests.servers.browser import Browser
from tests.servers.handle import CALLBACK

# RFC 7636, appendix B
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
CLIENT = {"client_id": "client-1", "client_secret": "my-secret"}
RESOURCE_SERVER = {"client_id": "resource-server", "client_secret": "resource-server-secret"}
ALICE = {"username": "alice", "password": "wonderland"}


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


@dataclass(frozen=True, slots=True)
class Realm:
    """A realm at an origin. No method follows a redirect."""

    origin: str
    name: str = "master"
    http: requests.Session = field(default_factory=_session)

    @property
    def issuer(self) -> str:
        """The realm's issuer."""
        return f"{self.origin}/realms/{self.name}"

    def endpoint(self, path: str) -> str:
        """One of token, auth, certs, userinfo, logout, revoke, token/introspect."""
        return f"{self.issuer}/protocol/openid-connect/{path}"

    def get(self, url: str, token: str | None = None, **parameters: str) -> requests.Response:
        """GET, with a Bearer token if there is one."""
        return self._ask("GET", url, token, params=parameters)

    def post(self, path: str, form: Mapping[str, str], **options: Any) -> requests.Response:
        """POST a form to an endpoint; `auth=(id, secret)` for HTTP Basic."""
        return self._ask("POST", self.endpoint(path), data=dict(form), **options)

    def admin(self, method: str, path: str, token: str | None) -> requests.Response:
        """Keycloak's admin API, below the realm."""
        return self._ask(method, f"{self.origin}/admin/realms/{self.name}/{path}", token)

    def _ask(self, method: str, url: str, token: str | None = None, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return self.http.request(method, url, headers=headers, allow_redirects=False, timeout=30, **options)

    def token(self, form: Mapping[str, str], **options: Any) -> requests.Response:
        """Ask the token endpoint."""
        return self.post("token", form, **options)

    def tokens(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Ask the token endpoint for what a scenario starts from: this must work."""
        answer = self.token(form)
        assert answer.status_code == 200, answer.text
        members: dict[str, Any] = answer.json()
        return members

    def admin_tokens(self) -> dict[str, Any]:
        """What the administrator gets by password."""
        form = {"grant_type": "password", "client_id": "admin-cli"}
        return self.tokens({**form, "username": "admin", "password": "admin"})

    def alice_tokens(self, scope: str = "openid") -> dict[str, Any]:
        """What a user without rights gets by password, with a confidential client."""
        return self.tokens({"grant_type": "password", "scope": scope, **CLIENT, **ALICE})

    def authorization_url(self, **changes: str | None) -> str:
        """A request of the public client, with PKCE; a change to None leaves a parameter out."""
        parameters = {
            "response_type": "code",
            "client_id": "public-native",
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "state": "a-state",
            "nonce": "a-nonce",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **changes,
        }
        given = {name: value for name, value in parameters.items() if value is not None}
        return f"{self.endpoint('auth')}?{urlencode(given)}"

    def callback(self, **changes: str | None) -> str:
        """Log in as alice through the login page; the URL at which the client is called back."""
        with Browser("keycloak", ALICE["username"], ALICE["password"]) as browser:
            return browser.authorize(self.authorization_url(**changes), CALLBACK)

    def code_form(self, **changes: str) -> dict[str, str]:
        """The form that redeems a fresh code."""
        code = parse_qs(urlsplit(self.callback()).query)["code"][0]
        return {
            "grant_type": "authorization_code",
            "client_id": "public-native",
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            **changes,
        }
