"""The programs of the document, word for word but for the import, the library, and where the servers are."""

from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from doorkey.credentials import ResourceOwnerCredentials
from doorkey.dev import Provider
from doorkey.dev import client as registered
from doorkey.errors import AccessDenied
from tests.support.hostile_server import Hostile, Received

IMPORTS = """
import httpx
from httpx_oauth2 import (
	OAuthAuthorityClient,
	ClientCredentials,
	ResourceOwnerCredentials,
	AuthenticatingTransportFactory
)
"""

CLIENT_CREDENTIALS = """
api_client = httpx.Client(base_url='http://example')

# ============== ADD THIS ==============

oauth_authority = OAuthAuthorityClient(
	httpx.Client(base_url='http://localhost:8080/realms/master'),
)

transports = AuthenticatingTransportFactory(oauth_authority)

credentials = ClientCredentials('client-1', 'my-secret', ('scope-1',))

api_client._transport = transports.authenticating_transport(api_client._transport, credentials)

# ===== JUST THIS. NOW USE A USUAL =====

api_client.get('/users')
"""

RESOURCE_OWNER = """
api_client = httpx.Client(base_url='http://example')

# ============== ADD THIS ==============

oauth_authority = OAuthAuthorityClient(
	httpx.Client(base_url='http://localhost:8080/realms/master'),
)

transports = AuthenticatingTransportFactory(oauth_authority)

credentials = ResourceOwnerCredentials('client-3', 'my-secret').with_username_password('user', 'pwd')

api_client._transport = transports.authenticating_transport(api_client._transport, credentials)

# ===== JUST THIS. NOW USE A USUAL =====

api_client.get('/users')
"""

TOKEN_EXCHANGE = """
api_client = httpx.Client(base_url='http://example')

# ============== ADD THIS ==============

oauth_authority = OAuthAuthorityClient(
	httpx.Client(base_url='http://localhost:8080/realms/master'),
)

transports = AuthenticatingTransportFactory(oauth_authority)

credentials = ClientCredentials('client-1', 'my-secret', ('scope-1',))

api_client._transport = transports.token_exchange_transport(
	api_client._transport,
	credentials,
	lambda: flask.request.headers['Authorization'].removeprefix('Bearer ') # A callable that returns the token to be exchanged
)

# ===== JUST THIS. NOW USE A USUAL =====

api_client.get('/users')
"""  # noqa: E501  # as it stands there

GETTING = """
oauth_authority = OAuthAuthorityClient(
	httpx.Client(base_url='http://localhost:8080/realms/master'),
)

credentials = ClientCredentials('client-1', 'my-secret', ('scope-1',))

token = oauth_authority.get_token(credentials)
"""


class Run:
    """What runs a program on one library against one server."""

    def __init__(self, library: ModuleType, issuer: str, api: Hostile) -> None:
        self.library, self.issuer, self.api = library, issuer, api
        self._clients: list[Any] = []

    def __call__(self, program: str, **names: Any) -> dict[str, Any]:
        text = IMPORTS + program
        text = text.replace("import httpx\n", f"import {self.library.__name__} as httpx\n")
        text = text.replace("from httpx_oauth2 import", "from doorkey.integrations.httpx_transport import")
        text = text.replace("http://localhost:8080/realms/master", self.issuer)
        text = text.replace("http://example", self.api.url(""))
        try:
            exec(compile(text, "<document>", "exec"), names)  # noqa: S102  # that is the point
        finally:
            made = [names[name] for name in ("api_client",) if name in names]
            self._clients += [*made, names["oauth_authority"].http]
        return names

    def users(self) -> list[Received]:
        return self.api.to("/users")

    def close(self) -> None:
        for client in self._clients:
            client.close()


@pytest.fixture(params=["embedded", pytest.param("keycloak", marks=pytest.mark.real_server)])
def run(request: pytest.FixtureRequest, library: ModuleType, hostile: Hostile) -> Any:
    if request.param == "embedded":
        found: Provider = request.getfixturevalue("provider")
        made = Run(library, found.issuer, hostile)
    else:
        made = Run(library, request.getfixturevalue("keycloak").issuer, hostile)
    yield made
    made.close()


def claims(token: str | None) -> dict[str, Any]:
    """The claims of an access token, read without a verification of its signature."""
    import base64
    import json

    assert token is not None
    body = token.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


def test_client_credentials(run: Run) -> None:
    names = run(CLIENT_CREDENTIALS)
    names["api_client"].get("/users")
    first, second = run.users()
    assert first.token == second.token
    assert claims(first.token)["azp"] == "client-1"
    assert "scope-1" in claims(first.token)["scope"].split()


def test_a_technical_account(run: Run) -> None:
    run(RESOURCE_OWNER)
    (request,) = run.users()
    assert claims(request.token)["azp"] == "client-3"
    assert claims(request.token)["preferred_username"] == "user"


def test_getting_an_access_token(run: Run) -> None:
    names = run(GETTING)
    assert claims(names["token"].access_token.reveal())["azp"] == "client-1"
    assert names["oauth_authority"].get_token(names["credentials"]) is names["token"]
    assert names["oauth_authority"].supports_grant("client_credentials")
    assert not names["oauth_authority"].supports_grant("urn:unheard-of")


def test_token_exchange(run: Run) -> None:
    users = run(RESOURCE_OWNER.replace("client-3", "client-1"))
    theirs = users["oauth_authority"].get_token(users["credentials"]).access_token.reveal()
    flask = SimpleNamespace(request=SimpleNamespace(headers={"Authorization": f"Bearer {theirs}"}))
    names = run(TOKEN_EXCHANGE, flask=flask)
    names["api_client"].get("/users")
    _, first, second = run.users()
    assert first.token == second.token
    assert first.token != theirs
    assert claims(first.token)["sub"] == claims(theirs)["sub"]


def exchanged_for(run: Run, frontend: str) -> str | None:
    """The token at the API, where the caller's is that of `frontend`."""
    theirs = run(RESOURCE_OWNER.replace("client-3", frontend))["oauth_authority"]
    credentials = ResourceOwnerCredentials(frontend, "my-secret").with_username_password("user", "pwd")
    token = theirs.get_token(credentials).access_token.reveal()
    flask = SimpleNamespace(request=SimpleNamespace(headers={"Authorization": f"Bearer {token}"}))
    run(TOKEN_EXCHANGE, flask=flask)
    return run.users()[-1].token


def test_a_token_is_exchanged_only_for_its_audience(run: Run) -> None:
    """Keycloak's rule, which the document is silent about: `client-3`'s token says nothing of `client-1`."""
    with pytest.raises(AccessDenied, match="Client is not within the token audience"):
        exchanged_for(run, "client-3")


def test_a_token_for_the_client_is_exchanged_whichever_client_requested_it(
    library: ModuleType, hostile: Hostile
) -> None:
    frontend = registered("frontend", "my-secret", audiences={"profile": "client-1"})
    with Provider(clients=[frontend]) as provider:
        run = Run(library, provider.issuer, hostile)
        assert claims(exchanged_for(run, "frontend"))["azp"] == "client-1"
        run.close()


@pytest.mark.parametrize("how", ["transport", "mounts"])
def test_the_programs_need_no_private_attribute(run: Run, how: str) -> None:
    names = run(GETTING)
    library: Any = run.library
    factory = names["AuthenticatingTransportFactory"](names["oauth_authority"])
    made = factory.authenticating_transport(None, names["credentials"])
    options: dict[str, Any] = {"transport": made} if how == "transport" else {"mounts": {run.api.url(""): made}}
    with library.Client(base_url=run.api.url(""), **options) as client:
        client.get("/users")
        client.get(run.api.url("/elsewhere", host="localhost"))
    (request,) = run.users()
    assert request.token == names["token"].access_token.reveal()
    if how == "mounts":
        assert run.api.to("/elsewhere")[0].token is None
