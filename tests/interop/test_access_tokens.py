"""Access tokens of real servers at an API: by their profile, by introspection, and not in place of one another."""

import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from doorkey import ClientCredentials, ResourceOwnerCredentials, TokenSource
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.resource import (
    AccessTokenVerifier,
    ApiRequest,
    AsyncAccessTokenVerifier,
    Guard,
    InsufficientPrivileges,
    IntrospectionClient,
    InvalidAccessToken,
    Rejection,
    Requirement,
)
from tests.servers.browser import Browser
from tests.servers.handle import CALLBACK, RealServer
from tests.support.changed_text import with_changed

JWT_API, OPAQUE_API = "https://api.example.test/", "urn:example:opaque"
AT_KEYCLOAK = IntrospectionClient(client_id="resource-server", client_secret="resource-server-secret", jwts=True)
AT_OIDC_PROVIDER = IntrospectionClient(client_id="resource-server", client_secret="resource-server-secret")
SIGNED = IntrospectionClient(client_id="jwt-answers", client_secret="jwt-answers-secret", signed=True)


@pytest.fixture
def of_keycloak(keycloak: RealServer) -> str:
    """A token of a user for the API `resource-server`."""
    user = ResourceOwnerCredentials("client-1", "my-secret", "scope-1 profile").with_username_password(
        "alice", "wonderland"
    )
    # Its first answers take longer than the 5 seconds that httpx2 waits, if every Python begins its tests at once.
    with httpx2.Client(timeout=60) as http, TokenSource(user, issuer=keycloak.issuer, http_client=http) as source:
        return source.token().access_token.reveal()


def test_a_token_of_keycloak_is_verified_by_its_profile(keycloak: RealServer, of_keycloak: str) -> None:
    with AccessTokenVerifier(keycloak.issuer, audience="resource-server", profile="keycloak") as api:
        found = api.verify(of_keycloak, scopes="scope-1")
        assert (found.issuer, found.client_id) == (keycloak.issuer, "client-1")
        assert found.claims["preferred_username"] == "alice"
        assert found.expires_at is not None
        assert found.expires_at > time.time()
        with pytest.raises(InsufficientPrivileges):
            api.verify(of_keycloak, scopes="admin")
        with pytest.raises(InvalidAccessToken):
            api.verify(with_changed(of_keycloak, -8))
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"audience": "another-api", "profile": "keycloak"}, "aud"),
        ({"audience": "resource-server"}, "typ"),
    ]
    for options, claim in wrong:
        with AccessTokenVerifier(keycloak.issuer, **options) as api, pytest.raises(InvalidAccessToken) as caught:
            api.verify(of_keycloak)
        assert caught.value.claim == claim


def test_a_service_account_of_keycloak_is_verified_too(keycloak: RealServer) -> None:
    credentials = ClientCredentials("client-2", "my-secret", "scope-1")
    with (
        TokenSource(credentials, issuer=keycloak.issuer) as source,
        AccessTokenVerifier(keycloak.issuer, audience="resource-server", profile="keycloak") as api,
    ):
        found = api.verify(source.token().access_token.reveal(), claims={("realm_access", "roles"): "offline_access"})
        assert found.client_id == "client-2"


def test_the_other_tokens_of_keycloak_are_no_access_tokens(keycloak: RealServer) -> None:
    session = OAuth2Session("web-basic", "web-basic-secret", issuer=keycloak.issuer, scope="openid scope-1")
    session.fetch_token(username="alice", password="wonderland")
    token = session.token
    assert token is not None
    everywhere = ["web-basic", "resource-server", keycloak.issuer]
    with AccessTokenVerifier(keycloak.issuer, audience=everywhere, profile="keycloak") as api:
        assert api.verify(str(token["access_token"])).client_id == "web-basic"
        for name in ("id_token", "refresh_token"):
            with pytest.raises(InvalidAccessToken):
                api.verify(str(token[name]))
    own = IntrospectionClient(client_id="web-basic", client_secret="web-basic-secret", jwts=True)
    options: dict[str, Any] = {"audience": everywhere, "profile": "keycloak", "introspection": own}
    with AccessTokenVerifier(keycloak.issuer, **options) as api, pytest.raises(InvalidAccessToken):
        api.verify(str(token["refresh_token"]))
    session.close()


def test_keycloak_is_asked_about_a_token_and_says_when_it_was_revoked(keycloak: RealServer, of_keycloak: str) -> None:
    options: dict[str, Any] = {"audience": "resource-server", "profile": "keycloak", "introspection": AT_KEYCLOAK}
    with AccessTokenVerifier(keycloak.issuer, **options) as api:
        assert api.verify(of_keycloak, scopes="scope-1").claims["username"] == "alice"
    session = OAuth2Session("client-1", "my-secret", issuer=keycloak.issuer)
    session.revoke_token(token=of_keycloak, token_type_hint="access_token")
    session.close()
    with AccessTokenVerifier(keycloak.issuer, **options) as api, pytest.raises(InvalidAccessToken) as caught:
        api.verify(of_keycloak)
    assert caught.value.claim == "active"


def test_a_guard_decides_about_requests_with_tokens_of_keycloak(keycloak: RealServer, of_keycloak: str) -> None:
    with AccessTokenVerifier(keycloak.issuer, audience="resource-server", profile="keycloak") as api:
        guard = Guard(api, resource="https://api.example")
        request = ApiRequest("GET", "/orders", [("Authorization", f"Bearer {of_keycloak}")])
        accepted = guard.check(request, Requirement("scope-1"))
        assert not isinstance(accepted, Rejection)
        rejected = guard.check(request, Requirement("admin"))
        assert isinstance(rejected, Rejection)
        assert rejected.status == 403


@pytest.fixture
def of_oidc_provider(oidc_provider: RealServer) -> Iterator[Any]:
    """Gets a token of a client for an API."""
    made: list[TokenSource] = []

    def get(api: str, scopes: str = "api:read") -> str:
        made.append(
            TokenSource(
                ClientCredentials("web-basic", "web-basic-secret", scopes, resource=api), issuer=oidc_provider.issuer
            )
        )
        return made[-1].token().access_token.reveal()

    yield get
    for one in made:
        one.close()


def test_a_token_of_rfc_9068_of_oidc_provider_is_verified(oidc_provider: RealServer, of_oidc_provider: Any) -> None:
    text = of_oidc_provider(JWT_API)
    with AccessTokenVerifier(oidc_provider.issuer, audience=JWT_API) as api:
        found = api.verify(text, scopes="api:read")
        assert (found.client_id, found.audience) == ("web-basic", (JWT_API,))
        with pytest.raises(InvalidAccessToken, match="introspection"):
            api.verify(of_oidc_provider(OPAQUE_API))


@pytest.mark.parametrize("asking", [AT_OIDC_PROVIDER, SIGNED], ids=["plain", "signed"])
def test_oidc_provider_is_asked_about_an_opaque_token(
    oidc_provider: RealServer, of_oidc_provider: Any, asking: IntrospectionClient
) -> None:
    text = of_oidc_provider(OPAQUE_API)
    with AccessTokenVerifier(oidc_provider.issuer, audience=OPAQUE_API, introspection=asking) as api:
        found = api.verify(text, scopes="api:read")
        assert (found.client_id, found.audience) == ("web-basic", (OPAQUE_API,))
        with pytest.raises(InvalidAccessToken):
            api.verify("unknown")
    with AccessTokenVerifier(oidc_provider.issuer, audience=JWT_API, introspection=asking) as api:
        with pytest.raises(InvalidAccessToken) as caught:
            api.verify(text)
        assert caught.value.claim == "aud"


@pytest.mark.anyio
async def test_the_asynchronous_verifier_asks_too(oidc_provider: RealServer, of_oidc_provider: Any) -> None:
    text = of_oidc_provider(OPAQUE_API)
    async with AsyncAccessTokenVerifier(oidc_provider.issuer, audience=OPAQUE_API, introspection=SIGNED) as api:
        assert (await api.verify(text)).client_id == "web-basic"


def test_an_id_token_of_oidc_provider_is_no_access_token(oidc_provider: RealServer) -> None:
    session = OAuth2Session(
        "web-basic", "web-basic-secret", issuer=oidc_provider.issuer, redirect_uri=CALLBACK, scope="openid"
    )
    transaction = session.begin_authorization()
    with Browser(oidc_provider.name) as browser:
        callback = browser.authorize(transaction.url, CALLBACK)
    token = session.fetch_token(authorization_response=callback, transaction=transaction)
    session.close()
    for profile in ("rfc9068", "keycloak", "auth0", "entra"):
        with (
            AccessTokenVerifier(oidc_provider.issuer, audience="web-basic", profile=profile) as api,
            pytest.raises(InvalidAccessToken),
        ):
            api.verify(str(token.id_token))


def test_django_oauth_toolkit_names_no_audience_which_the_program_must_accept(django_oauth: RealServer) -> None:
    with TokenSource(ClientCredentials("machine", "machine-secret"), issuer=django_oauth.issuer) as source:
        text = source.token().access_token.reveal()
    endpoint = f"{django_oauth.issuer}/introspect/"
    asking: dict[str, Any] = {"client_id": "machine", "client_secret": "machine-secret", "endpoint": endpoint}
    strict, lenient = IntrospectionClient(**asking), IntrospectionClient(**asking, audience_required=False)
    with AccessTokenVerifier(django_oauth.issuer, audience="api", introspection=lenient) as api:
        found = api.verify(text)
        assert (found.client_id, found.audience) == ("machine", ())
        with pytest.raises(InvalidAccessToken) as caught:
            api.verify("unknown")
        assert caught.value.claim == "active"
    with AccessTokenVerifier(django_oauth.issuer, audience="api", introspection=strict) as api:
        with pytest.raises(InvalidAccessToken) as caught:
            api.verify(text)
        assert caught.value.claim == "aud"
