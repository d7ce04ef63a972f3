"""Twelve providers that answer as they document it, in this process. The answers are written by hand from that.

A provider is a transport of httpx2, so that the URLs of the presets are requested as they are, without a network.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from doorkey.jose import JsonWebToken
from doorkey.jose.generation import generate_key
from doorkey.jose.keys import ECKey, Key
from doorkey.jose.signing import sign
from tests.login.presets.test_table import PARAMETERS, TENANT

CLIENT, SECRET, CALLBACK = "my-app", "my-secret", "https://app.example/auth/callback"
NOW = 1_800_000_000

Json = Mapping[str, Any]


@cache
def signing_key() -> Key:
    """The key of all providers: they sign with RS256, and making such a key takes long."""
    return generate_key("RS256")


@dataclass(frozen=True, slots=True)
class Documented:
    """What one provider answers.

    metadata: members of its discovery document that override the defaults in `discovered`; None: it has none.
    callback: parameters of the callback beside `code` and `state`.
    token: members to add to the token response.
    id_token: claims to add to the ID token; if empty, the provider issues no ID token.
    userinfo: the userinfo response, by its URL; None: the provider has none.
    apis: further responses, by URL.
    expected: claims that the login must end with.
    auth: how the client authenticates: "basic", "post" or "apple".
    has_nonce, has_pkce: what the provider supports.
    """

    metadata: Json | None = None
    callback: Mapping[str, str] = field(default_factory=dict[str, str])
    token: Json = field(default_factory=dict[str, Any])
    id_token: Json = field(default_factory=dict[str, Any])
    userinfo: tuple[str, Json] | None = None
    apis: Mapping[str, Any] = field(default_factory=dict[str, Any])
    expected: Json = field(default_factory=dict[str, Any])
    auth: str = "basic"
    has_nonce: bool = True
    has_pkce: bool = True


_ALICE = {"sub": "248289761001", "name": "Alice Liddell", "email": "alice@example.com", "email_verified": True}
_BOTH = ["client_secret_post", "client_secret_basic"]

PROVIDERS: Mapping[str, Documented] = {
    "apple": Documented(
        metadata={
            "authorization_endpoint": "https://appleid.apple.com/auth/authorize",
            "token_endpoint": "https://appleid.apple.com/auth/token",
            "jwks_uri": "https://appleid.apple.com/auth/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "scopes_supported": ["openid", "email", "name"],
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
        },
        callback={"user": json.dumps({"name": {"firstName": "Alice", "lastName": "Liddell"}, "email": "x@y.example"})},
        token={"refresh_token": "r.apple"},
        id_token={
            "sub": "001234.0123456789abcdef.0123",
            "email": "alice@privaterelay.appleid.example",
            "email_verified": True,
            "is_private_email": True,
            "nonce_supported": True,
        },
        expected={"sub": "001234.0123456789abcdef.0123", "email": "alice@privaterelay.appleid.example"},
        auth="apple",
    ),
    "auth0": Documented(
        metadata={
            "authorization_endpoint": "https://example.eu.auth0.com/authorize",
            "token_endpoint": "https://example.eu.auth0.com/oauth/token",
            "userinfo_endpoint": "https://example.eu.auth0.com/userinfo",
            "jwks_uri": "https://example.eu.auth0.com/.well-known/jwks.json",
            "end_session_endpoint": "https://example.eu.auth0.com/oidc/logout",
            "token_endpoint_auth_methods_supported": _BOTH,
        },
        id_token={**_ALICE, "sub": "auth0|248289761001", "sid": "s-1"},
        userinfo=("https://example.eu.auth0.com/userinfo", {**_ALICE, "sub": "auth0|248289761001"}),
        expected={"sub": "auth0|248289761001", "name": "Alice Liddell"},
        auth="basic",
    ),
    "cognito": Documented(
        metadata={
            "authorization_endpoint": "https://example.auth.eu-west-1.amazoncognito.com/oauth2/authorize",
            "token_endpoint": "https://example.auth.eu-west-1.amazoncognito.com/oauth2/token",
            "userinfo_endpoint": "https://example.auth.eu-west-1.amazoncognito.com/oauth2/userInfo",
            "jwks_uri": ("https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_aBcDeFgHi/.well-known/jwks.json"),
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        },
        id_token={"sub": "aaaa-1", "cognito:username": "alice", "token_use": "id", "email_verified": True},
        userinfo=(
            "https://example.auth.eu-west-1.amazoncognito.com/oauth2/userInfo",
            {"sub": "aaaa-1", "username": "alice", "email": "alice@example.com", "email_verified": "true"},
        ),
        expected={"sub": "aaaa-1"},
    ),
    "discord": Documented(
        userinfo=(
            "https://discord.com/api/users/@me",
            {
                "id": "80351110224678912",
                "username": "nelly",
                "discriminator": "0",
                "global_name": "Nelly",
                "avatar": None,
                "verified": True,
                "email": "nelly@discord.example",
            },
        ),
        token={"expires_in": 604_800, "refresh_token": "r.discord", "scope": "identify email"},
        expected={"sub": "80351110224678912", "name": "Nelly", "email": "nelly@discord.example"},
    ),
    "github": Documented(
        userinfo=(
            "https://api.github.com/user",
            {
                "login": "octocat",
                "id": 583231,
                "name": "The Octocat",
                "email": None,
                "avatar_url": "https://a.example/u",
            },
        ),
        apis={
            "https://api.github.com/user/emails": [
                {"email": "octocat@example.com", "primary": True, "verified": True, "visibility": "private"}
            ]
        },
        token={"scope": "read:user,user:email", "token_type": "bearer"},
        expected={"sub": "583231", "preferred_username": "octocat", "email": "octocat@example.com"},
        auth="post",
    ),
    "gitlab": Documented(
        metadata={
            "authorization_endpoint": "https://gitlab.com/oauth/authorize",
            "token_endpoint": "https://gitlab.com/oauth/token",
            "userinfo_endpoint": "https://gitlab.com/oauth/userinfo",
            "jwks_uri": "https://gitlab.com/oauth/discovery/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        },
        id_token={"sub": "1234", "sub_legacy": "abc", "groups_direct": ["staff"]},
        userinfo=("https://gitlab.com/oauth/userinfo", {**_ALICE, "sub": "1234", "nickname": "alice"}),
        expected={"sub": "1234"},
    ),
    "google": Documented(
        metadata={
            "authorization_endpoint": "https://accounts.google.com/o/oauth2/v2/auth",
            "token_endpoint": "https://oauth2.googleapis.com/token",
            "userinfo_endpoint": "https://openidconnect.googleapis.com/v1/userinfo",
            "jwks_uri": "https://www.googleapis.com/oauth2/v3/certs",
            "authorization_response_iss_parameter_supported": True,
            "token_endpoint_auth_methods_supported": _BOTH,
        },
        callback={
            "iss": "https://accounts.google.com",
            "scope": "email profile openid https://www.googleapis.com/auth/userinfo.email",
            "authuser": "0",
            "prompt": "none",
        },
        token={"scope": "openid https://www.googleapis.com/auth/userinfo.email"},
        id_token={**_ALICE, "azp": CLIENT, "picture": "https://lh3.example/a"},
        userinfo=("https://openidconnect.googleapis.com/v1/userinfo", {**_ALICE, "picture": "https://lh3.example/a"}),
        expected={"sub": "248289761001", "email": "alice@example.com"},
    ),
    "keycloak": Documented(
        metadata={
            "authorization_endpoint": "https://sso.example.com/realms/staff/protocol/openid-connect/auth",
            "token_endpoint": "https://sso.example.com/realms/staff/protocol/openid-connect/token",
            "userinfo_endpoint": "https://sso.example.com/realms/staff/protocol/openid-connect/userinfo",
            "jwks_uri": "https://sso.example.com/realms/staff/protocol/openid-connect/certs",
            "end_session_endpoint": "https://sso.example.com/realms/staff/protocol/openid-connect/logout",
            "authorization_response_iss_parameter_supported": True,
            "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic", "client_secret_post"],
        },
        callback={"iss": "https://sso.example.com/realms/staff", "session_state": "s-1"},
        token={
            "refresh_token": "r.keycloak",
            "refresh_expires_in": 1800,
            "not-before-policy": 0,
            "session_state": "s-1",
        },
        id_token={**_ALICE, "azp": CLIENT, "sid": "s-1", "typ": "ID", "preferred_username": "alice"},
        userinfo=(
            "https://sso.example.com/realms/staff/protocol/openid-connect/userinfo",
            {**_ALICE, "preferred_username": "alice"},
        ),
        expected={"sub": "248289761001", "preferred_username": "alice"},
    ),
    "linkedin": Documented(
        userinfo=(
            "https://api.linkedin.com/v2/userinfo",
            {
                "sub": "782bbtaQ",
                "name": "John Doe",
                "given_name": "John",
                "family_name": "Doe",
                "locale": {"country": "US", "language": "en"},
                "email": "doe@example.com",
                "email_verified": True,
            },
        ),
        token={"expires_in": 5_183_999, "scope": "email,openid,profile"},
        id_token={"iss": "https://www.linkedin.com/oauth", "sub": "782bbtaQ"},
        expected={"sub": "782bbtaQ", "locale": "en-US", "email": "doe@example.com"},
        auth="post",
        has_nonce=False,
        has_pkce=False,
    ),
    "microsoft": Documented(
        metadata={
            "authorization_endpoint": f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/authorize",
            "token_endpoint": f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token",
            "userinfo_endpoint": "https://graph.microsoft.com/oidc/userinfo",
            "jwks_uri": f"https://login.microsoftonline.com/{TENANT}/discovery/v2.0/keys",
            "end_session_endpoint": f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/logout",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        },
        callback={"session_state": "5b0c9f5e-0000-0000-0000-000000000000"},
        token={"ext_expires_in": 3599, "scope": "openid profile email"},
        id_token={
            "sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
            "tid": TENANT,
            "oid": "00000000-0000-0000-66f3-3332eca7ea81",
            "ver": "2.0",
            "preferred_username": "alice@example.com",
            "name": "Alice",
        },
        userinfo=(
            "https://graph.microsoft.com/oidc/userinfo",
            {"sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ", "name": "Alice", "email": "alice@example.com"},
        ),
        expected={"sub": "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ", "tid": TENANT},
        auth="basic",
    ),
    "okta": Documented(
        metadata={
            "authorization_endpoint": "https://example.okta.com/oauth2/default/v1/authorize",
            "token_endpoint": "https://example.okta.com/oauth2/default/v1/token",
            "userinfo_endpoint": "https://example.okta.com/oauth2/default/v1/userinfo",
            "jwks_uri": "https://example.okta.com/oauth2/default/v1/keys",
            "end_session_endpoint": "https://example.okta.com/oauth2/default/v1/logout",
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        },
        id_token={**_ALICE, "sub": "00uid4BxXw6I6TV4m0g3", "ver": 1, "amr": ["pwd"], "idp": "00ok1u7AsAkrwdZL3z0g3"},
        userinfo=("https://example.okta.com/oauth2/default/v1/userinfo", {**_ALICE, "sub": "00uid4BxXw6I6TV4m0g3"}),
        expected={"sub": "00uid4BxXw6I6TV4m0g3"},
    ),
    "slack": Documented(
        metadata={
            "authorization_endpoint": "https://slack.com/openid/connect/authorize",
            "token_endpoint": "https://slack.com/api/openid.connect.token",
            "userinfo_endpoint": "https://slack.com/api/openid.connect.userInfo",
            "jwks_uri": "https://slack.com/openid/connect/keys",
            "token_endpoint_auth_methods_supported": _BOTH,
        },
        token={"ok": True},
        id_token={
            **_ALICE,
            "sub": "U0R7JM",
            "auth_time": NOW,
            "date_email_verified": NOW,
            "https://slack.com/user_id": "U0R7JM",
            "https://slack.com/team_id": "T0R7GR",
        },
        userinfo=("https://slack.com/api/openid.connect.userInfo", {"ok": True, **_ALICE, "sub": "U0R7JM"}),
        expected={"sub": "U0R7JM", "https://slack.com/team_id": "T0R7GR"},
    ),
}


class Server:
    """The endpoints of one provider. `issuer` and `issuer_of_tokens` differ where there are many tenants."""

    def __init__(self, name: str, issuer: str | None, issuer_of_tokens: str | None = None) -> None:
        self.documented = PROVIDERS[name]
        self.issuer, self.issuer_of_tokens = issuer, issuer_of_tokens or issuer
        self.metadata_url = f"{(issuer or '').rstrip('/')}/.well-known/openid-configuration"
        self.named_issuer = issuer
        self.error: str | None = None
        self.request: dict[str, str] = {}
        self.requested: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.transport = httpx2.MockTransport(self.answer)

    def authorize(self, url: str) -> dict[str, str]:
        """Answer an authorization request, and return the parameters of the callback."""
        query = {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}
        assert query["response_type"] == "code"
        assert query["client_id"] == CLIENT
        assert query["redirect_uri"] == CALLBACK
        assert query["code_challenge_method"] == "S256"
        self.request = query
        return {**self.documented.callback, "code": "the-code", "state": query["state"]}

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        """Answer a request of the application."""
        url = str(request.url)
        self.requested.append(url)
        documented, metadata = self.documented, self.documented.metadata
        answers: dict[str, Callable[[], Any]] = {}
        if metadata is not None:
            answers[self.metadata_url] = self.discovered
            answers[metadata["jwks_uri"]] = lambda: {"keys": [signing_key().as_dict()]}
        if documented.userinfo is not None:
            endpoint, info = documented.userinfo
            answers[endpoint] = lambda: info
        answers |= {url: lambda url=url: documented.apis[url] for url in documented.apis}  # type: ignore[misc]
        if request.method == "POST":
            return httpx2.Response(200, json=self.token(request) if self.error is None else {"error": self.error})
        if url not in answers:
            return httpx2.Response(404)
        if metadata is None or url not in (self.metadata_url, metadata["jwks_uri"]):
            assert request.headers["authorization"] == "Bearer the-access-token"
        return httpx2.Response(200, json=answers[url]())

    def discovered(self) -> dict[str, Any]:
        """The discovery document."""
        usual = {
            "issuer": self.named_issuer,
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        return {**usual, **(self.documented.metadata or {})}

    def token(self, request: httpx2.Request) -> dict[str, Any]:
        """Check a token request, and return the response."""
        form = {name: value for name, (value,) in parse_qs(request.content.decode()).items()}
        self.forms.append(form)
        assert form["grant_type"] == "authorization_code"
        assert form["code"] == "the-code"
        assert form["redirect_uri"] == CALLBACK
        if self.documented.has_pkce:
            digest = hashlib.sha256(form["code_verifier"].encode()).digest()
            assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == self.request["code_challenge"]
        else:
            assert "code_verifier" not in form
        self.check_client(request, form)
        response = {"access_token": "the-access-token", "token_type": "Bearer", "expires_in": 3599}
        response |= self.documented.token
        if self.documented.id_token:
            claims = {"iss": self.issuer_of_tokens, "aud": CLIENT, "iat": NOW, "exp": NOW + 3600}
            nonce = {"nonce": self.request["nonce"]} if self.documented.has_nonce else {}
            response["id_token"] = sign({**claims, **nonce, **self.documented.id_token}, signing_key(), alg="RS256")
        return response

    def check_client(self, request: httpx2.Request, form: Mapping[str, str]) -> None:
        """Check how the client authenticates."""
        if self.documented.auth == "basic":
            expected = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
            assert request.headers["authorization"] == f"Basic {expected}"
            return
        assert form["client_id"] == CLIENT
        if self.documented.auth == "post":
            assert form["client_secret"] == SECRET
            return
        key = ECKey.import_key(PARAMETERS["apple"]["private_key"].as_dict(), {"kid": "KEY1234567"})
        claims = JsonWebToken(["ES256"]).decode(form["client_secret"], key)
        assert (claims["iss"], claims["sub"], claims["aud"]) == ("TEAM123456", CLIENT, "https://appleid.apple.com")
