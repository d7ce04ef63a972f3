"""The calls of the documents that users come with (session notes and the session guide), with `doorkey` in place of
`authlib`: word for word, on Keycloak and on the embedded provider where they name Keycloak.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from anyio.from_thread import BlockingPortal

from doorkey.dev import Provider
from tests.servers.handle import CALLBACK
from tests.support.contract_servers import EMBEDDED, KEYCLOAK, Code, Site, embedded_site, on, real_site
from tests.support.every_adapter import KINDS, Adapter, adapter_of
from tests.support.fake_clock import real_time
from tests.support.hostile_server import Hostile, token

on_both = on(only=(EMBEDDED, KEYCLOAK))


@pytest.fixture
def requests_adapter(portal: BlockingPortal) -> Iterator[Adapter]:
    with adapter_of("requests", portal) as adapter:
        yield adapter


@on_both
def test_a_token_by_password_and_the_members_that_the_document_prints(site: Site) -> None:
    from doorkey.integrations.requests_client import OAuth2Session

    began = site.clock()
    client = OAuth2Session(client_id="admin-cli")
    token = client.fetch_token(
        f"{site.origin}/realms/master/protocol/openid-connect/token",
        username="admin",
        password="admin",
        grant_type="password",
    )
    spent = math.ceil(site.clock() - began)  # Keycloak tells what is left a moment after it has made the token
    assert 60 - spent <= token["expires_in"] <= 60
    assert {"access_token", "refresh_expires_in", "refresh_token", "token_type", "session_state"} <= set(token)
    client.close()


@on_both
def test_a_removed_session_prints_the_documents_two_lines(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    from doorkey.integrations.base_client.errors import OAuthError
    from doorkey.integrations.requests_client import OAuth2Session

    client = OAuth2Session(client_id="admin-cli")
    token = client.fetch_token(
        f"{site.origin}/realms/master/protocol/openid-connect/token",
        username="admin",
        password="admin",
        grant_type="password",
    )
    access_token = token["access_token"]
    session_state = token["session_state"]
    removed = requests.delete(
        f"{site.origin}/admin/realms/master/sessions/{session_state}",
        headers={"Authorization": f"Bearer {access_token}"},
        timeout=30,
    )
    assert removed.status_code == 204
    try:
        client.fetch_token(
            f"{site.origin}/realms/master/protocol/openid-connect/token",
            grant_type="refresh_token",
            refresh_token=token["refresh_token"],
        )
    except Exception as e:  # noqa: BLE001  # the document's
        print(isinstance(e, OAuthError))
        print(e)
    assert capsys.readouterr().out == "True\ninvalid_grant: Session not active\n"
    client.close()


def test_the_class_has_the_ancestors_that_the_document_prints() -> None:
    from doorkey.integrations.requests_client import OAuth2Session

    assert [f"{one.__module__}.{one.__name__}" for one in OAuth2Session.__mro__] == [
        "doorkey.integrations.requests_client.oauth2_session.OAuth2Session",
        "doorkey.oauth2.client.OAuth2Client",
        "requests.sessions.Session",
        "requests.sessions.SessionRedirectMixin",
        "builtins.object",
    ]


@on_both
def test_the_number_of_users_is_read_with_the_token(site: Site) -> None:
    from doorkey.integrations.requests_client import OAuth2Session

    client = OAuth2Session(client_id="admin-cli", leeway=30)
    client.fetch_token(
        f"{site.origin}/realms/master/protocol/openid-connect/token",
        username="admin",
        password="admin",
        grant_type="password",
    )
    response = client.get(f"{site.origin}/admin/realms/master/users/count")
    assert response.status_code == 200
    assert int(response.text) >= 1
    client.close()


@on_both
def test_with_the_documents_leeway_the_next_request_has_another_token(site: Site, hostile: Hostile) -> None:
    from doorkey.integrations.requests_client import OAuth2Session

    token_endpoint = f"{site.origin}/realms/master/protocol/openid-connect/token"
    client = OAuth2Session(
        client_id="admin-cli",
        leeway=60,  # keycloak have token lifetime 60 by default
        token_endpoint=token_endpoint,
    )
    initial_token = client.fetch_token(token_endpoint, username="admin", password="admin", grant_type="password")
    assert client.get(hostile.url("/")).status_code == 200
    assert client.get(hostile.url("/")).status_code == 200
    first, second = (request.token for request in hostile.received)
    assert len({initial_token["access_token"], first, second}) == 3
    client.close()


def test_the_url_of_the_guide(requests_adapter: Adapter) -> None:
    client = requests_adapter.client("client-id", "secret", scope="user:email").native
    authorize_url = "https://github.com/login/oauth/authorize"
    uri, state = client.create_authorization_url(authorize_url)
    head = f"{authorize_url}?response_type=code&client_id=client-id&scope=user%3Aemail&state="
    assert uri == head + state


@on(Code, only=(EMBEDDED, KEYCLOAK))
def test_another_session_finishes_with_the_state_as_the_guide_does(adapter: Adapter, site: Site) -> None:
    client_id, client_secret = site.ability(Code).client
    endpoints = site.endpoints()
    options = {"redirect_uri": site.options["redirect_uri"], "clock": site.clock}
    client = adapter.client(client_id, client_secret, scope="openid", **options)
    uri, state = client.create_authorization_url(endpoints["authorization_endpoint"])
    authorization_response = site.log_in(uri)
    client = adapter.client(client_id, client_secret, state=state, **options)
    token = client.fetch_access_token(endpoints["token_endpoint"], authorization_response=authorization_response)
    assert token["access_token"]
    assert token["id_token"]


def test_the_implicit_flow_of_the_guide(adapter: Adapter) -> None:
    client = adapter.client("client-id")
    uri, state = client.create_authorization_url("https://some-service.com/oauth/authorize", response_type="token")
    assert uri.startswith("https://some-service.com/oauth/authorize?response_type=token&client_id=client-id&")
    authorization_response = (
        f"https://example.com/cb#access_token=2..WpA&state={state}&token_type=bearer&expires_in=3600"
    )
    token = client.fetch_access_token(authorization_response=authorization_response)
    assert token["access_token"] == "2..WpA"
    assert token["expires_in"] == 3600
    assert client.token == token


def test_the_implicit_flow_in_another_session(adapter: Adapter) -> None:
    _, state = adapter.client().create_authorization_url("https://as.example/authorize", response_type="token")
    callback = f"https://example.com/cb#access_token=at&state={state}&token_type=bearer"
    assert adapter.client(state=state).fetch_access_token(authorization_response=callback)["access_token"] == "at"
    assert adapter.client().token_from_fragment(callback, state=state)["access_token"] == "at"


def test_an_error_in_the_fragment_is_raised(adapter: Adapter) -> None:
    from doorkey.errors import AccessDenied, MismatchingStateError

    client = adapter.client()
    _, state = client.create_authorization_url("https://as.example/authorize", response_type="token")
    with pytest.raises(MismatchingStateError):
        client.token_from_fragment("https://rp/#access_token=at&token_type=bearer&state=forged", state=state)
    with pytest.raises(AccessDenied):
        client.fetch_token(authorization_response=f"https://rp/#error=access_denied&state={state}")
    assert client.token is None


def test_the_guides_password_and_client_credentials(adapter: Adapter, hostile: Hostile) -> None:
    hostile.on("/token", token())
    client, token_url = adapter.client("id", "secret"), hostile.token_endpoint
    client.fetch_access_token(token_url, username="a-name", password="a-password")
    client.fetch_access_token(token_url)
    client.fetch_access_token(token_url, grant_type="client_credentials")
    grants = [request.form["grant_type"] for request in hostile.token_requests]
    assert grants == ["password", "client_credentials", "client_credentials"]


def test_a_restored_token_is_used_as_the_guide_does(adapter: Adapter, hostile: Hostile) -> None:
    restored = {"access_token": "e..ad", "token_type": "bearer", "scope": "user:email"}
    client = adapter.client("id", "secret", token=restored)
    response = client.get(hostile.url("/user"))
    assert response.status_code == 200
    assert response.json()["headers"]
    assert hostile.received[0].header("authorization") == "Bearer e..ad"


def test_the_openid_part_of_the_guide(adapter: Adapter, hostile: Hostile) -> None:
    from doorkey.common.security import generate_token

    hostile.on("/token", token(id_token="header.payload.signature"))
    client = adapter.client("id", "secret", scope="openid email profile")
    nonce = generate_token()
    url, state = client.create_authorization_url("https://as.example/authorize", redirect_uri="xxx", nonce=nonce)
    assert f"nonce={nonce}" in url
    resp = client.fetch_access_token(hostile.token_endpoint, authorization_response=f"https://rp/?code=c&state={state}")
    assert resp["id_token"] == "header.payload.signature"
    assert hostile.token_requests[0].form["redirect_uri"] == "xxx"


@pytest.fixture(params=["embedded", pytest.param("keycloak", marks=pytest.mark.real_server)])
def today(request: pytest.FixtureRequest, client_keys: Path) -> Iterator[Site]:
    """Keycloak, and an embedded provider that lives today too: the guide's `validate()` asks the clock."""
    if request.param == "keycloak":
        yield real_site(KEYCLOAK, request.getfixturevalue("keycloak"))
        return
    with Provider() as provider:
        yield embedded_site(provider, client_keys, real_time())


def test_the_id_token_is_parsed_and_validated_as_the_guide_does(adapter: Adapter, today: Site) -> None:
    from doorkey.common.security import generate_token
    from doorkey.jose import jwt
    from doorkey.oidc.core import CodeIDToken

    endpoints = today.endpoints()
    nonce = generate_token()
    session = adapter.client(*today.ability(Code).client, scope="openid email profile", redirect_uri=CALLBACK)
    url, _ = session.create_authorization_url(endpoints["authorization_endpoint"], nonce=nonce)
    resp = session.fetch_access_token(endpoints["token_endpoint"], authorization_response=today.log_in(url))
    keys = requests.get(f"{today.issuer}/protocol/openid-connect/certs", timeout=30).json()
    claims = jwt.decode(resp["id_token"], keys, claims_cls=CodeIDToken)
    claims.validate()
    assert (claims.iss, claims["nonce"], claims["preferred_username"]) == (today.issuer, nonce, "alice")


def test_an_old_import_place_is_the_same_class() -> None:
    from doorkey.client import OAuth2Session as Old
    from doorkey.integrations.requests_client import OAuth2Session

    assert Old is OAuth2Session


@pytest.mark.parametrize("name", ["requests_client", "httpx_client", "base_client", "base_client.errors"])
def test_every_integration_exports_the_errors(name: str) -> None:
    from importlib import import_module

    from doorkey import errors

    module: Any = import_module(f"doorkey.integrations.{name}")
    for error in ("OAuthError", "MissingTokenError", "InvalidTokenError", "MismatchingStateError"):
        assert getattr(module, error) is getattr(errors, error)


def test_the_documented_methods_are_there_on_every_client() -> None:
    names = (
        "create_authorization_url begin_authorization fetch_token fetch_access_token token_from_fragment refresh_token "
        "ensure_active_token revoke_token introspect_token register_client_auth_method register_compliance_hook token"
    )
    for kind in KINDS.values():
        assert [name for name in names.split() if not hasattr(kind.make, name)] == []
