"""Logins at real OpenID providers with a session that verifies everything: each response type and algorithm."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
import requests

from doorkey.errors import VerificationError
from doorkey.integrations.httpx_client import AsyncOAuth2Client
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.oidc.core import IDToken, UserInfo
from doorkey.oidc.logout import FrontChannelLogout
from doorkey.tokens import OAuth2Token
from tests.servers.browser import Browser
from tests.servers.handle import CALLBACK, RealServer
from tests.servers.keycloak_realms import Admin

FAR = "https://client.example/cb"
EVERY = ("code", "id_token", "id_token token", "code id_token", "code token", "code id_token token")
RESPONSE_TYPES = {
    "keycloak": EVERY,
    "oidc_provider": ("code", "id_token", "code id_token"),
    "django_oauth": ("id_token", "id_token token", "code id_token", "code token", "code id_token token"),
}
"""What each server supports. django-oauth-toolkit has one grant for each client, and `code` has its own test below."""

Session = Callable[..., OAuth2Session]


@pytest.fixture
def session() -> Iterator[Session]:
    made: list[OAuth2Session] = []

    def make(server: RealServer, client: str, secret: Any = None, **options: Any) -> OAuth2Session:
        usual: dict[str, Any] = {
            "issuer": server.issuer,
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "default_timeout": 30,
        }
        secret = f"{client}-secret" if secret is None else secret
        made.append(OAuth2Session(client, secret, **{**usual, **options}))
        return made[-1]

    yield make
    for one in made:
        one.close()


def of_keycloak(server: RealServer, **attributes: str) -> str:
    """Register a client of every flow at Keycloak, and return its name."""
    name = f"openid-{uuid.uuid4()}"
    client = {
        "clientId": name,
        "secret": f"{name}-secret",
        "publicClient": False,
        "redirectUris": [CALLBACK],
        "standardFlowEnabled": True,
        "implicitFlowEnabled": True,
        "attributes": {"post.logout.redirect.uris": "+", **attributes},
    }
    Admin(server.origin).call("POST", "/admin/realms/master/clients", client)
    return name


def registered(server: RealServer, fixture: str, response_type: str) -> tuple[str, dict[str, Any]]:
    """Return a client that may use `response_type` at the server, and the session options that it needs."""
    if fixture == "keycloak":
        return of_keycloak(server), {}
    if fixture == "django_oauth":
        return ("hybrid" if "code" in response_type.split() else "implicit"), {}
    return "hybrid", {"redirect_uri": FAR}


def logged_in(server: RealServer, session: OAuth2Session, **parameters: Any) -> OAuth2Token | IDToken:
    """Log the user in, and return the token, or the claims where no token was requested."""
    begun = session.begin_authorization(**parameters)
    with Browser(server.name) as browser:
        callback = browser.authorize(begun.url, str(session.redirect_uri))
    if begun.response_type == "id_token":
        return session.verify_id_token(session.parse_authorization_response(callback, transaction=begun))
    return session.fetch_token(authorization_response=callback, transaction=begun)


def token_of(server: RealServer, session: OAuth2Session, **parameters: Any) -> tuple[OAuth2Token, Any]:
    """Log the user in, and return the token and its verified claims."""
    token = logged_in(server, session, **parameters)
    assert isinstance(token, OAuth2Token)
    assert token.id_token_claims is not None
    return token, token.id_token_claims


@pytest.mark.parametrize(
    ("fixture", "response_type"), [(name, kind) for name, kinds in RESPONSE_TYPES.items() for kind in kinds]
)
def test_each_response_type_that_a_server_supports_is_verified(
    fixture: str, response_type: str, session: Session, request: pytest.FixtureRequest
) -> None:
    server: RealServer = request.getfixturevalue(fixture)
    client, options = registered(server, fixture, response_type)
    client_session = session(server, client, **options)
    result = logged_in(server, client_session, response_type=response_type)
    claims: Any = result.id_token_claims if isinstance(result, OAuth2Token) else result
    assert (claims["iss"], bool(claims["sub"])) == (server.issuer, True)
    assert isinstance(result, OAuth2Token) == (response_type != "id_token")
    if isinstance(result, OAuth2Token):
        assert client_session.userinfo()["sub"] == claims["sub"]


@pytest.mark.parametrize(
    ("fixture", "client", "options"),
    [
        ("keycloak", "web-basic", {}),
        ("oidc_provider", "web-basic", {}),
        ("django_oauth", "web", {}),
        (
            "django_oauth",
            "web-hs256",
            {"secret": "web-hs256-secret-of-at-least-32-bytes", "id_token_signed_response_alg": "HS256"},
        ),
    ],
)
def test_a_login_by_code_has_verified_claims_and_userinfo_and_renews(
    fixture: str, client: str, options: dict[str, Any], session: Session, request: pytest.FixtureRequest
) -> None:
    server: RealServer = request.getfixturevalue(fixture)
    client_session = session(server, client, **options)
    token, claims = token_of(server, client_session)
    assert client_session.userinfo()["sub"] == claims["sub"]
    assert token.refresh_token is not None
    renewed = client_session.refresh_token()
    assert renewed.id_token_claims is not None
    assert renewed.id_token_claims["sub"] == claims["sub"]


def test_django_oauth_toolkit_names_a_later_login_which_a_renewal_accepts_only_on_request(
    django_oauth: RealServer, session: Session
) -> None:
    strict = session(django_oauth, "web")
    token, claims = token_of(django_oauth, strict)
    with Browser(django_oauth.name) as another:
        while True:  # auth_time counts whole seconds
            another.session.cookies.clear()
            other = session(django_oauth, "web")
            begun = other.begin_authorization()
            later = other.fetch_token(authorization_response=another.authorize(begun.url, CALLBACK), transaction=begun)
            assert later.id_token_claims is not None
            if later.id_token_claims["auth_time"] != claims["auth_time"]:
                break
    with pytest.raises(VerificationError, match="allow_changed_auth_time=True"):
        strict.refresh_token()
    tolerant = session(django_oauth, "web", allow_changed_auth_time=True, token=dict(strict.token or token))
    renewed = tolerant.refresh_token()
    assert renewed.id_token_claims is not None
    assert renewed.id_token_claims["auth_time"] == later.id_token_claims["auth_time"]
    assert renewed.id_token_claims["sub"] == claims["sub"]


@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "PS256"])
def test_keycloak_signs_by_the_registered_algorithm(keycloak: RealServer, session: Session, alg: str) -> None:
    signed = {"id.token.signed.response.alg": alg, "user.info.response.signature.alg": alg}
    client = of_keycloak(keycloak, **signed)
    registered = {"id_token_signed_response_alg": alg, "userinfo_signed_response_alg": alg}
    client_session = session(keycloak, client, **registered)
    _, claims = token_of(keycloak, client_session)
    assert claims.header["alg"] == alg
    assert client_session.userinfo()["sub"] == claims["sub"]
    other = session(keycloak, client, id_token_signed_response_alg="RS256")
    with pytest.raises(VerificationError, match="alg is not the registered one"):
        token_of(keycloak, other)


@pytest.mark.parametrize(
    ("client", "alg", "registered"),
    [
        ("web-basic", "RS256", {}),
        ("jwt-answers", "ES256", {"userinfo_signed_response_alg": "RS256"}),
        ("eddsa", "EdDSA", {}),
    ],
)
def test_oidc_provider_signs_by_the_registered_algorithm(
    oidc_provider: RealServer, session: Session, client: str, alg: str, registered: dict[str, Any]
) -> None:
    client_session = session(oidc_provider, client, id_token_signed_response_alg=alg, **registered)
    _, claims = token_of(oidc_provider, client_session)
    assert claims.header["alg"] == alg
    assert client_session.userinfo()["sub"] == claims["sub"]


def client_key(server: RealServer, name: str) -> dict[str, Any]:
    import json

    keys: dict[str, dict[str, Any]] = json.loads(Path(server.keys / "client-keys.json").read_text("utf-8"))
    return keys[name]


def test_oidc_provider_encrypts_the_id_token_and_userinfo(oidc_provider: RealServer, session: Session) -> None:
    key = client_key(oidc_provider, "enc-rsa")
    registered = {
        f"{response}_encrypted_response_{member}": value
        for response in ("id_token", "userinfo")
        for member, value in (("alg", "RSA-OAEP-256"), ("enc", "A128GCM"))
    }
    client_session = session(
        oidc_provider, "encrypted", decryption_keys=key, userinfo_signed_response_alg="RS256", **registered
    )
    token, claims = token_of(oidc_provider, client_session)
    assert str(token.id_token).count(".") == 4
    info = client_session.userinfo()
    assert isinstance(info, UserInfo)
    assert info["sub"] == claims["sub"]


@pytest.mark.parametrize("client", ["pkjwt-rs256", "pkjwt-es256", "pkjwt-eddsa"])
def test_oidc_provider_knows_the_client_by_its_key(oidc_provider: RealServer, session: Session, client: str) -> None:
    key = client_key(oidc_provider, client)
    client_session = session(oidc_provider, client, key, token_endpoint_auth_method="private_key_jwt")
    _, claims = token_of(oidc_provider, client_session)
    assert claims["aud"] == client


def test_a_key_rotation_of_oidc_provider_is_followed(oidc_provider: RealServer, session: Session) -> None:
    client_session = session(oidc_provider, "web-basic")
    _, before = token_of(oidc_provider, client_session)
    requests.post(f"{oidc_provider.issuer}/rotate-keys", timeout=30).raise_for_status()
    _, after = token_of(oidc_provider, client_session)
    assert after["sub"] == before["sub"]
    assert after.header["kid"] != before.header["kid"]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("fixture", "response_type"),
    [
        ("keycloak", "code"),
        ("keycloak", "code id_token token"),
        ("oidc_provider", "code"),
        ("oidc_provider", "code id_token"),
        ("django_oauth", "code id_token token"),
        ("django_oauth", "id_token token"),
    ],
)
async def test_an_asynchronous_client_verifies_too(
    fixture: str, response_type: str, request: pytest.FixtureRequest
) -> None:
    server: RealServer = request.getfixturevalue(fixture)
    client, options = registered(server, fixture, response_type)
    options.setdefault("redirect_uri", CALLBACK)
    async with AsyncOAuth2Client(
        client, f"{client}-secret", issuer=server.issuer, scope="openid", **options
    ) as session:
        await session.discover()
        begun = session.begin_authorization(response_type=response_type)

        def log_in() -> str:
            with Browser(server.name) as browser:
                return browser.authorize(begun.url, options["redirect_uri"])

        callback = await anyio.to_thread.run_sync(log_in)
        token = await session.fetch_token(authorization_response=callback, transaction=begun)
        assert token.id_token_claims is not None
        assert token.id_token_claims["iss"] == server.issuer
        assert (await session.userinfo())["sub"] == token.id_token_claims["sub"]


def test_keycloak_accepts_the_logout_url_and_sends_the_state_back(keycloak: RealServer, session: Session) -> None:
    client_session = session(keycloak, of_keycloak(keycloak))
    begun = client_session.begin_authorization()
    with Browser(keycloak.name) as browser:
        callback = browser.authorize(begun.url, CALLBACK)
        client_session.fetch_token(authorization_response=callback, transaction=begun)
        url, state = client_session.create_logout_url(post_logout_redirect_uri=CALLBACK)
        answer = browser.session.get(url, allow_redirects=False, timeout=30)
    assert answer.status_code == 302
    assert answer.headers["Location"] == f"{CALLBACK}?state={state}"
    client_session.validate_logout_response(answer.headers["Location"])
    asked = {"iss": keycloak.issuer, "sid": "a-session"}
    assert client_session.parse_frontchannel_logout(asked) == FrontChannelLogout(keycloak.issuer, "a-session")
