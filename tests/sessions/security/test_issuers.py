"""Two authorization servers at once: what is held for one is never offered to the other, on any client.

Both servers are asked by one program that has the same client id, and sometimes the same secret, at both.
"""

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import httpx2
import pytest

from doorkey import ClientCredentials, OAuth2Auth, RefreshToken, TokenSource
from doorkey.errors import MissingTokenError, OAuthError, UsageError, VerificationError
from doorkey.integrations.httpx_transport import AuthenticatingTransportFactory, OAuthAuthorityClient
from doorkey.protocol.authorization import AuthorizationTransaction
from doorkey.stores import MemoryStore
from doorkey.vault import TokenVault
from tests.support.every_adapter import Adapter, Client
from tests.support.every_source import TLS
from tests.support.fake_clock import START, Clock
from tests.support.hostile_server import Hostile, Received, reply, token

SECRET = "a-secret-of-32-bytes-for-both-of-them"
CB = "http://127.0.0.1:9499/cb"
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "revocation_endpoint", "introspection_endpoint")


def metadata_of(server: Hostile, **more: Any) -> dict[str, Any]:
    paths = {name: server.url("/" + name.partition("_")[0]) for name in ENDPOINTS}
    return {"issuer": server.url(""), **paths, **more}


def serving(name: str) -> Hostile:
    """A server whose tokens, and whose metadata, carry its name."""
    server = Hostile()
    server.on("/token", *(token(f"at-{name}-{turn}", refresh_token=f"rt-{name}-{turn}") for turn in (1, 2, 3)))
    server.on("/revocation", reply(200))
    server.on("/introspection", reply(json={"active": True}))
    server.on("/.well-known/openid-configuration", reply(json=metadata_of(server)))
    return server


@pytest.fixture
def a() -> Iterator[Hostile]:
    server = serving("a")
    yield server
    server.close()


@pytest.fixture
def b() -> Iterator[Hostile]:
    server = serving("b")
    yield server
    server.close()


def of(server: Hostile) -> dict[str, Any]:
    return {"metadata": metadata_of(server), "redirect_uri": CB, "clock": Clock()}


def callback(transaction: AuthorizationTransaction, **more: str) -> str:
    return f"{CB}?{urlencode({'code': 'a-code', 'state': transaction.state, **more})}"


def refreshed_with(requests: list[Received]) -> list[str]:
    return [request.form["refresh_token"] for request in requests if "refresh_token" in request.form]


def audience_of(request: Received) -> Any:
    claims = request.form["client_assertion"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["aud"]


# -- the session family -----------------------------------------------------------------------------------------------


def test_a_transaction_begun_at_one_issuer_is_not_finished_in_a_session_of_another(
    adapter: Adapter, a: Hostile, b: Hostile
) -> None:
    begun = adapter.client("c", SECRET, **of(a)).begin_authorization()
    stored = AuthorizationTransaction.from_json(begun.to_json())
    with pytest.raises(UsageError, match="another authorization server"):
        adapter.client("c", SECRET, **of(b)).fetch_token(authorization_response=callback(begun), transaction=stored)
    assert a.received == b.received == []
    got = adapter.client("c", SECRET, **of(a)).fetch_token(authorization_response=callback(begun), transaction=stored)
    assert got["access_token"] == "at-a-1"


@pytest.mark.parametrize("said", ["by the session", "by the call"])
def test_a_code_goes_to_no_other_token_endpoint_than_its_session_knew(
    adapter: Adapter, a: Hostile, b: Hostile, said: str
) -> None:
    """Neither session knows an issuer by name."""
    known = {"authorization_endpoint": a.url("/authorization"), "token_endpoint": a.url("/token"), "redirect_uri": CB}
    begun = adapter.client("c", SECRET, **known).begin_authorization()
    stored = AuthorizationTransaction.from_json(begun.to_json())
    options, url = ({"token_endpoint": b.url("/token")}, None) if said == "by the session" else ({}, b.url("/token"))
    with pytest.raises(UsageError, match="another authorization server"):
        adapter.client("c", SECRET, **options).fetch_token(
            url, authorization_response=callback(begun), transaction=stored
        )
    assert a.received == b.received == []


def test_the_code_of_a_callback_that_names_another_issuer_is_not_sent(adapter: Adapter, a: Hostile, b: Hostile) -> None:
    """Mix-up (RFC 9700 §4.4, RFC 9207 §2.4)."""
    client = adapter.client("c", SECRET, **of(a))
    begun = client.begin_authorization()
    with pytest.raises(VerificationError, match="another authorization server") as error:
        client.fetch_token(authorization_response=callback(begun, iss=b.url("")), transaction=begun)
    assert error.value.claim == "iss"
    _, state = client.create_authorization_url()
    with pytest.raises(VerificationError, match="another authorization server"):
        client.fetch_token(authorization_response=f"{CB}?code=c&state={state}&iss={b.url('')}")
    assert a.received == b.received == []


ASKING_ELSEWHERE: dict[str, Callable[[Client, Hostile], object]] = {
    "token": lambda client, server: client.fetch_token(server.url("/token")),
    "refresh": lambda client, server: client.refresh_token(server.url("/token")),
    "refresh by hand": lambda client, server: client.refresh_token(server.url("/token"), refresh_token="rt-a-1"),
    "revocation": lambda client, server: client.revoke_token(server.url("/revocation")),
    "introspection": lambda client, server: client.introspect_token(server.url("/introspection")),
    "authorization": lambda client, server: client.create_authorization_url(server.url("/authorization")),
    "transaction": lambda client, server: client.begin_authorization(server.url("/authorization")),
}


@pytest.mark.parametrize("call", ASKING_ELSEWHERE.values(), ids=ASKING_ELSEWHERE)
def test_credentials_of_one_issuer_are_never_offered_to_another(
    adapter: Adapter, a: Hostile, b: Hostile, call: Callable[[Client, Hostile], object]
) -> None:
    """A session that knows its issuer sends no request to another, even when a call names one."""
    client = adapter.client("c", SECRET, **of(a))
    client.fetch_token()
    with pytest.raises(UsageError, match="construct another session"):
        call(client, b)
    assert b.received == []
    assert client.access_token == "at-a-1"
    call(client, a)


def test_an_issuer_on_the_same_host_is_another_issuer(adapter: Adapter, a: Hostile) -> None:
    realm = a.url("/realms/one")
    options = {"issuer": realm, "token_endpoint": f"{realm}/token"}
    client = adapter.client("c", SECRET, **options)
    with pytest.raises(UsageError, match="construct another session"):
        client.fetch_token(a.url("/realms/two/token"))
    assert a.received == []


def test_endpoints_that_the_metadata_names_elsewhere_are_the_issuers_own(
    adapter: Adapter, a: Hostile, b: Hostile
) -> None:
    """Another host, or the place for clients that show a certificate (RFC 8705 §5)."""
    named = metadata_of(a, token_endpoint=b.url("/token"))
    assert adapter.client("c", SECRET, metadata=named).fetch_token(b.url("/token"))["access_token"] == "at-b-1"
    aliases = metadata_of(a, mtls_endpoint_aliases={"token_endpoint": b.url("/token"), "odd": 7})
    assert adapter.client("c", SECRET, metadata=aliases).fetch_token(b.url("/token"))["access_token"] == "at-b-2"
    told = adapter.client("c", SECRET, metadata=metadata_of(a), token_endpoint=b.url("/token"))
    assert told.fetch_token()["access_token"] == "at-b-3"


def test_an_endpoint_that_the_metadata_does_not_name_is_at_the_issuers_own_host(
    adapter: Adapter, a: Hostile, b: Hostile
) -> None:
    metadata = metadata_of(a)
    del metadata["introspection_endpoint"]
    client = adapter.client("c", SECRET, metadata=metadata)
    assert client.introspect_token(a.url("/introspection"), token="at").active
    with pytest.raises(UsageError, match="construct another session"):
        client.introspect_token(b.url("/introspection"), token="at")
    assert b.received == []


def test_a_refresh_token_goes_back_to_where_it_came_from(adapter: Adapter, a: Hostile, b: Hostile) -> None:
    """A session that knows no issuer may be told to ask another server; it remembers whose refresh token it has."""
    clock = Clock()
    client = adapter.client("c", SECRET, token_endpoint=a.url("/token"), clock=clock)
    client.fetch_token()
    assert client.fetch_token(b.url("/token"))["refresh_token"] == "rt-b-1"
    client.refresh_token()
    clock.advance(300)
    client.get(a.url("/api"))
    assert refreshed_with(a.token_requests) == []
    assert refreshed_with(b.token_requests) == ["rt-b-1", "rt-b-2"]
    assert client.fetch_token()["access_token"] == "at-a-2", "a new token comes from the session's own server"
    client.refresh_token()
    assert refreshed_with(a.token_requests) == ["rt-a-2"]


def test_a_refresh_by_hand_elsewhere_moves_the_token_there(adapter: Adapter, a: Hostile, b: Hostile) -> None:
    client = adapter.client("c", SECRET)
    client.fetch_token(a.url("/token"))
    client.refresh_token(b.url("/token"))
    client.refresh_token()
    assert refreshed_with(a.token_requests) == []
    assert refreshed_with(b.token_requests) == ["rt-a-1", "rt-b-1"], "the first one as the caller said"


def test_a_token_of_another_server_is_not_revoked_or_introspected_at_the_sessions_own(
    adapter: Adapter, a: Hostile, b: Hostile
) -> None:
    options = {name: value for name, value in metadata_of(a).items() if name != "issuer"}
    client = adapter.client("c", SECRET, **options)
    client.fetch_token(b.url("/token"))
    for call in (client.revoke_token, client.introspect_token):
        with pytest.raises(UsageError, match="came from another server"):
            call()
    assert a.received == []
    client.revoke_token(b.url("/revocation"))
    assert b.to("/revocation")[0].form["token"] == "rt-b-1"
    client.token = {"access_token": "of-the-users-own"}
    client.revoke_token()
    assert a.to("/revocation")[0].form["token"] == "of-the-users-own"


def test_an_assertion_that_goes_to_one_server_is_never_meant_for_another(
    adapter: Adapter, a: Hostile, b: Hostile
) -> None:
    """Or that server could use it at the other one, where it names the same client (RFC 7523 §3)."""
    options = {name: value for name, value in metadata_of(a).items() if name != "issuer"}
    client = adapter.client("c", SECRET, token_endpoint_auth_method="client_secret_jwt", **options)
    client.fetch_token()
    client.fetch_token(b.url("/token"))
    client.introspect_token(token="at")
    client.introspect_token(b.url("/introspection"), token="at")
    assert [audience_of(request) for request in a.received] == [a.url("/token")] * 2
    assert [audience_of(request) for request in b.received] == [b.url("/token"), b.url("/introspection")]
    named = adapter.client("c", SECRET, token_endpoint_auth_method="client_secret_jwt", metadata=metadata_of(a))
    named.fetch_token()
    assert audience_of(a.received[-1]) == a.url("")


def test_metadata_of_one_issuer_is_not_taken_for_another(adapter: Adapter, a: Hostile, b: Hostile) -> None:
    with pytest.raises(UsageError, match="omit one of them"):
        adapter.client("c", SECRET, metadata=metadata_of(a), issuer=b.url(""))
    with pytest.raises(UsageError, match="omit one of them"):
        TokenSource(ClientCredentials("c", SECRET), metadata=metadata_of(a), issuer=b.url(""))
    with pytest.raises(UsageError, match="omit one of them"):
        TokenVault(MemoryStore(), client_id="c", metadata=metadata_of(a), issuer=b.url(""))
    with httpx2.Client(verify=TLS) as http, pytest.raises(UsageError, match="omit one of them"):
        OAuthAuthorityClient(http, metadata_of(a), issuer=b.url(""))


# -- sources, auth objects, transports, vaults ------------------------------------------------------------------------

ROBOT = ClientCredentials("c", SECRET)


def test_credentials_of_one_issuer_are_never_offered_to_another_by_sources(a: Hostile, b: Hostile) -> None:
    with TokenSource(ROBOT, issuer=a.url("")) as at_a, TokenSource(ROBOT, issuer=b.url("")) as at_b:
        first = at_a.token()
        assert at_b.token().access_token.reveal() == "at-b-1"
        assert not at_b.reject(first) or at_b.token().access_token.reveal() == "at-b-1", (
            "another's token is not its own"
        )
        at_a.reject(first)
        assert at_a.token().access_token.reveal() == "at-a-2"
    assert refreshed_with(a.token_requests) == ["rt-a-1"]
    assert refreshed_with(b.token_requests) == []


def test_credentials_of_one_issuer_are_never_offered_to_another_by_auth_objects(a: Hostile, b: Hostile) -> None:
    api = Hostile()
    try:
        with httpx2.Client(verify=TLS) as client:
            for server in (a, b, a):
                client.get(api.url(), auth=OAuth2Auth(ROBOT, issuer=server.url("")))
        assert [request.token for request in api.received] == ["at-a-1", "at-b-1", "at-a-2"]
    finally:
        api.close()


def test_credentials_of_one_issuer_are_never_offered_to_another_by_transports(a: Hostile, b: Hostile) -> None:
    api = Hostile()
    api.on("/api", reply(200), reply(200), reply(401), reply(200))
    with httpx2.Client(base_url=a.url(""), verify=TLS) as at_a, httpx2.Client(base_url=b.url(""), verify=TLS) as at_b:
        clients = [
            httpx2.Client(transport=AuthenticatingTransportFactory(authority).authenticating_transport(None, ROBOT))
            for authority in (OAuthAuthorityClient(at_a), OAuthAuthorityClient(at_b))
        ]
        for client in (*clients, clients[0]):
            client.get(api.url())
        for client in clients:
            client.close()
    api.close()
    assert [request.token for request in api.received] == ["at-a-1", "at-b-1", "at-a-1", "at-a-2"]
    assert refreshed_with(a.token_requests) == ["rt-a-1"]
    assert refreshed_with(b.token_requests) == []


def test_an_authority_whose_metadata_is_given_goes_by_the_issuer_in_it(a: Hostile, b: Hostile) -> None:
    with httpx2.Client(base_url=b.url(""), verify=TLS) as http:
        authority = OAuthAuthorityClient(http, metadata_of(a))
        assert authority.issuer == a.url("")
        assert authority.get_token(ROBOT).access_token.reveal() == "at-a-1"
    assert b.received == []


def test_credentials_of_one_issuer_are_never_offered_to_another_by_vaults(a: Hostile, b: Hostile, clock: Clock) -> None:
    store = MemoryStore()
    saved = {"access_token": "at", "refresh_token": "rt-of-a", "expires_at": START - 1}
    with TokenVault(store, client_id="c", client_secret=SECRET, issuer=a.url(""), clock=clock) as at_a:
        at_a.save("u", saved)
        at_b = TokenVault(store, client_id="c", client_secret=SECRET, issuer=b.url(""), clock=clock)
        for _ in range(2):
            with pytest.raises(OAuthError, match="record"):
                at_b.source("u").token()
        assert b.received == []
        assert at_a.source("u").token().access_token.reveal() == "at-a-1"
    assert refreshed_with(a.token_requests) == ["rt-of-a"]


def test_a_dead_grant_at_one_issuer_is_not_dead_at_another(a: Hostile, b: Hostile) -> None:
    a.on("/token", reply(400, json={"error": "invalid_grant"}))
    same = RefreshToken("c", SECRET, refresh_token="rt")
    with TokenSource(same, issuer=a.url("")) as at_a, TokenSource(same, issuer=b.url("")) as at_b:
        with pytest.raises(OAuthError, match="invalid_grant"):
            at_a.token()
        assert at_b.token().access_token.reveal() == "at-b-1"


def test_a_session_without_a_token_has_none_of_another_sessions(adapter: Adapter, a: Hostile, b: Hostile) -> None:
    adapter.client("c", SECRET, **of(a)).fetch_token()
    with pytest.raises(MissingTokenError):
        adapter.client("c", SECRET, **of(b)).get(b.url("/api"))
    assert b.received == []
