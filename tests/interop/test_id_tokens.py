"""ID tokens that real servers made, verified by the keys they publish: what the guide's `jwt.decode` is for."""

import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
import requests

from doorkey.errors import OAuthError, UsageError, VerificationError
from doorkey.integrations.requests_client import OAuth2Session
from doorkey.jose import JsonWebToken, jwt
from doorkey.oidc.core import CodeIDToken, HybridIDToken, ImplicitIDToken, UserInfo
from doorkey.protocol import pkce
from doorkey.protocol.authorization import AuthorizationTransaction
from doorkey.tokens import OAuth2Token
from doorkey.values import Secret
from tests.servers.browser import Browser
from tests.servers.handle import CALLBACK, RealServer

SERVERS = {"keycloak": "web-basic", "oidc_provider": "web-basic", "django_oauth": "web"}
"""Fixture and client; the client's secret is its id with `-secret` behind it."""
FAR = "https://client.example/cb"
"""The callback of oidc-provider's hybrid client: it wants https, and nothing needs to be there."""

Session = Callable[..., OAuth2Session]


@pytest.fixture
def session() -> Iterator[Session]:
    made: list[OAuth2Session] = []

    def make(server: RealServer, client: str, secret: str | None = None, *, by_hand: bool = False) -> OAuth2Session:
        """A session; it does not know its issuer, and so verifies nothing, where the test does it `by_hand`."""
        secret = secret or f"{client}-secret"
        metadata = published(server)
        if by_hand:
            del metadata["issuer"]
        made.append(
            OAuth2Session(client, secret, metadata=metadata, redirect_uri=CALLBACK, scope="openid", default_timeout=30)
        )
        return made[-1]

    yield make
    for one in made:
        one.close()


def published(server: RealServer) -> dict[str, Any]:
    answer: dict[str, Any] = requests.get(server.discovery, timeout=30).json()
    return answer


def keys_of(server: RealServer) -> dict[str, Any]:
    answer: dict[str, Any] = requests.get(published(server)["jwks_uri"], timeout=30).json()
    return answer


def logged_in(server: RealServer, session: OAuth2Session) -> tuple[OAuth2Token, AuthorizationTransaction]:
    transaction = session.begin_authorization()
    with Browser(server.name) as browser:
        callback = browser.authorize(transaction.url, CALLBACK)
    return session.fetch_token(authorization_response=callback, transaction=transaction), transaction


def front_channel(server: RealServer, client: str, response_type: str, callback: str) -> tuple[dict[str, str], str]:
    """The parameters that the browser brings back in the fragment, and the nonce that was sent."""
    nonce = secrets.token_urlsafe()
    asked = {
        "response_type": response_type,
        "client_id": client,
        "redirect_uri": callback,
        "scope": "openid",
        "state": "a-state",
        "nonce": nonce,
        "code_challenge": pkce.challenge_of("v" * 64),
        "code_challenge_method": "S256",
    }
    url = f"{published(server)['authorization_endpoint']}?{urlencode(asked)}"
    with Browser(server.name) as browser:
        return dict(parse_qsl(urlsplit(browser.authorize(url, callback)).fragment)), nonce


@pytest.mark.parametrize(("fixture", "client"), SERVERS.items(), ids=SERVERS)
def test_an_id_token_of_this_login_is_good_and_of_another_is_not(
    fixture: str, client: str, session: Session, request: pytest.FixtureRequest
) -> None:
    server: RealServer = request.getfixturevalue(fixture)
    client_session = session(server, client)
    token, transaction = logged_in(server, client_session)
    keys = keys_of(server)
    login = {
        "issuer": server.issuer,
        "client_id": client,
        "nonce": transaction.nonce,
        "access_token": token.access_token,
    }
    claims = jwt.decode(str(token.id_token), keys, CodeIDToken, claims_params=login)
    claims.validate()
    assert claims.at_hash or fixture == "oidc_provider"
    JsonWebToken(["RS256"]).decode(str(token.id_token), keys, CodeIDToken, claims_params=login).validate()

    others = {
        "issuer": "iss",
        "client_id": "aud",
        "nonce": "nonce",
        **({"access_token": "at_hash"} if claims.at_hash else {}),
    }
    for name, claim in others.items():
        other = jwt.decode(str(token.id_token), keys, CodeIDToken, claims_params={**login, name: "another"})
        with pytest.raises(VerificationError) as caught:
            other.validate()
        assert caught.value.claim == claim
    with pytest.raises(VerificationError, match="expired"):
        claims.validate(now=time.time() + 10 * 24 * 3600)

    head, body, signature = str(token.id_token).split(".")
    with pytest.raises(VerificationError, match="signature cannot be verified with these keys"):
        jwt.decode(f"{head}.{body}.{'A' * len(signature)}", keys, CodeIDToken)

    about = UserInfo(client_session.get(published(server)["userinfo_endpoint"]).json())
    about.check_sub(claims["sub"])


def test_an_id_token_by_password_is_good_for_keycloaks_own_client(keycloak: RealServer) -> None:
    with OAuth2Session("admin-cli", scope="openid email") as session:
        token = session.fetch_token(published(keycloak)["token_endpoint"], username="admin", password="admin")
    claims = jwt.decode(token["id_token"], keys_of(keycloak), claims_cls=CodeIDToken)
    claims.validate()
    assert claims.azp == "admin-cli"


def test_neither_the_access_token_nor_the_refresh_token_of_keycloak_is_an_id_token(keycloak: RealServer) -> None:
    with OAuth2Session("admin-cli", scope="openid") as session:
        token = session.fetch_token(published(keycloak)["token_endpoint"], username="admin", password="admin")
    keys = keys_of(keycloak)
    with pytest.raises(VerificationError, match="another kind of token"):
        jwt.decode(token["access_token"], keys, claims_cls=CodeIDToken).validate()
    with pytest.raises(VerificationError):
        jwt.decode(token["refresh_token"], keys, claims_cls=CodeIDToken)


def test_a_client_that_is_registered_for_es256_takes_nothing_else(oidc_provider: RealServer, session: Session) -> None:
    token, _ = logged_in(oidc_provider, session(oidc_provider, "jwt-answers"))
    keys = keys_of(oidc_provider)
    assert jwt.decode(str(token.id_token), keys, CodeIDToken).header["alg"] == "ES256"
    JsonWebToken(["ES256"]).decode(str(token.id_token), keys, CodeIDToken).validate()
    with pytest.raises(VerificationError, match="not the registered one"):
        JsonWebToken(["RS256"]).decode(str(token.id_token), keys, CodeIDToken)


def test_an_encrypted_id_token_is_never_taken_for_a_signed_one(oidc_provider: RealServer, session: Session) -> None:
    token, _ = logged_in(oidc_provider, session(oidc_provider, "encrypted", by_hand=True))
    assert str(token.id_token).count(".") == 4
    with pytest.raises(VerificationError, match="not a signed token"):
        jwt.decode(str(token.id_token), keys_of(oidc_provider), CodeIDToken)


def test_an_hmac_is_good_where_it_is_registered_and_nowhere_else(django_oauth: RealServer, session: Session) -> None:
    secret = "web-hs256-secret-of-at-least-32-bytes"
    token, transaction = logged_in(django_oauth, session(django_oauth, "web-hs256", secret, by_hand=True))
    login = {"client_id": "web-hs256", "nonce": transaction.nonce}
    JsonWebToken(["HS256"]).decode(str(token.id_token), Secret(secret), CodeIDToken, claims_params=login).validate()
    with pytest.raises(UsageError, match="JsonWebToken"):
        jwt.decode(str(token.id_token), secret, CodeIDToken)
    with pytest.raises(OAuthError):
        jwt.decode(str(token.id_token), keys_of(django_oauth), CodeIDToken)


def test_an_id_token_beside_a_code_is_tied_to_it(oidc_provider: RealServer) -> None:
    brought, nonce = front_channel(oidc_provider, "hybrid", "code id_token", FAR)
    login = {"issuer": oidc_provider.issuer, "client_id": "hybrid", "nonce": nonce}
    keys = keys_of(oidc_provider)
    jwt.decode(brought["id_token"], keys, HybridIDToken, None, {**login, "code": brought["code"]}).validate()
    with pytest.raises(VerificationError, match="c_hash"):
        jwt.decode(brought["id_token"], keys, HybridIDToken, None, {**login, "code": "another"}).validate()


def test_an_id_token_alone_from_the_browser_is_tied_to_its_nonce(oidc_provider: RealServer) -> None:
    brought, nonce = front_channel(oidc_provider, "hybrid", "id_token", FAR)
    keys = keys_of(oidc_provider)
    jwt.decode(brought["id_token"], keys, ImplicitIDToken, None, {"client_id": "hybrid", "nonce": nonce}).validate()
    with pytest.raises(VerificationError, match="nonce"):
        jwt.decode(brought["id_token"], keys, ImplicitIDToken, None, {"nonce": "another"}).validate()


def test_a_token_and_a_code_from_the_browser_are_both_tied_to_the_id_token(django_oauth: RealServer) -> None:
    brought, nonce = front_channel(django_oauth, "hybrid", "code id_token token", CALLBACK)
    login = {"client_id": "hybrid", "nonce": nonce, "code": brought["code"], "access_token": brought["access_token"]}
    keys = keys_of(django_oauth)
    jwt.decode(brought["id_token"], keys, HybridIDToken, None, login).validate()
    for name, claim in (("access_token", "at_hash"), ("code", "c_hash")):
        with pytest.raises(VerificationError, match=claim):
            jwt.decode(brought["id_token"], keys, HybridIDToken, None, {**login, name: "another"}).validate()
