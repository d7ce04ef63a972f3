"""The small client that scenarios ask with: one realm of a server with Keycloak's face."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import requests

from doorkey.jose.signing import sign
from tests.servers.browser import Browser
from tests.servers.handle import CALLBACK

# RFC 7636, appendix B
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
CLIENT = {"client_id": "client-1", "client_secret": "my-secret"}
RESOURCE_SERVER = {"client_id": "resource-server", "client_secret": "resource-server-secret"}
ALICE = {"username": "alice", "password": "wonderland"}
ASSERTION_CLIENT = {"client_id": "assertion-client", "client_secret": "assertion-secret"}
ROBOTS, ROBOT = "https://robots.example", "robot-7"


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    return session


@dataclass(frozen=True, slots=True)
class Realm:
    """A realm at an origin. No method follows a redirect.

    `keys` is the folder with `rs256.pem`, the private key of the issuer `ROBOTS`, where a scenario needs it.
    """

    origin: str
    name: str = "master"
    http: requests.Session = field(default_factory=_session)
    keys: Path | None = None

    @property
    def issuer(self) -> str:
        """The realm's issuer."""
        return f"{self.origin}/realms/{self.name}"

    def endpoint(self, path: str) -> str:
        """One of token, auth, certs, userinfo, logout, revoke, token/introspect."""
        return f"{self.issuer}/protocol/openid-connect/{path}"

    def get(self, url: str, token: str | None = None, **parameters: str) -> requests.Response:
        """GET, with a Bearer token if there is one."""
        return self.ask("GET", url, token, params=parameters)

    def post(self, path: str, form: Mapping[str, str], **options: Any) -> requests.Response:
        """POST a form to an endpoint; `auth=(id, secret)` for HTTP Basic."""
        return self.ask("POST", self.endpoint(path), data=dict(form), **options)

    def admin(self, method: str, path: str, token: str | None) -> requests.Response:
        """Keycloak's admin API, below the realm."""
        return self.ask(method, f"{self.origin}/admin/realms/{self.name}/{path}", token)

    def ask(self, method: str, url: str, token: str | None = None, **options: Any) -> requests.Response:
        """Ask by any method, with a Bearer token if there is one."""
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

    def assertion(
        self, key: object = None, alg: str = "RS256", header: Mapping[str, object] | None = None, **changes: object
    ) -> str:
        """What the issuer `ROBOTS` says of its robot; a change to None leaves a claim out."""
        assert self.keys is not None
        now = int(time.time())
        said = {"iss": ROBOTS, "sub": ROBOT, "aud": self.issuer, "exp": now + 60, "iat": now, "jti": uuid4().hex}
        claims = {name: value for name, value in {**said, **changes}.items() if value is not None}
        signing = (self.keys / "rs256.pem").read_text() if key is None else key
        return sign(claims, signing, alg=alg, header={"kid": "rs256"} if header is None else header)

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

    def callback(self, within: Browser | None = None, /, **changes: str | None) -> str:
        """Log in as alice through the login page; the URL at which the client is called back."""
        url = self.authorization_url(**changes)
        if within is not None:
            return within.authorize(url, CALLBACK)
        with Browser("keycloak", ALICE["username"], ALICE["password"]) as browser:
            return browser.authorize(url, CALLBACK)

    def code_form(
        self, asked_by: str = "public-native", within: Browser | None = None, /, **changes: str
    ) -> dict[str, str]:
        """The form that redeems a fresh code, got in a browser of its own unless told `within` which."""
        code = parse_qs(urlsplit(self.callback(within, client_id=asked_by)).query)["code"][0]
        return {
            "grant_type": "authorization_code",
            "client_id": asked_by,
            "code": code,
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
            **changes,
        }
