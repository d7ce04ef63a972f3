"""What our Keycloak holds: realms, users, clients. All of it goes through the admin API, as admin/admin."""

import json
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.servers.handle import CALLBACK
from tests.servers.process import Unavailable
from tests.servers.signing_keys import ec_jwk, ec_key, public_der, rsa_jwk, rsa_key

REALMS: dict[str, dict[str, object]] = {
    "master": {},
    "rotating": {"revokeRefreshToken": True, "refreshTokenMaxReuse": 0},
}
USERS = {"alice": "wonderland", "user": "pwd"}
ROBOT_ISSUER, ROBOT_SUBJECT = "https://robots.example", "robot-7"


class Admin:
    """The admin API, with a token that lives long enough for a few calls."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": "admin"}
        encoded = urllib.parse.urlencode(form).encode()
        answer = self._open("POST", "/realms/master/protocol/openid-connect/token", encoded, {})
        self.token: str = answer["access_token"]

    def call(self, method: str, path: str, body: object = None) -> Any:
        """One call with a JSON body; the JSON of the answer."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        return self._open(method, path, None if body is None else json.dumps(body).encode(), headers)

    def _open(self, method: str, path: str, data: bytes | None, headers: dict[str, str]) -> Any:
        request = urllib.request.Request(self.origin + path, data, headers, method=method)
        try:
            with self.opener.open(request, timeout=30) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise Unavailable(f"refused {method} {path}: {error.code} {error.read()[:300]!r}") from error
        return json.loads(text) if text else None


def _client(
    client_id: str, secret: str | None = None, attributes: dict[str, str] | None = None, **more: Any
) -> dict[str, Any]:
    public = secret is None and "clientAuthenticatorType" not in more
    return {
        "clientId": client_id,
        "enabled": True,
        "protocol": "openid-connect",
        "fullScopeAllowed": True,
        "publicClient": public,
        **({"secret": secret} if secret else {}),
        "attributes": {
            "post.logout.redirect.uris": "+",
            "standard.token.exchange.enabled": str(not public).lower(),
            "oauth2.device.authorization.grant.enabled": "true",
            **(attributes or {}),
        },
        **more,
    }


def _with_key(jwk: dict[str, str]) -> dict[str, str]:
    return {
        "use.jwks.url": "false",
        "use.jwks.string": "true",
        "jwks.string": json.dumps({"keys": [jwk]}),
        "token.endpoint.auth.signing.alg": jwk["alg"],
    }


def clients(rs256: dict[str, str], es256: dict[str, str]) -> list[dict[str, Any]]:
    """Every client of either realm; the keys are the public halves of the two that sign."""
    web: dict[str, Any] = {
        "redirectUris": [CALLBACK, "http://127.0.0.1/*", "http://localhost/*"],
        "webOrigins": ["+"],
        "standardFlowEnabled": True,
    }
    service: dict[str, Any] = {"serviceAccountsEnabled": True, "directAccessGrantsEnabled": True}
    both = {**web, **service}
    signed = {**both, "clientAuthenticatorType": "client-jwt"}
    robots = {
        "oauth2.jwt.authorization.grant.enabled": "true",
        "oauth2.jwt.authorization.grant.idp": "robots",
    }
    return [
        _client("client-1", "my-secret", **both),
        _client("client-2", "my-secret", **both),
        _client("client-3", "my-secret", **both),
        _client("web-basic", "web-basic-secret", **both),
        # tells who forgets to form-encode them (RFC 6749 §2.3.1)
        _client("odd:id +1", "p%41+q/r:s&t=u v", **both),
        _client(
            "web-secret-jwt",
            "web-secret-jwt-with-32-bytes-or-more",
            clientAuthenticatorType="client-secret-jwt",
            **both,
        ),
        _client("pkjwt-rs256", attributes=_with_key(rs256), **signed),
        _client("pkjwt-es256", attributes=_with_key(es256), **signed),
        _client(
            "public-native",
            attributes={"pkce.code.challenge.method": "S256"},
            directAccessGrantsEnabled=True,
            **web,
        ),
        _client("dpop-only", "dpop-only-secret", {"dpop.bound.access.tokens": "true"}, **both),
        _client("par-only", "par-only-secret", {"require.pushed.authorization.requests": "true"}, **both),
        _client("assertion-client", "assertion-secret", robots, **service),
        _client("resource-server", "resource-server-secret", **service),
    ]


def _user(name: str, last: str, password: str | None = None) -> dict[str, Any]:
    credentials = [{"type": "password", "value": password, "temporary": False}] if password else []
    return {
        "username": name,
        "enabled": True,
        "email": f"{name}@example.org",
        "emailVerified": True,
        "firstName": name.title(),
        "lastName": last,
        "credentials": credentials,
    }


def _scope() -> dict[str, Any]:
    # Keycloak introspects a token only for a client that is in its audience.
    config = {
        "included.client.audience": "resource-server",
        "access.token.claim": "true",
        "introspection.token.claim": "true",
    }
    mapper = "oidc-audience-mapper"
    return {
        "name": "scope-1",
        "protocol": "openid-connect",
        "attributes": {"include.in.token.scope": "true"},
        "protocolMappers": [
            {"name": "audience", "protocol": "openid-connect", "protocolMapper": mapper, "config": config}
        ],
    }


def provision(origin: str, keys: Path) -> None:
    """Fill a new Keycloak; the private keys of its signing clients go to `keys`."""
    admin = Admin(origin)
    rs256, es256 = rsa_key(keys / "rs256.pem"), ec_key(keys / "es256.pem")
    robots = {
        "issuer": ROBOT_ISSUER,
        "useJwksUrl": "false",
        "publicKeySignatureVerifier": public_der(rs256),
        "publicKeySignatureVerifierKeyId": "rs256",
        "jwtAuthorizationGrantEnabled": "true",
        "jwtAuthorizationGrantAssertionReuseAllowed": "false",
    }
    for realm, settings in REALMS.items():
        base = f"/admin/realms/{realm}"
        if realm != "master":
            admin.call("POST", "/admin/realms", {"realm": realm, "enabled": True})
        if settings:
            admin.call("PUT", base, settings)
        admin.call("POST", f"{base}/client-scopes", _scope())
        scope = next(s["id"] for s in admin.call("GET", f"{base}/client-scopes") if s["name"] == "scope-1")
        admin.call("PUT", f"{base}/default-optional-client-scopes/{scope}")
        provider = {
            "alias": "robots",
            "providerId": "jwt-authorization-grant",
            "enabled": True,
            "config": robots,
        }
        admin.call("POST", f"{base}/identity-provider/instances", provider)
        for name, password in USERS.items():
            admin.call("POST", f"{base}/users", _user(name, "Example", password))
        admin.call("POST", f"{base}/users", _user("robot", "Seven"))
        robot = admin.call("GET", f"{base}/users?username=robot&exact=true")[0]["id"]
        link = {"identityProvider": "robots", "userId": ROBOT_SUBJECT, "userName": "robot"}
        admin.call("POST", f"{base}/users/{robot}/federated-identity/robots", link)
        for client in clients(rsa_jwk(rs256, "rs256"), ec_jwk(es256, "es256")):
            admin.call("POST", f"{base}/clients", client)


def adjust(origin: str, settings: Mapping[str, str]) -> None:
    """Realm settings: TTL_ACCESS (seconds), and REALM_name=value of Keycloak's realm representation."""
    wanted: dict[str, object] = {
        name.removeprefix("REALM_"): json.loads(value) if re.fullmatch(r"\d+|true|false", value) else value
        for name, value in settings.items()
        if name.startswith("REALM_")
    }
    if "TTL_ACCESS" in settings:
        wanted["accessTokenLifespan"] = int(settings["TTL_ACCESS"])
    if wanted:
        admin = Admin(origin)
        for realm in REALMS:
            admin.call("PUT", f"/admin/realms/{realm}", wanted)
